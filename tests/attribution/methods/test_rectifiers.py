"""Guided backpropagation and deconvnet against captum and paper, and where they refuse."""

import captum.attr
import pytest
import timm
import torch
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from errlens.attribution.explained_model import borrowed
from errlens.attribution.methods import (
    deconvnet,
    gradient,
    guided_backprop,
    load_method,
    method_names,
)
from errlens.attribution.operations.rectifiers import rectified_gradients
from errlens.errors import Unruled
from tests.attribution.networks import CLASSES, SIDE, explained, model_of, targets

# torch says that it will do without scripts one day.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit")

METHODS = {"guided-backprop": guided_backprop, "deconvnet": deconvnet}
CAPTUMS = {
    guided_backprop: captum.attr.GuidedBackprop,
    deconvnet: captum.attr.Deconvolution,
}


@pytest.fixture(params=METHODS.values(), ids=METHODS)
def method(request):
    return request.param


class Net(nn.Module):
    """Convolutions, batch norm, overlapping max pooling, a sum and a head, with an activation."""

    def __init__(self, act=functional.relu, *, head_act=None):
        super().__init__()
        torch.manual_seed(0)
        self.act = act
        self.head_act = head_act or act
        self.see = nn.Conv2d(3, 6, 3, padding=1)
        self.norm = nn.BatchNorm2d(6)
        self.deep = nn.Conv2d(6, 6, 3, padding=1)
        self.first = nn.Linear(6, 8)
        self.head = nn.Linear(8, CLASSES)
        with torch.no_grad():
            self.norm.running_mean.normal_()
            self.norm.bias.normal_()

    def forward(self, images):
        seen = self.act(self.norm(self.see(images)))
        seen = functional.max_pool2d(seen, 3, stride=2, padding=1)
        seen = self.act(self.deep(seen) + seen)
        return self.head(self.head_act(self.first(seen.mean(dim=(2, 3)))))


class Modules(Net):
    """The same with a module for each activation, as captum needs it."""

    def __init__(self):
        super().__init__()
        self.acts = nn.ModuleList([nn.ReLU(), nn.ReLU(), nn.ReLU()])

    def forward(self, images):
        acts = iter(self.acts)

        def each(values):
            return next(acts)(values)

        self.act = self.head_act = each
        return super().forward(images)


def in_a_script(values):
    return torch.jit.script(relu)(values)


def in_a_trace(values):
    return torch.jit.trace(relu, values.detach())(values)


def relu(values):
    return values.relu()


class OwnReLU(nn.ReLU):
    def forward(self, values):
        return values.clamp(min=self.lowest())

    def lowest(self):
        return 0.0


# Whatever is the same as a ReLU: of what these networks see nothing comes near 1e6.
RELUS = {
    "module": nn.ReLU(),
    "in place": nn.ReLU(inplace=True),
    "function": functional.relu,
    "function in place": functional.relu_,
    "method": torch.Tensor.relu,
    "method in place": torch.Tensor.relu_,
    "hardtanh": nn.Hardtanh(0, 1e6),
    "hardtanh in place": nn.Hardtanh(0, 1e6, inplace=True),
    "clamp": lambda x: x.clamp(min=0),
    "clamp in place": lambda x: x.clamp_(min=0),
    "clamp on both sides": lambda x: torch.clamp(x, 0, 1e6),
    "clamp by a tensor": lambda x: x.clamp(min=torch.zeros((), dtype=x.dtype)),
    "clamp_min": lambda x: torch.clamp_min(x, 0.0),
    "clip": lambda x: x.clip(0, None),
    "threshold": nn.Threshold(0, 0),
    "threshold in place": nn.Threshold(0, 0, inplace=True),
    "leaky without a leak": nn.LeakyReLU(0.0),
    "maximum": lambda x: torch.maximum(torch.zeros_like(x), x),
    "subclass": OwnReLU(),
    "scripted": in_a_script,
    "traced": in_a_trace,
    "computed anew": lambda x: checkpoint(functional.relu, x, use_reentrant=False),
}


def photos(n=3):
    return torch.randn(n, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1)).double()


WANTED = targets([0], [3], [1])
LABEL = torch.tensor([0, 3, 1])


@pytest.fixture(scope="module")
def captums():
    """Return the maps of captum."""
    return {
        method: kind(Modules().double().eval())
        .attribute(photos().requires_grad_(), target=LABEL)
        .detach()
        .sum(dim=1)
        for method, kind in CAPTUMS.items()
    }


@pytest.mark.filterwarnings("ignore:Setting backward hooks on ReLU")
@pytest.mark.parametrize("act", RELUS.values(), ids=RELUS)
def test_maps_are_captums_however_the_network_rectifies(method, act, captums):
    values = explained(method, Net(act).double(), photos(), WANTED).values[:, 0]
    expected = captums[method]
    torch.testing.assert_close(values, expected, rtol=0, atol=1e-6 * float(expected.abs().max()))
    plain = explained(gradient, Net(act).double(), photos(), WANTED).values[:, 0]
    assert not torch.allclose(values, plain, atol=1e-3 * float(plain.abs().max()))


