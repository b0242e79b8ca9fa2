"""What every method promises, today's and tomorrow's."""

import re
import sys
from functools import partial
from importlib import import_module
from pathlib import Path

import pytest
import torch
from torch import nn

from errlens.attribution import methods
from errlens.attribution.explained_model import borrowed, scores_of
from errlens.attribution.methods import load_method, method_names
from errlens.errors import UnfitOption
from tests.attribution.networks import (
    CLASSES,
    SIDE,
    Patches,
    explained,
    fitting,
    model_of,
    planted,
    targets,
)

METHODS = method_names()


@pytest.fixture(params=METHODS)
def method(request):
    return load_method(request.param)


@pytest.fixture
def network(method):
    """Return what makes a network that the method is tried on."""
    return partial(fitting, method.name)


def fingerprint(module):
    """Return everything of a network that explaining it must leave alone."""
    return (
        [(name, tensor.clone()) for name, tensor in module.state_dict().items()],
        [(weight.requires_grad, None if weight.grad is None else weight.grad.clone())
         for weight in module.parameters()],
        [(type(part), part.training, len(part._forward_hooks), len(part._forward_pre_hooks),
          len(part._backward_hooks), len(part._backward_pre_hooks), sorted(part.__dict__))
         for part in module.modules()],
    )  # fmt: skip


def same(before, after):
    weights = all(
        name == other and torch.equal(one, two)
        for (name, one), (other, two) in zip(before[0], after[0], strict=True)
    )
    gradients = all(
        flag == other and (one is two or torch.equal(one, two))
        for (flag, one), (other, two) in zip(before[1], after[1], strict=True)
    )
    return weights and gradients and before[2] == after[2]


def test_maps_are_one_for_each_target_finite_and_of_the_scores_asked_for(method, network):
    module = network()
    images, _, _ = planted(5)
    wanted = targets(*[[one % CLASSES, (0, 3)] for one in range(5)])
    maps = explained(method, module, images, wanted)
    assert maps.values.shape[:2] == (5, 2)
    assert maps.values.ndim == 4
    assert maps.values.isfinite().all()
    assert not maps.values.requires_grad
    with torch.no_grad():
        expected = scores_of(module.eval()(images), wanted)
    torch.testing.assert_close(maps.scores, expected)
    if maps.gaps is not None:
        assert maps.gaps.shape == (5, 2)
        assert (maps.gaps >= 0).all()


@pytest.mark.parametrize("fails", [False, True])
def test_the_network_is_given_back_as_it_was(method, network, fails):
    module = network().train()
    module.see.requires_grad_(requires_grad=False)
    images, _, _ = planted(2)
    module.relu(module.see(images)).sum()
    module.head(torch.ones(1, 3)).sum().backward()
    seen = []
    module.head.register_forward_hook(lambda *_: seen.append(None))
    before = fingerprint(module)
    if fails:
        with pytest.raises((IndexError, RuntimeError)):
            explained(method, module, images, targets([99], [99]))
    else:
        explained(method, module, images, targets([0], [1]))
    assert same(before, fingerprint(module))


def test_neither_the_order_nor_the_company_of_images_matters(method, network):
    images, _, _ = planted(4, seed=1)
    wanted = targets([0], [1], [2], [(1, 2)])
    together = explained(method, network(), images, wanted)
    turned = explained(method, network(), images.flip(0), wanted[::-1])
    torch.testing.assert_close(turned.values.flip(0), together.values, rtol=1e-4, atol=1e-6)
    for at in range(4):
        alone = explained(method, network(), images[at : at + 1], wanted[at : at + 1])
        torch.testing.assert_close(alone.values[0], together.values[at], rtol=1e-4, atol=1e-6)


def test_the_same_call_gives_the_same_bytes(method, network):
    images, _, _ = planted(2, seed=2)
    first, second = (explained(method, network(), images, targets([0], [1])) for _ in range(2))
    assert torch.equal(first.values, second.values)


