"""Relevance: shared as the rules say on paper, none of it lost, and within bounds."""

import pytest
import timm
import torch
from torch import nn
from torch.nn import functional

from errlens.attribution.explained_model import borrowed
from errlens.attribution.methods import gradient_x_input, lrp
from errlens.attribution.operations.calls import ruled
from errlens.attribution.operations.following import ruled_logits
from errlens.attribution.relevance.rules import Relevance
from tests.attribution.networks import Patches, explained, model_of, planted, targets

PLAIN = Relevance(gamma=0, dense_gamma=0, epsilon=0)  # LRP-0
INF = float("inf")


def relevance(module, images, wanted, rules):
    with borrowed(module.eval()):
        return lrp.relevance(model_of(module, size=images.shape[1:]), images, wanted, rules)


def noise(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def seeded(make):
    torch.manual_seed(0)
    return make()


def without_biases(module):
    """Take all biases and means out of a network; batch norms keep a scale and a variance."""
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.uniform_(part.weight, 0.5, 1.5)
            nn.init.uniform_(part.running_var, 0.5, 1.5)
            nn.init.zeros_(part.running_mean)
        if getattr(part, "bias", None) is not None:
            nn.init.zeros_(part.bias)
    return module


class Residual(nn.Module):
    """Convolutions, a residual sum, max-pooling and a head, without biases."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.second = nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.head = nn.Linear(4, 3, bias=False)

    def forward(self, images):
        seen = functional.max_pool2d(self.first(images).relu_(), 2)
        seen = seen + functional.relu(self.second(seen))
        return self.head(seen.mean(dim=(2, 3)))


def test_without_gamma_and_epsilon_it_is_gradient_times_input_on_a_network_of_rectifiers():
    module, images = seeded(Residual).double(), noise(2, 3, 8, 8)
    wanted = targets([0, (1, 2)], [1, (0, 1)])
    maps = relevance(module, images, wanted, PLAIN)
    with borrowed(module):
        expected = gradient_x_input.explain(model_of(module), images, wanted, None).values
    torch.testing.assert_close(maps.values, expected, rtol=1e-5, atol=1e-10)
    torch.testing.assert_close(maps.absorbed, torch.zeros(2, 2, dtype=torch.float64))


class Dense(nn.Module):
    """A linear layer of which the relevance of each output can be asked for."""

    def __init__(self, layer, norm=None):
        super().__init__()
        self.layer, self.norm = layer, norm or nn.Identity()

    def forward(self, images):
        return self.norm(self.layer(images)).flatten(1)


def shares(matrix, constant, image, gamma, epsilon=0.0):
    """Return the share of each input, shape (outputs, inputs), by the rule as it is on paper."""
    added = torch.cat([matrix * image, constant[:, None]], dim=1)
    result = added.sum(dim=1, keepdim=True)
    favoured = torch.where(result > 0, added.clamp(min=0), added.clamp(max=0))
    parts = favoured if gamma == INF else added + gamma * favoured
    whole = parts.sum(dim=1, keepdim=True)
    scale = 1 if gamma == INF else 1 + gamma
    return (parts / (whole + scale * epsilon * result.sign()) * result)[:, :-1]


LAYERS = {
    "convolution": lambda: Dense(nn.Conv2d(2, 3, 3, padding=1, stride=2)),
    "transposed": lambda: Dense(nn.ConvTranspose2d(2, 3, 2, stride=2)),
    "without bias": lambda: Dense(nn.Conv2d(2, 2, 3, groups=2, bias=False)),
    "batch norm": lambda: Dense(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3)),
    "batch norm, no bias": lambda: Dense(nn.Conv2d(2, 3, 3, bias=False), nn.BatchNorm2d(3)),
    "batch norm alone": lambda: Dense(nn.Identity(), nn.BatchNorm2d(2)),
    "matrix": lambda: Dense(nn.Sequential(nn.Flatten(), nn.Linear(2 * 4 * 4, 5))),
    "matrix and batch norm": lambda: Dense(
        nn.Sequential(nn.Flatten(), nn.Linear(2 * 4 * 4, 5)), nn.BatchNorm1d(5)
    ),
}


@pytest.mark.parametrize("gamma", [0, 0.25, INF])
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("is_positive", [False, True])
def test_a_layer_shares_as_its_dense_matrix_does_on_paper(layer, gamma, is_positive):
    module = seeded(LAYERS[layer]).double().eval().requires_grad_(requires_grad=False)
    if isinstance(norm := module.norm, nn.BatchNorm1d | nn.BatchNorm2d):
        for values, low in ((norm.weight, -1), (norm.bias, -1), (norm.running_mean, -1),
                            (norm.running_var, 0.5)):  # fmt: skip
            nn.init.uniform_(values, low, 1.5)
    images = noise(2, 2, 4, 4).abs() if is_positive else noise(2, 2, 4, 4)
    flat = images.shape[1:].numel()
    matrix = torch.autograd.functional.jacobian(module, images[:1]).reshape(-1, flat)
    constant = module(torch.zeros_like(images[:1]))[0]
    outputs = len(constant)
    rules = Relevance(gamma=gamma, dense_gamma=gamma, epsilon=1e-3)
    wanted = targets(*[range(outputs)] * 2)
    maps = relevance(module, images, wanted, rules)
    for image, values, absorbed in zip(images, maps.values, maps.absorbed, strict=True):
        expected = shares(matrix, constant, image.flatten(), gamma, 1e-3)
        by_pixel = expected.reshape(outputs, *images.shape[1:]).sum(dim=1)
        torch.testing.assert_close(values, by_pixel, rtol=1e-6, atol=1e-6)
        score = matrix @ image.flatten() + constant
        torch.testing.assert_close(absorbed, score - expected.sum(dim=1), rtol=1e-6, atol=1e-6)


def test_what_is_absorbed_is_what_the_biases_took():
    module = nn.Sequential(nn.Conv2d(1, 1, 1), nn.ReLU(), nn.Flatten(), nn.Linear(2, 1)).double()
    with torch.no_grad():
        module[0].weight.fill_(2)
        module[0].bias.fill_(1)
        module[3].weight.copy_(torch.tensor([[3.0, -1.0]]))
        module[3].bias.fill_(5)
    images = torch.tensor([1.0, 2.0], dtype=torch.float64).reshape(1, 1, 1, 2)
    maps = relevance(module, images, targets([0]), Relevance(gamma=1, epsilon=0))
    # Hidden are 2 + 1 and 4 + 1; the score is 9 - 5 + 5, of which the bias keeps 5. The bias of
    # the first layer keeps a third of 9 and a fifth of -5; all it adds is positive.
    torch.testing.assert_close(
        maps.values[0, 0], torch.tensor([[9 * 2 / 3, -5 * 4 / 5]], dtype=torch.float64)
    )
    torch.testing.assert_close(
        maps.absorbed, torch.tensor([[5 + 9 / 3 - 5 / 5]], dtype=torch.float64)
    )
    assert maps.scores.tolist() == [[9]]


def relevance_at(module, names, images, rules):
    """Return logits, and sums of relevance in what layers give and in the images, of shape (n,)."""
    seen = {}

    def keep(name):
        def hook(_module, _inputs, output):
            if output.requires_grad:  # it is also asked what it gives without rules
                output.retain_grad()
                seen[name] = output

        return hook

    handles = [module.get_submodule(name).register_forward_hook(keep(name)) for name in names]
    with borrowed(module):
        seen["image"] = leaf = images.clone().requires_grad_()
        model = model_of(module, size=images.shape[1:])
        logits = ruled_logits(model, leaf, rules, steps=lrp.STEPS)[:, 1]
        logits.sum().backward()
    for handle in handles:
        handle.remove()
    sums = {name: (each * each.grad).flatten(1).sum(dim=1) for name, each in seen.items()}
    return logits.detach(), {name: each.detach() for name, each in sums.items()}


BLOCKS = {
    "resnet18": ["bn1", "maxpool", "global_pool"]
    + [f"layer{stage}.{block}" for stage in range(1, 5) for block in range(2)],
    "efficientnet_b0": ["bn1", "blocks.1.1", "blocks.3", "blocks.5.2", "global_pool"],
    "mobilenetv3_small_050": ["bn1", "blocks.2", "blocks.4.1"],
    "regnety_002": ["stem", "s2", "s4.b3"],
    "densenet121": ["features.pool0", "features.denseblock2"],
    "convnext_atto": ["stem", "stages.1.blocks.1", "stages.3"],
}


@pytest.mark.parametrize("name", BLOCKS)
@pytest.mark.parametrize("gamma", [0.25, INF])
def test_without_biases_relevance_is_the_logit_in_every_layer(name, gamma):
    module = without_biases(seeded(lambda: timm.create_model(name, num_classes=3)))
    images = noise(2, 3, 64, 64, dtype=torch.float32)
    logits, sums = relevance_at(module, BLOCKS[name], images, Relevance(gamma=gamma))
    assert len(sums) == len(BLOCKS[name]) + 1
    for each in sums.values():
        torch.testing.assert_close(each, logits, rtol=0.01, atol=0)


class Noted(Relevance):
    """The rules, with what softmaxes keep for themselves noted."""

    def softmax(self, image, dim):
        result = super().softmax(image, dim)
        image.retain_grad()
        result.retain_grad()
        softmaxes.append((image, result))
        return result


softmaxes = []


def test_in_a_transformer_softmaxes_alone_keep_relevance():
    module = seeded(lambda: timm.create_model("test_vit", num_classes=3, img_size=32))
    module = without_biases(module).double()
    with torch.no_grad():
        for constant in (module.cls_token, module.pos_embed):
            constant.zero_()
        for block in module.blocks:
            block.attn.qkv.weight.mul_(8)  # so that attention is not the same everywhere
    softmaxes.clear()
    logits, sums = relevance_at(module, [], noise(1, 3, 32, 32), Noted(epsilon=0))
    kept = sum((after * after.grad).sum() - (x * x.grad).sum() for x, after in softmaxes)
    assert len(softmaxes) == len(module.blocks)
    assert abs(kept) > 1e-3 * abs(logits)
    torch.testing.assert_close(sums["image"] + kept.detach(), logits)


def test_relevance_stays_in_bounds_where_branches_cancel():
    module = without_biases(seeded(lambda: timm.create_model("resnet50", num_classes=3)))
    images = noise(1, 3, 64, 64, dtype=torch.float32)
    maps = relevance(module, images, targets([0, 1, 2]), Relevance())
    most = maps.values.abs().sum(dim=(2, 3))
    assert (most < 20 * maps.scores.abs().max()).all()


def slope(function, *values):
    """Return what the rules hand back of a function's sum to each of its inputs, if anything."""
    leaves = [torch.tensor(each, dtype=torch.float64).requires_grad_() for each in values]
    with ruled(Relevance()) as calls:
        result = calls.current(function(*leaves))
    result.sum().backward()
    return [None if each.grad is None else each.grad.tolist() for each in leaves]


def test_an_activation_hands_on_what_it_adds_to_its_value_at_zero():
    (slopes,) = slope(functional.relu6, [-1.0, 3.0, 12.0, 0.0])
    assert slopes == [0, 1, 0.5, 0]
    (slopes,) = slope(functional.gelu, [0.0, 2.0])
    assert slopes == pytest.approx([0.5, 0.5 + torch.special.erf(torch.tensor(2**0.5)).item() / 2])
    (slopes,) = slope(torch.sigmoid, [0.0, 2.0])
    assert slopes == pytest.approx([0.25, (torch.tensor(2.0).sigmoid().item() - 0.5) / 2])


def test_factors_share_equally_and_a_gate_takes_nothing():
    assert slope(torch.mul, [3.0], [5.0]) == [[2.5], [1.5]]
    gate = lambda x, u: x * u.sigmoid().view(1, 1).expand(2, 1)  # noqa: E731
    assert slope(gate, [3.0], [0.0]) == [[1.0], None]
    (slopes,) = slope(lambda x: 2 * torch.sigmoid(x) * x, [1.0])
    assert slopes == pytest.approx([2 * torch.tensor(1.0).sigmoid().item()])


def test_what_norms_and_quotients_divide_by_is_held_constant():
    (slopes,) = slope(lambda x: functional.layer_norm(x, (2,), eps=0.0)[0], [1.0, 3.0])
    assert slopes == pytest.approx([0.5, -0.5])
    assert slope(lambda x: x / x.square().mean().sqrt(), [2.0, 2.0]) == [[0.5, 0.5]]


class Own(torch.autograd.Function):
    @staticmethod
    def forward(_ctx, images):
        return images.clone()

    @staticmethod
    def backward(_ctx, slopes):
        return slopes


UNRULED = {
    "log": lambda images: images.abs().log(),
    "fft": lambda images: torch.fft.fft2(images).real,
    "somebody's own": Own.apply,
}


@pytest.mark.parametrize("what", UNRULED)
def test_a_network_without_a_rule_for_all_of_it_is_refused(what):
    class Odd(Patches):
        def forward(self, images):
            return super().forward(UNRULED[what](images))

    assert len(lrp.unsupported(model_of(Odd())).split()) > 3


def test_a_map_and_what_was_absorbed_add_up_to_the_score():
    images, _, _ = planted(3)
    maps = explained(lrp, Patches(), images, targets([0, (1, 2)], [1, (0, 1)], [2, (0, 3)]))
    torch.testing.assert_close(maps.values.sum(dim=(2, 3)) + maps.absorbed, maps.scores)
    assert maps.gaps is None
