"""Rules that change nothing leave logits and gradients as they are, however torch is called."""

import pytest
import timm
import torch
from torch import nn
from torch.nn import functional

from errlens.attribution.operations.calls import ruled
from errlens.attribution.operations.ordinary import Ordinary
from errlens.errors import Unruled

SEEN = torch.randn(2, 4, 6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
CONSTANT = torch.randn(4, 1, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def in_place(x):
    y = x * 2
    y.add_(x)
    y *= CONSTANT
    y.sub_(1)
    functional.relu(y, inplace=True)
    return y


WAYS = {
    "in place": in_place,
    "operators": lambda x: (1 - x) / (2 + x.square()) - 3 / (x.abs() + 1) + x**2 - (-x),
    "constants": lambda x: CONSTANT * x + CONSTANT - x * CONSTANT / 2,
    "products": lambda x: x * x.sigmoid() + torch.matmul(x, x.mT) + x @ x.transpose(2, 3),
    "einsum": lambda x: torch.einsum("bchw,bdhw->bcd", x, x.tanh()),
    "addcmul": lambda x: torch.addcmul(CONSTANT, CONSTANT, x),
    "softmax": lambda x: functional.softmax(x, dim=1) + x.softmax(-1) + torch.softmax(x, 2),
    "layer norm": lambda x: functional.layer_norm(x, (6, 6)),
    "group norm": lambda x: functional.group_norm(x, 2, CONSTANT.flatten(), CONSTANT.flatten()),
    "instance norm": functional.instance_norm,
    "rms norm": lambda x: functional.rms_norm(x, (6,)),
    "normalize": lambda x: functional.normalize(x, dim=1),
    "maximum": lambda x: x.max(dim=1).values.sum() + x.amax(2).sum() + x.max(),
    "max-pooling": lambda x: functional.max_pool2d(x, 3, 2, padding=1),
    "moves": lambda x: torch.cat([*x.chunk(2, dim=1)], dim=1).roll(1, 2).flatten(1).unsqueeze(0),
    "parts": lambda x: x[:, 1:3].relu() + x.unbind(1)[0].unsqueeze(1),
    "attention": lambda x: functional.scaled_dot_product_attention(x, x.relu(), x, is_causal=True),
    "masked attention": lambda x: functional.scaled_dot_product_attention(
        x, x, x, attn_mask=torch.ones(6, 6, dtype=torch.bool).tril(), scale=0.5
    ),
    "shared": lambda x: nn.functional.relu(nn.functional.relu(x - 0.1) - 0.1),
}


@pytest.mark.parametrize("way", WAYS)
def test_however_it_is_called_the_result_and_its_gradient_are_those_of_torch(way):
    plain, followed = (SEEN.clone().requires_grad_() for _ in range(2))
    expected = WAYS[way](plain)
    with ruled(Ordinary()) as calls:
        given = calls.current(WAYS[way](followed))
    torch.testing.assert_close(given, expected)
    weights = torch.randn(expected.shape, dtype=torch.float64)
    gradients = (
        torch.autograd.grad((out * weights).sum(), image)[0]
        for out, image in ((given, followed), (expected, plain))
    )
    torch.testing.assert_close(*gradients)


UNRULED = {
    "fft": lambda x: torch.fft.fft2(x).real,
    "sort": lambda x: x.sort(dim=1).values,
    "part": lambda x: x.clone().masked_fill_(x > 0, 0.0),
    "weights from the image": lambda x: functional.linear(x, x[0, 0]),
    "batch statistics": lambda x: functional.batch_norm(x, None, None, training=True),
    "larger of two": lambda x: torch.max(x, x * 2),
}


@pytest.mark.parametrize("way", UNRULED)
def test_what_has_no_rule_is_refused_in_a_sentence(way):
    with pytest.raises(Unruled, match=" "), ruled(Ordinary()):
        UNRULED[way](SEEN.clone().requires_grad_())


@pytest.mark.parametrize(
    "name", ["test_resnet", "test_vit", "test_efficientnet", "test_convnext", "test_mambaout"]
)
def test_networks_of_timm_are_followed(name):
    module = timm.create_model(name, num_classes=5).eval().double()
    module.requires_grad_(requires_grad=False)
    side = module.default_cfg["input_size"][-1]
    plain, followed = (
        torch.randn(1, 3, side, side, dtype=torch.float64,
                    generator=torch.Generator().manual_seed(0)).requires_grad_()
        for _ in range(2)
    )  # fmt: skip
    expected = module(plain)
    with ruled(Ordinary()):
        logits = module(followed)
    torch.testing.assert_close(logits, expected)
    torch.testing.assert_close(
        *(
            torch.autograd.grad(out[0, 3], image)[0]
            for out, image in ((logits, followed), (expected, plain))
        )
    )


@pytest.mark.parametrize("options", [{}, {"kdim": 8, "vdim": 8}, {"bias": False}])
@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize("mask", [None, torch.ones(5, 5).triu(1).bool(), torch.rand(4, 5, 5)])
def test_attention_of_many_heads_is_followed(options, weights, mask):
    module = nn.MultiheadAttention(8, 2, batch_first=True, **options).eval().double()
    module.requires_grad_(requires_grad=False)
    plain, followed = (
        torch.randn(2, 5, 8, dtype=torch.float64,
                    generator=torch.Generator().manual_seed(0)).requires_grad_()
        for _ in range(2)
    )  # fmt: skip

    def run(x):
        mine = mask if mask is None or mask.dtype == torch.bool else mask.to(x)
        given, seen = module(
            x, x.tanh(), x * 2, need_weights=weights, attn_mask=mine, average_attn_weights=False
        )
        return given.square().sum() + (seen.square().sum() if weights else 0)

    expected = run(plain)
    with ruled(Ordinary()):
        result = run(followed)
    torch.testing.assert_close(result, expected)
    torch.testing.assert_close(
        *(torch.autograd.grad(out, x)[0] for out, x in ((result, followed), (expected, plain)))
    )
