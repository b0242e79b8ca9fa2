"""What computed a tensor is known, whatever code called it."""

import warnings

import pytest
import torch
from torch import nn

from errlens.attribution.explained_model import borrowed
from errlens.attribution.operations.following import no_rule, ruled_logits
from errlens.attribution.operations.graph import kind, nodes, not_linear
from errlens.attribution.operations.ordinary import Ordinary
from errlens.attribution.relevance.rules import STEPS, Relevance
from errlens.errors import Unruled
from tests.attribution.networks import CLASSES, SIDE, model_of


class Add(torch.autograd.Function):
    """A function of somebody's own, called like one of torch's."""

    @staticmethod
    def forward(_ctx, x):
        return x.sin()

    @staticmethod
    def backward(_ctx, slope):
        return slope


class Network(nn.Module):
    def __init__(self, act):
        super().__init__()
        self.act = act
        self.see = nn.Conv2d(3, CLASSES, 3)

    def forward(self, images):
        return self.act(self.see(images)).mean((2, 3))


class PartOfIt(nn.Module):
    def forward(self, x):
        y = x + 0
        y[:, :2].add_(1)  # in place, on a view
        return y


IMAGES = torch.randn(2, 3, SIDE, SIDE)


def test_steps_are_named_and_what_is_linear_is_known():
    module = Network(nn.ReLU())
    logits = module(IMAGES.clone().requires_grad_())
    kinds = {kind(node) for node in nodes(logits)}
    assert {"Relu", "Convolution", "Mean"} <= kinds
    assert not_linear(logits) == {"Relu"}
    assert not_linear(logits, but=["Relu"]) == set()


@pytest.mark.parametrize("act", [nn.ReLU(), nn.GELU(), nn.Softmax(dim=1), nn.Identity()])
def test_logits_by_rules_are_those_of_the_network(act):
    module = Network(act).eval()
    steps = ["Relu", "Gelu", "Softmax"]
    images = IMAGES.clone().requires_grad_()
    with borrowed(module):
        logits = ruled_logits(model_of(module), images, Ordinary(), steps=steps)
    torch.testing.assert_close(logits, module(IMAGES))


with warnings.catch_warnings(action="ignore"):  # torch.jit is deprecated

    @torch.jit.script
    def scripted_mean(x):
        return x.mean(1, keepdim=True)


UNSEEN = {
    "own function": Add.apply,
    "view": PartOfIt(),
    "complex": lambda x: torch.fft.fft2(x).real,
    "complex weights": lambda x: (x * torch.tensor(1j)).imag,
    "scripted, and linear": lambda x: scripted_mean(x) + x,
}


@pytest.mark.parametrize("act", UNSEEN.values(), ids=UNSEEN)
def test_what_is_not_seen_is_refused(act):
    module = Network(act).eval()
    with pytest.raises(Unruled), borrowed(module):
        ruled_logits(model_of(module), IMAGES.clone().requires_grad_(), Ordinary(), steps=["Relu"])


@pytest.mark.filterwarnings("ignore:`torch.jit")
def test_scripted_code_is_refused():
    module = torch.jit.script(Network(nn.ReLU()).eval())
    with pytest.raises(Unruled, match="Relu"), borrowed(module):
        ruled_logits(model_of(module), IMAGES.clone().requires_grad_(), Ordinary(), steps=[])


def test_a_hook_of_the_network_on_a_gradient_is_no_operation():
    def hooked(values):
        if values.requires_grad:
            values.register_hook(torch.clone)
        return values.relu()

    module = Network(hooked).eval()
    with borrowed(module):
        logits = ruled_logits(
            model_of(module), IMAGES.clone().requires_grad_(), Ordinary(), steps=["Relu"]
        )
    torch.testing.assert_close(logits, module(IMAGES))


def test_code_that_cannot_be_followed_is_a_reason_not_an_error():
    def compute(values):
        if torch.is_grad_enabled() and values.grad_fn.name() != "ConvolutionBackward0":
            raise RuntimeError("only convolutions")
        return values

    model = model_of(Network(compute).eval())
    for rules, reason in ((Ordinary(), None), (Relevance(), "only convolutions")):
        said = no_rule(
            model,
            lambda grey, rules=rules: ruled_logits(
                model, grey.requires_grad_(), rules, steps=STEPS
            ),
        )
        assert said is None if reason is None else reason in said
