"""Tokens that lie on a grid are found by spots, and known networks of timm are the witness."""

import pytest
import timm
import torch
import torchvision
from torch import nn

from errlens.errors import NoSpatialLayer
from errlens.model.layers.places import SpatialLayer, find_layer

WIDE = (3, 40, 56)  # a grid of 10 x 14


class Hidden(nn.Module):
    """A network that does not say how its tokens lie."""

    def __init__(self, module):
        super().__init__()
        self.inner = module

    def forward(self, images):
        return {"logits": self.inner(images), "images": images}


class Encoder(nn.Module):
    """A transformer as people write it: patches cut out without a convolution, class token last."""

    def __init__(self, *, class_token):
        super().__init__()
        self.embed = nn.Linear(3 * 4 * 4, 24)
        self.token = nn.Parameter(torch.randn(1, 1, 24)) if class_token else None
        layer = nn.TransformerEncoderLayer(
            24, 2, 32, dropout=0.0, batch_first=True, norm_first=True
        )
        self.layers = nn.ModuleList([layer])
        self.drop = nn.Identity()
        self.head = nn.Linear(24, 5)

    def forward(self, images):
        cut = images.unfold(2, 4, 4).unfold(3, 4, 4).permute(0, 2, 3, 1, 4, 5).flatten(3)
        tokens = self.embed(cut.flatten(1, 2))
        if self.token is not None:
            tokens = torch.cat([tokens, self.token.expand(len(tokens), -1, -1)], dim=1)
        tokens = self.drop(tokens)
        for layer in self.layers:
            tokens = layer(tokens)
        return self.head(tokens.mean(dim=1) if self.token is None else tokens[:, -1])


def seeded(make, *arguments, **options):
    torch.manual_seed(0)
    return make(*arguments, **options).eval()


def outputs_of(module, name, images):
    kept = []
    handle = module.get_submodule(name).register_forward_hook(lambda *call: kept.append(call[-1]))
    found = module(images)
    handle.remove()
    return kept[-1], found


def check(module, layer, size):
    """Every place has a say in the scores; a change in a corner changes the map most there."""
    torch.manual_seed(1)
    image = torch.randn(1, *size)
    kept, scores = outputs_of(module, layer.name, image.requires_grad_())
    scores = scores["logits"] if isinstance(scores, dict) else scores
    slopes = layer.as_maps(torch.autograd.grad(scores[0, 1], kept)[0])
    assert slopes.shape[2:] == layer.grid
    assert slopes.abs().sum(dim=1).gt(0).all()
    with torch.no_grad():
        before = layer.as_maps(outputs_of(module, layer.name, image)[0])
        for top, left in ((True, True), (True, False), (False, True), (False, False)):
            other = image.clone()
            rows = slice(0, size[1] // 4) if top else slice(-size[1] // 4, None)
            columns = slice(0, size[2] // 4) if left else slice(-size[2] // 4, None)
            other[:, :, rows, columns] = 4 * torch.randn_like(other[:, :, rows, columns])
            changed = layer.as_maps(outputs_of(module, layer.name, other)[0]) - before
            place = int(changed.abs().sum(dim=(0, 1)).argmax())
            row, column = divmod(place, layer.grid[1])
            assert (row < layer.grid[0] / 2, column < layer.grid[1] / 2) == (top, left)


@pytest.mark.parametrize(
    ("kind", "prefix"),
    [({}, 1), ({"reg_tokens": 4}, 5), ({"class_token": False, "global_pool": "avg"}, 0)],
)
def test_what_is_found_is_what_timm_says(kind, prefix):
    """The same layer too: the last that the class token looks at."""
    inner = seeded(timm.create_model, "test_vit", img_size=WIDE[1:], patch_size=4, **kind)
    told, found = find_layer(inner, WIDE), find_layer(Hidden(inner), WIDE)
    assert told.prefix == prefix
    if kind.get("global_pool") != "avg":
        assert found == told._replace(name=f"inner.{told.name}")
    assert found[1:] == told[1:]
    check(Hidden(inner), found, WIDE)


def test_torchvisions_vision_transformer_has_places():
    module = seeded(torchvision.models.VisionTransformer, 32, 8, 2, 2, 16, 32, num_classes=7)
    nn.init.normal_(module.heads.head.weight)  # zero in a network that was not trained
    layer = find_layer(module, (3, 32, 32))
    assert layer == SpatialLayer("encoder.layers.encoder_layer_1.ln_1", "tokens", (4, 4), 1)
    check(module, layer, (3, 32, 32))


@pytest.mark.parametrize("class_token", [False, True])
def test_patches_may_be_cut_in_any_way_and_the_class_token_come_last(class_token):
    module = seeded(Encoder, class_token=class_token)
    layer = find_layer(module, WIDE)
    assert (layer.layout, layer.grid, layer.prefix) == ("tokens", (10, 14), 0)
    check(module, layer, WIDE)


def test_stages_of_tokens_have_the_grid_of_the_last():
    module = seeded(timm.create_model, "coat_lite_tiny", num_classes=7)
    layer = find_layer(module, (3, 224, 224))
    assert (layer.grid, layer.prefix) == ((7, 7), 1)
    check(module, layer, (3, 224, 224))


class Shuffled(Encoder):
    """Its tokens lie in another order than their patches."""

    def forward(self, images):
        return super().forward(images.transpose(2, 3))


def test_tokens_in_another_order_are_refused():
    module = seeded(Shuffled, class_token=False)
    with pytest.raises(NoSpatialLayer):
        find_layer(module, WIDE)


class Alone(nn.Module):
    """Takes one image at a time."""

    def __init__(self, module):
        super().__init__()
        self.inner = module

    def forward(self, images):
        (image,) = images
        return self.inner(image.unsqueeze(0))


@pytest.mark.parametrize("kind", ["encoder", "resnet"])
def test_a_network_that_takes_one_image_at_a_time_has_places(kind):
    inner = (
        seeded(Encoder, class_token=True)
        if kind == "encoder"
        else seeded(timm.create_model, "test_resnet", num_classes=5)
    )
    module = Alone(inner)
    layer = find_layer(module, WIDE)
    told = find_layer(inner, WIDE)
    assert layer == told._replace(name=f"inner.{told.name}")


class Biased(nn.Module):
    """Computes something of its weights alone, which has as many rows as images are tried."""

    def __init__(self, rows):
        super().__init__()
        self.bias = nn.Parameter(torch.randn(rows, 4, 4))
        self.weigh = nn.Identity()
        self.see = nn.Conv2d(3, 5, 3, padding=1)

    def forward(self, images):
        by_weights = self.weigh(self.bias).sum()
        return self.see(images).mean(dim=(2, 3)) + by_weights


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_what_is_not_of_images_is_no_map_of_tokens(rows):
    layer = find_layer(Biased(rows).eval(), (3, 8, 8), None)
    assert layer.name == "see"