@pytest.mark.filterwarnings("ignore:Setting backward hooks on ReLU")
def test_a_resnet_of_timm_is_captums_with_its_rectifiers_in_place(method):
    torch.manual_seed(0)
    module = timm.create_model("test_resnet", num_classes=CLASSES).double().eval()
    ours = explained(method, module, photos(), WANTED).values[:, 0]
    assert any(part.inplace for part in module.modules() if isinstance(part, nn.ReLU))
    for part in module.modules():
        if isinstance(part, nn.ReLU):
            part.inplace = False
    theirs = CAPTUMS[method](module).attribute(photos().requires_grad_(), target=LABEL)
    theirs = theirs.detach().sum(dim=1)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6 * float(theirs.abs().max()))


@pytest.mark.parametrize("limit", [0.5, 6.0])
def test_above_an_upper_limit_guided_backprop_passes_nothing_and_deconvnet_all(limit):
    class Line(nn.Module):
        """Scores that weigh each pixel, rectified."""

        def forward(self, images):
            seen = functional.hardtanh(20 * images[:, 0], 0.0, limit)
            weights = torch.linspace(-1, 1, SIDE).to(images)
            score = (seen * weights).sum(dim=(1, 2))
            return torch.stack([score, -score], dim=1)

    images = photos(1)
    weights = torch.linspace(-1, 1, SIDE).double().clamp(min=0).expand(SIDE, SIDE)
    between = (20 * images[0, 0] > 0) & (20 * images[0, 0] < limit)
    assert 0 < between.sum() < between.numel()
    ours = {
        method: explained(method, Line(), images, targets([0])).values[0, 0]
        for method in METHODS.values()
    }
    torch.testing.assert_close(ours[guided_backprop], 20 * weights * between)
    torch.testing.assert_close(ours[deconvnet], 20 * weights)


class Pooled(nn.Module):
    """Overlapping max pooling over what is rectified, and a weight for each place."""

    def __init__(self):
        super().__init__()
        random = torch.Generator().manual_seed(2)
        self.weights = torch.randn(11, 11, generator=random).double()

    def forward(self, images):
        seen = functional.max_pool2d(functional.relu(images[:, :1]), 3, stride=2)
        score = (seen[:, 0] * self.weights).sum(dim=(1, 2))
        return torch.stack([score, -score], dim=1)


def test_what_overlapping_windows_send_to_one_place_is_added_up():
    images, module = photos(1), Pooled()
    windows = functional.unfold(images[:, :1].clamp(min=0), 3, stride=2)[0]  # (9, 121)
    place = windows.argmax(dim=0)
    row, column = torch.meshgrid(torch.arange(11), torch.arange(11), indexing="ij")
    y, x = 2 * row.flatten() + place // 3, 2 * column.flatten() + place % 3
    unpooled = torch.zeros(SIDE * SIDE).double()
    unpooled.index_add_(0, y * SIDE + x, module.weights.flatten())
    assert len(set((y * SIDE + x).tolist())) < 121  # some places are the largest of several
    expected = unpooled.reshape(SIDE, SIDE).clamp(min=0)
    for method in METHODS.values():
        values = explained(method, module, images, targets([0])).values[0, 0]
        torch.testing.assert_close(values, expected)


def test_rules_are_gone_with_the_map(method):
    module, images = Net(nn.ReLU()).double().eval(), photos()
    before = explained(gradient, module, images, WANTED).values
    explained(method, module, images, WANTED)
    with pytest.raises((IndexError, RuntimeError)):
        explained(method, module, images, targets([0], [99], [0]))
    assert torch.equal(explained(gradient, module, images, WANTED).values, before)


def scripted(module):
    return torch.jit.script(module.eval())