def test_the_callers_mode_does_not_matter(method, network):
    images, _, _ = planted(2, seed=3)
    expected = explained(method, network(), images, targets([0], [1])).values
    with torch.no_grad():
        assert torch.equal(explained(method, network(), images, targets([0], [1])).values, expected)


def test_a_difference_of_scores_has_the_difference_of_maps_where_it_is_said(method, network):
    images, _, _ = planted(3, seed=4)
    wanted = targets(*[[0, 3, (0, 3)]] * 3)
    values = explained(method, network("max").double(), images.double(), wanted).values
    adds_up = torch.allclose(values[:, 0] - values[:, 1], values[:, 2], atol=1e-6)
    assert adds_up == method.adds_up


def test_a_planted_patch_is_pointed_at(method, network):
    images, boxes, colours = planted(40, seed=5)
    maps = explained(method, network(), images, targets(*[[one] for one in colours])).values
    hits = 0
    for one, (top, left, bottom, right) in zip(maps[:, 0], boxes, strict=True):
        rows, columns = one.shape
        row, column = divmod(int(one.argmax()), columns)
        # The place of a cell: from its upper left to its lower right corner.
        y, x = (row + 0.5) * SIDE / rows, (column + 0.5) * SIDE / columns
        half_y, half_x = max(1, SIDE / rows), max(1, SIDE / columns)
        hits += top - half_y <= y <= bottom + half_y and left - half_x <= x <= right + half_x
    assert hits >= 38


def test_a_method_says_what_it_shows(method, network):
    assert 20 < len(method.summary) < 90
    assert method.explain.__doc__
    assert method.unsupported(model_of(network())) is None


def test_reasons_are_sentences_and_need_no_run(method):
    flat = nn.Sequential(nn.Flatten(), nn.Linear(3 * SIDE * SIDE, CLASSES))
    reason = method.unsupported(model_of(flat))
    if reason is None:
        images, _, _ = planted(1)
        assert explained(method, flat, images, targets([0])).values.isfinite().all()
    else:
        assert len(reason.split()) > 3


def _stopped_in_the_middle(module):
    with borrowed(module):
        assert not module.training
        assert not module.head.weight.requires_grad
        raise KeyboardInterrupt


def test_borrowing_ends_after_a_failure():
    module = Patches().train()
    with pytest.raises(KeyboardInterrupt):
        _stopped_in_the_middle(module)
    assert all(part.training for part in module.modules())
    assert module.head.weight.requires_grad


def test_a_misspelt_method_is_told_the_nearest():
    with pytest.raises(UnfitOption) as failure:
        load_method("gradcam")
    assert "grad-cam" in failure.value.hint


def test_the_guides_example_is_a_method(tmp_path, monkeypatch):
    text = (Path(methods.__file__).parent / "README.md").read_text()
    (example,) = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    (tmp_path / "example_of_the_guide.py").write_text(example)
    monkeypatch.setattr(methods, "__path__", [*methods.__path__, str(tmp_path)])
    assert "example-of-the-guide" in method_names()
    method = load_method("example-of-the-guide")
    assert (method.adds_up, method.caveat) == (True, None)
    assert method.unsupported(model_of(Patches())) is None
    assert "no gradient" in method.unsupported(model_of(Blind()))
    images, _, _ = planted(2)
    values = explained(method, Patches(), images, targets([0], [1])).values
    plain = explained(load_method("gradient"), Patches(), images, targets([0], [1])).values
    assert torch.equal(values, plain)
    del sys.modules[f"{methods.__name__}.example_of_the_guide"]


class Blind(Patches):
    def forward(self, images):
        return super().forward(images.detach())


@pytest.mark.parametrize("name", METHODS)
def test_what_a_module_says_is_what_its_method_is(name):
    module = import_module(f"{methods.__name__}.{name.replace('-', '_')}")
    method = load_method(name)
    assert (method.name, method.summary, method.explain) == (name, module.SUMMARY, module.explain)
    assert method.adds_up == getattr(module, "ADDS_UP", True)
    assert method.caveat is None or len(method.caveat) < 50
