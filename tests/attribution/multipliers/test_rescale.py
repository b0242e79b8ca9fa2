"""Each rule is complete: what it hands on adds up to the difference from the baseline."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from errlens.attribution.multipliers.baseline import Following, baseline_of
from errlens.attribution.multipliers.rescale import Rescale
from errlens.attribution.operations.calls import ruled
from errlens.errors import Unlike

SHAPE = (2, 4, 6, 6)
WEIGHT = torch.randn(4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
MASK = torch.ones(6, 6, dtype=torch.bool).tril()


def attention(x):
    return functional.scaled_dot_product_attention(x, x * 2, x.flip(-1), attn_mask=MASK)


def excited(x):
    return x * functional.silu(x.mean((2, 3), keepdim=True)).sigmoid()


def in_a_row(x):
    y = functional.relu(x, inplace=True)
    return functional.relu(y - 0.3) + y


RULES = {
    "relu": functional.relu,
    "relu in place": lambda x: functional.relu(x * 1, inplace=True),
    "relu6": functional.relu6,
    "clamp": lambda x: x.clamp(-0.5, 0.7),
    "leaky": functional.leaky_relu,
    "prelu": lambda x: functional.prelu(x, WEIGHT.to(x)),
    "gelu": functional.gelu,
    "silu": functional.silu,
    "mish": functional.mish,
    "hardswish": functional.hardswish,
    "hardsigmoid": functional.hardsigmoid,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "softplus": functional.softplus,
    "elu": functional.elu,
    "power": lambda x: x**3,
    "reciprocal": lambda x: 1 / (x.square() + 1e-3),
    "root": lambda x: (x.abs() + 1e-6).sqrt(),
    "product": lambda x: x * x.roll(1, -1),
    "matmul": lambda x: x @ x.mT,
    "quotient": lambda x: x / (1 + x.abs()),
    "einsum": lambda x: torch.einsum("bchw,bdhw->bcd", x, x.tanh()),
    "attention": attention,
    "squeeze-excite": excited,
    "softmax": lambda x: x.softmax(1),
    "layer norm": lambda x: functional.layer_norm(x, (6, 6)),
    "group norm": lambda x: functional.group_norm(x, 2, WEIGHT.to(x), WEIGHT.to(x)),
    "rms norm": lambda x: functional.rms_norm(x, (6,), eps=1e-6),
    "normalize": lambda x: functional.normalize(x, dim=1),
    "overlapping windows": lambda x: functional.max_pool2d(x, 3, 2, padding=1),
    "windows": lambda x: functional.max_pool2d(x, 2),
    "adaptive windows": lambda x: functional.adaptive_max_pool2d(x, 4),
    "amax": lambda x: x.amax((2, 3)),
    "max": lambda x: x.max(dim=1).values + x.max(),
    "linear": lambda x: (x - x.mean((2, 3), keepdim=True)).roll(1, 2) * 3 + 1,
    "one after another": in_a_row,
}


def handed_on(compute, image, before):
    """Return what is handed on to each place, and by how much the result differs, both weighted."""
    baseline = baseline_of(compute, before)
    leaf = image.clone().requires_grad_()
    following = Following(baseline.calls)
    with ruled(Rescale(following)) as calls:
        result = calls.current(compute(leaf + 0))
    following.end()
    torch.testing.assert_close(result.detach(), compute(image.clone()))
    weights = torch.randn(result.shape, generator=torch.Generator().manual_seed(1)).to(result)
    (slopes,) = torch.autograd.grad((result * weights).sum(), leaf)
    return slopes * (image - before), ((result - baseline.result) * weights).detach().sum()


@st.composite
def pairs(draw):
    """Draw an image and its baseline: of many sizes, with ties, in parts the same or nearly so."""
    random = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    image, before = (
        torch.randn(SHAPE, dtype=torch.float64, generator=random) * draw(st.sampled_from(sizes))
        for sizes in [(0.01, 1, 30)] * 2
    )
    if draw(st.booleans()):
        image, before = image.round(), before.round()
    same = torch.rand(SHAPE, generator=random) < draw(st.sampled_from([0, 0.5, 1]))
    return image, torch.where(same, image + draw(st.sampled_from([0, 1e-15, 1e-8, 1e-3])), before)


@pytest.mark.parametrize("rule", RULES)
@given(pair=pairs())
@settings(max_examples=15, deadline=None)
def test_what_is_handed_on_adds_up(rule, pair):
    parts, difference = handed_on(RULES[rule], *pair)
    assert parts.isfinite().all()
    scale = 1 + parts.abs().sum()
    torch.testing.assert_close(parts.sum(), difference, rtol=0, atol=1e-6 * float(scale))


@pytest.mark.parametrize("rule", RULES)
def test_where_image_and_baseline_are_the_same_the_slope_is_the_derivative(rule):
    image = torch.randn(SHAPE, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    baseline = baseline_of(RULES[rule], image)
    leaf, plain = (image.clone().requires_grad_() for _ in range(2))
    with ruled(Rescale(Following(baseline.calls))) as calls:
        given = calls.current(RULES[rule](leaf + 0))
    slopes = (
        torch.autograd.grad(result.square().sum(), of)[0]
        for result, of in ((given, leaf), (RULES[rule](plain + 0), plain))
    )
    torch.testing.assert_close(*slopes, rtol=1e-6, atol=1e-7)


def test_single_precision_loses_no_more_than_its_own_digits():
    image = torch.randn(SHAPE, generator=torch.Generator().manual_seed(3))
    before = image + 1e-6 * torch.randn(SHAPE, generator=torch.Generator().manual_seed(4))
    for name, compute in RULES.items():
        exact, _ = handed_on(compute, image.double(), before.double())
        parts, _ = handed_on(compute, image, before)
        limit = 1e-2 * float(exact.abs().max())
        torch.testing.assert_close(parts.double(), exact, rtol=0, atol=limit, msg=name)


def test_softmax_of_scores_far_apart_hands_on_no_more_than_there_is():
    """A product of exponentials with one over their sum would hand on some 1e17 each way."""
    image, before = torch.zeros(1, 6), torch.zeros(1, 6)
    image[0, 0], before[0, 1] = 60, -60
    parts, difference = handed_on(lambda x: x.softmax(1), image, before)
    assert float(parts.abs().sum()) < 10
    torch.testing.assert_close(parts.sum(), difference)


def test_where_the_same_place_is_the_largest_it_alone_is_handed_to():
    before = torch.arange(16.0).reshape(1, 1, 4, 4)
    image = before * 1.5
    parts, _ = handed_on(lambda x: functional.max_pool2d(x, 2), image, before)
    places = torch.zeros(4, 4, dtype=torch.bool)
    places[1::2, 1::2] = True
    assert torch.equal(parts[0, 0] != 0, places)


def test_a_rise_goes_to_the_largest_of_the_image_and_a_fall_to_that_of_the_baseline():
    rises, falls = torch.tensor([[1.0, 5.0]]), torch.tensor([[3.0, 1.0]])
    one = torch.randn(1, generator=torch.Generator().manual_seed(1))
    up, _ = handed_on(lambda x: x.amax(1), rises, falls)
    down, _ = handed_on(lambda x: x.amax(1), falls, rises)
    torch.testing.assert_close(up, one * torch.tensor([[0.0, 2.0]]))
    torch.testing.assert_close(down, one * torch.tensor([[0.0, -2.0]]))


def test_one_baseline_serves_many_images_that_are_not_folded():
    before = torch.randn(1, *SHAPE[1:], dtype=torch.float64)
    image = torch.randn(SHAPE, dtype=torch.float64)
    for name in ("gelu", "attention", "layer norm", "overlapping windows", "squeeze-excite"):
        shared, _ = handed_on(RULES[name], image, before)
        each, _ = handed_on(RULES[name], image, before.expand(SHAPE))
        torch.testing.assert_close(shared, each, msg=name)
    folded = nn.Sequential(nn.Flatten(0, 1), nn.ReLU())
    with pytest.raises(Unlike):
        handed_on(folded, image, before)


def asks(x):
    return x.relu() if float(x.detach().sum()) > 0 else x.sigmoid()


def asks_how_often(x):
    for _ in range(2 if float(x.detach().sum()) > 0 else 1):
        x = x.relu()
    return x


@pytest.mark.parametrize("compute", [asks, asks_how_often])
@pytest.mark.parametrize("sign", [1, -1])
def test_what_is_computed_otherwise_for_the_baseline_is_refused(compute, sign):
    with pytest.raises(Unlike, match="black image"):
        handed_on(compute, sign * torch.ones(SHAPE), -sign * torch.ones(SHAPE))