class Relu(nn.Module):
    """What scripts can read."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.see = nn.Conv2d(3, 6, 3, padding=1)
        self.deep = nn.Conv2d(6, CLASSES, 3, padding=1)

    def forward(self, images):
        seen = functional.max_pool2d(functional.relu_(self.see(images)), 3, 2)
        return functional.relu6(self.deep(seen)).mean(dim=(2, 3))


@pytest.mark.parametrize(
    "make", [scripted, lambda module: torch.jit.freeze(scripted(module))], ids=["plain", "frozen"]
)
def test_scripted_networks_are_explained_however_often_they_ran(method, make):
    expected = explained(method, Relu(), photos().float(), WANTED).values
    module = make(Relu())
    with torch.no_grad():
        for _ in range(3):  # which lets torch optimise it
            module(photos().float())
    for _ in range(3):
        values = explained(method, module, photos().float(), WANTED).values
        torch.testing.assert_close(values, expected)


def test_what_torch_had_optimised_before_is_refused(method):
    class Another(Relu):
        """Of a class of its own, for those of one class share what is optimised."""

    module = scripted(Another())
    image = torch.zeros(1, 3, SIDE, SIDE).requires_grad_()
    with borrowed(module):
        for _ in range(3):
            module(image).sum().backward()
    assert "computes DifferentiableGraph" in load(method).unsupported(model_of(module))


def load(method):
    return load_method(next(name for name, module in METHODS.items() if module is method))


class Own(torch.autograd.Function):
    @staticmethod
    def forward(_ctx, values):
        return values.clamp(min=0)

    @staticmethod
    def backward(_ctx, slope):
        return slope


class SqueezeExcite(nn.Module):
    """Gates of the channels, with a rectifier where there are no places."""

    def __init__(self, *, flat):
        super().__init__()
        self.flat = flat
        self.one, self.two = nn.Conv2d(6, 3, 1), nn.Conv2d(3, 6, 1)

    def forward(self, values):
        pooled = values.mean(dim=(2, 3), keepdim=True)
        small = self.one(pooled)
        small = functional.relu(small.flatten(1))[:, :, None, None] if self.flat else small.relu()
        return functional.silu(values) * self.two(small).sigmoid()


def in_a_view(values):
    values = values + 0
    values[:, :3].relu_()
    return values


REFUSED = {
    "gelu": (Net(nn.GELU()), "no rectifier (ReLU"),
    "silu": (Net(nn.SiLU(inplace=True)), "no rectifier (ReLU"),
    "tanh": (Net(torch.tanh), "no rectifier (ReLU"),
    "leaky": (Net(nn.LeakyReLU(0.1)), "no rectifier (ReLU"),
    "clamp elsewhere": (Net(lambda x: x.clamp(min=0.5)), "no rectifier (ReLU"),
    "hardtanh of both signs": (Net(nn.Hardtanh()), "no rectifier (ReLU"),
    "in the head": (Net(nn.GELU(), head_act=nn.ReLU()), "only where those are pooled away"),
    "squeeze-excite": (Net(SqueezeExcite(flat=False), head_act=nn.SiLU()), "only where those"),
    "flat squeeze-excite": (Net(SqueezeExcite(flat=True), head_act=nn.SiLU()), "only where those"),
    "own function": (Net(Own.apply), "computes OwnBackward"),
    "own function beside rectifiers": (Net(Own.apply, head_act=nn.ReLU()), "OwnBackward"),
    "masked": (Net(lambda x: x * (x > 0)), "a product with zeros and ones"),
    "chosen": (Net(lambda x: torch.where(x > 0, x, 0.0)), "computes Where"),
    "filled": (Net(lambda x: x.masked_fill(x < 0, 0.0)), "computes MaskedFill"),
    "part in place": (Net(in_a_view), "computes CopySlices"),
    "hidden by a checkpoint": (
        Net(lambda x: checkpoint(functional.relu, x, use_reentrant=True)),
        "use_reentrant=True",
    ),
}


@pytest.mark.filterwarnings("ignore:.*requires_grad")
@pytest.mark.parametrize(("module", "reason"), REFUSED.values(), ids=REFUSED)
def test_networks_that_do_not_rectify_their_maps_are_refused(method, module, reason):
    assert reason in load(method).unsupported(model_of(module.eval()))
    with pytest.raises(Unruled), borrowed(module):
        rectified_gradients(model_of(module), photos().float(), WANTED, lambda passed, _: passed)


TIMM = {
    "test_resnet": True,
    "test_mobilenetv3" if timm.is_model("test_mobilenetv3") else "mobilenetv2_050": True,
    "test_vit": False,
    "test_convnext": False,
    "test_efficientnet": False,
}


@pytest.mark.parametrize(("name", "fits"), TIMM.items())
def test_networks_of_timm_are_known_by_what_they_compute(name, fits):
    module = timm.create_model(name, num_classes=CLASSES).eval()
    size = (3, *module.pretrained_cfg["input_size"][1:]) if "vit" in name else (3, 64, 64)
    reason = load_method("guided-backprop").unsupported(model_of(module, size=size))
    assert (reason is None) == fits


def test_deconvnet_of_a_network_without_switches_would_be_the_same_for_every_image():
    class Plain(nn.Module):
        def forward(self, images):
            return functional.relu6(images).mean(dim=(2, 3))

    model = model_of(Plain())
    assert "same for every image" in load_method("deconvnet").unsupported(model)
    assert load_method("guided-backprop").unsupported(model) is None
    one, other = explained(deconvnet, Plain(), photos(2), targets([0], [0])).values
    assert torch.equal(one, other)


def test_a_product_with_what_the_image_says_is_enough_for_deconvnet():
    class Gated(nn.Module):
        def forward(self, images):
            seen = functional.relu(images)
            return (seen * functional.relu6(seen.mean(dim=(2, 3), keepdim=True))).mean(dim=(2, 3))

    assert load_method("deconvnet").unsupported(model_of(Gated())) is None


def test_a_network_is_asked_once_for_a_reason():
    ran = []

    class Counted(Net):
        def forward(self, images):
            ran.append(len(images))
            return super().forward(images)

    model = model_of(Counted(nn.ReLU()).eval())
    for _ in range(3):
        assert [load_method(name).unsupported(model) for name in method_names()]
    once = len(ran)
    assert [load_method(name).unsupported(model) for name in method_names()]
    assert len(ran) == once
