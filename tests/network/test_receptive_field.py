import pytest
import timm
import torch
import torchvision
from torch import nn
from torch.nn import functional

from errlens.model.layers.places import SpatialLayer
from errlens.network.reach import reach
from errlens.network.receptive_field import receptive_fields


def field_of(module, size, name):
    return receptive_fields(module, size).fields[name]


def gradient_box(module, layer, size, unit):
    """Where the gradient of a unit is, of the network with all weights positive."""
    with torch.no_grad():
        for weight in module.parameters():
            weight.abs_().add_(1e-3)
        for part in module.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.running_mean.zero_()
            for name, child in [*part.named_children()]:
                if isinstance(child, nn.MaxPool2d):  # whose gradient goes to one pixel alone
                    k, s, p = child.kernel_size, child.stride, child.padding
                    setattr(part, name, nn.AvgPool2d(k, s, p))
    kept = []
    handle = module.get_submodule(layer).register_forward_hook(
        lambda _layer, _inputs, output: kept.append(output)
    )
    image = torch.ones(1, *size, dtype=torch.float64, requires_grad=True)
    module.double().eval()(image)
    handle.remove()
    (slope,) = torch.autograd.grad(kept[0][0, :, unit[0], unit[1]].sum(), image)
    rows, columns = slope[0].abs().sum(dim=0).nonzero().T
    return (
        int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1
    )  # fmt: skip


@pytest.mark.parametrize(
    ("layer", "size"), [("layer1", 43), ("layer2", 99), ("layer3", 211), ("layer4", 435)]
)
def test_resnet18_sees_what_it_is_known_to_see(layer, size):
    field = field_of(timm.create_model("resnet18").eval(), (3, 224, 224), layer)
    assert field.size == (size, size)
    assert not field.whole


@pytest.mark.parametrize(
    ("name", "layer", "unit"),
    [
        ("resnet18", "layer2", (14, 13)),
        ("test_resnet", "layer3", (5, 4)),
        ("vgg11", "features.10", (9, 12)),
    ],
)
def test_a_box_is_that_of_the_gradient_with_all_weights_positive(name, layer, unit):
    module = timm.create_model(name).eval()
    size = module.pretrained_cfg["input_size"]
    box = field_of(module, size, layer).box(*unit)
    assert box == gradient_box(module, layer, size, unit)


def test_a_stride_may_leave_out_the_last_pixels_of_an_image():
    """Units at the border of a map do not reach that of the image then."""
    layers = [nn.Conv2d(3, 4, 3, stride=2)]
    layers += [nn.Conv2d(4, 4, 3, padding=1) for _ in range(3)]
    module = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)).eval()
    size = (3, 40, 36)
    field = field_of(module, size, "3")
    assert field.regular
    assert (field.size, field.stride, field.offset) == ((15, 15), (2, 2), (-6, -6))
    assert field.box(9, 8) == gradient_box(module, "3", size, (9, 8))


@pytest.mark.parametrize(
    ("name", "size", "layer", "sees"),
    [("alexnet", 224, "features.12", 195), ("inception_v3", 299, "Mixed_7c", 1311)],
)
def test_networks_see_what_araujo_and_others_tell(name, size, layer, sees):
    options = {"init_weights": False} if name == "inception_v3" else {}
    module = getattr(torchvision.models, name)(weights=None, **options).eval()
    field = field_of(module, (3, size, size), layer)
    assert (field.size, field.regular) == ((sees, sees), True)
    assert field.stride == (32, 32)


def test_noise_outside_the_box_leaves_a_unit_as_it_is():
    torch.manual_seed(0)
    module, size = timm.create_model("resnet18").eval(), (3, 224, 224)
    top, left, bottom, right = field_of(module, size, "layer2").box(14, 13)
    kept = []
    module.layer2.register_forward_hook(lambda _l, _i, output: kept.append(output.clone()))
    image = torch.rand(1, *size)
    noisy = torch.rand(1, *size)
    noisy[..., top:bottom, left:right] = image[..., top:bottom, left:right]
    with torch.no_grad():
        module(image), module(noisy)
    assert torch.equal(kept[0][..., 14, 13], kept[1][..., 14, 13])
    assert not torch.equal(kept[0], kept[1])


def test_a_unit_behind_attention_or_a_gate_sees_the_whole_image():
    for name, layer, before in (
        ("test_vit", "blocks.0", "patch_embed"),
        ("mobilenetv3_small_050", "blocks.1", "conv_stem"),
    ):
        module = timm.create_model(name).eval()
        size = module.pretrained_cfg["input_size"]
        assert field_of(module, size, layer).whole
        assert not field_of(module, size, before).whole


def test_kernels_need_not_be_square_and_places_may_lie_in_any_axis():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.tall = nn.Conv2d(3, 4, (5, 1), stride=(1, 2), padding=(2, 0))
            self.norm = nn.LayerNorm(4)
            self.up = nn.ConvTranspose2d(4, 2, 2, stride=2)

        def forward(self, images):
            maps = self.norm(self.tall(images).permute(0, 2, 3, 1))
            return self.up(maps.permute(0, 3, 1, 2)).mean(dim=(2, 3))

    module = Odd().eval()
    maps = {"norm": SpatialLayer("norm", "NHWC", (20, 12))}
    field = receptive_fields(module, (3, 20, 24), maps).fields["norm"]
    assert (field.size, field.stride, field.offset) == ((5, 1), (1, 2), (-2, 0))
    up = field_of(module, (3, 20, 24), "up")
    assert (up.size, up.regular) == ((5, 1), False)


def test_what_nobody_knows_is_said_and_the_network_is_left_alone():
    class Strange(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Conv2d(3, 4, 3)
            self.second = nn.Conv2d(4, 4, 3)

        def forward(self, images):
            return self.second(self.first(images).sort(dim=2).values).mean(dim=(2, 3))

    module = Strange().train()
    seen = receptive_fields(module, (3, 16, 16))
    assert seen.fields["first"].size == (3, 3)
    assert "second" not in seen.fields
    assert seen.why_none == "the network computes sort"
    assert module.training
    assert not any(part._forward_hooks for part in module.modules())


class Padded(nn.Module):
    """Pads rows and columns unevenly, and then with channels that depend on nothing."""

    def __init__(self):
        super().__init__()
        self.one = nn.Conv2d(3, 4, 3, stride=2)
        self.two = nn.Conv2d(6, 6, 3, groups=6)

    def forward(self, images):
        maps = self.one(functional.pad(images, (0, 1, 2, 0)))
        return self.two(functional.pad(maps, (1, 1, 1, 1, 0, 2)))[:, :5].mean(dim=(2, 3))


def test_padding_moves_what_is_seen_and_what_channels_share_stays_shared():
    module, size = Padded().eval(), (3, 25, 24)
    assert field_of(module, size, "one").box(2, 3) == gradient_box(module, "one", size, (2, 3))
    module = module.float()
    maps = {"two": SpatialLayer("two", "NCHW", (13, 12))}
    field = receptive_fields(module, size, maps).fields["two"]
    assert field.box(4, 5) == gradient_box(module, "two", size, (4, 5))
    with reach() as mode:
        rows = torch.arange(8.0).reshape(8, 1).expand(8, 8)
        padded = functional.pad(mode.watch(rows.expand(1, 64, 8, 8)), (1, 2, 3, 4))
        values = mode.of(padded)
    assert values.stride(1) == 0
    expected = functional.pad(rows.expand(1, 64, 8, 8), (1, 2, 3, 4), value=-torch.inf)
    assert torch.equal(values, expected)
