"""Channels are silenced as if their weights were gone, and nothing is left in the network."""

from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from torch import nn

from errlens.attribution.explained_model import borrowed
from errlens.classes.names import ClassNames
from errlens.data.photos.loading import load_input
from errlens.data.photos.preprocess import Preprocessing
from errlens.errors import UserCodeFailed
from errlens.model.asking.hiding import AskedImage
from errlens.model.classifier import Classifier, Interface, stack
from errlens.model.layers.places import find_layer
from errlens.model.networks.loading import Network
from errlens.network.channels.firing import channel_maps, read_firing
from errlens.network.channels.silencing import predict_silenced, silencing
from tests.conftest import paint

SIZE = (3, 32, 32)
IMAGES = torch.randn(3, *SIZE, generator=torch.Generator().manual_seed(1))


class Shortcut(nn.Module):
    """A network in which what comes before a layer is used again after it."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, padding=1)
        self.inner = nn.Conv2d(6, 6, 3, padding=1)
        self.act = nn.ReLU(inplace=True)
        self.head = nn.Linear(6, 3)

    def forward(self, images):
        stem = self.stem(images)
        return self.head((stem + self.act(self.inner(stem))).mean(dim=(2, 3)))


class Twice(Shortcut):
    """A network of which a layer runs twice."""

    def forward(self, images):
        stem = self.act(self.stem(images))
        return self.head(self.act(self.inner(self.act(self.inner(stem)))).mean(dim=(2, 3)))


def seeded(make):
    torch.manual_seed(0)
    module = make()
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):  # timm's end at zero to begin with
            nn.init.normal_(part.weight)
    return module.eval()


def state(module):
    hooks = [len(part._forward_hooks) + len(part._forward_pre_hooks) for part in module.modules()]
    flags = [weight.requires_grad for weight in module.parameters()]
    return hooks, flags, [part.training for part in module.modules()]


def classifier(module, classes=("blue", "green", "red")):
    """Return a classifier of a network, which is fed 32 x 32 pixels."""
    preparation = Preprocessing(
        img_size=SIZE[1:], crop_pct=1.0, crop_mode="squash", interpolation="bilinear",
        mean=(0.5,) * 3, std=(0.5,) * 3,
    )  # fmt: skip
    network = Network(module, "own", {}, {})
    interface = Interface(pixels=32 * 32, outputs=len(classes), features=0, head=None)
    return Classifier(network, preparation, ClassNames(classes), torch.device("cpu"), interface)


@pytest.fixture
def photos(tmp_path):
    """Nine photos, of which one is gone and one is another one now."""
    paths = [paint(tmp_path / f"{n}.png", "red", seed=n) for n in range(9)]
    asked = [AskedImage(path, None) for path in paths]
    paths[4].unlink()
    asked[6] = asked[6]._replace(content_hash=bytes(16))
    return asked


def test_a_silent_channel_is_one_whose_weights_are_gone():
    module = seeded(lambda: timm.create_model("test_resnet", num_classes=5))
    layer = find_layer(module, SIZE, "layer2.0.conv1")
    values = np.zeros(layer_width(module, layer), np.float32)
    with silencing(module, layer, values) as silence, silence([[3]]), torch.no_grad():
        hooked = module(IMAGES)
    assert not torch.allclose(hooked, module(IMAGES))
    with torch.no_grad():
        module.get_submodule(layer.name).weight[3] = 0
        torch.testing.assert_close(hooked, module(IMAGES))


def layer_width(module, layer):
    return module.get_submodule(layer.name).out_channels


@pytest.mark.parametrize("name", ["layer3", "layer1"])
def test_several_variants_at_once_give_the_scores_of_each(name):
    module = seeded(lambda: timm.create_model("test_resnet", num_classes=5))
    layer = find_layer(module, SIZE, name)
    values = np.linspace(0, 1, 128, dtype=np.float32)
    variants = [(), (0,), (1, 5)]
    with silencing(module, layer, values) as silence, torch.no_grad():
        with silence(variants):
            together = module(IMAGES)
        for at, each in enumerate(variants):
            with silence([each]):
                torch.testing.assert_close(together[3 * at : 3 * at + 3], module(IMAGES))
    torch.testing.assert_close(together[:3], module(IMAGES))


@pytest.mark.parametrize(
    ("make", "layer"),
    [
        (Shortcut, "inner"),
        (Twice, "inner"),
        (lambda: timm.create_model("test_vit", num_classes=3, img_size=32), "blocks.1"),
        (lambda: timm.create_model("test_convnext", num_classes=3), "stages.1"),
    ],
)
def test_answers_are_those_of_each_variant_by_itself(make, layer, photos):
    module = seeded(make)
    asked = classifier(module)
    spatial = find_layer(module, SIZE, layer)
    fired = read_firing(asked, spatial, photos)
    values = fired.firing.silent + 1  # any value
    variants = [(0,), (1,), (0, 2)]
    before = state(module)
    answers = predict_silenced(asked, spatial, photos, variants, values=values)
    assert state(module) == before
    assert answers.at.tolist() == fired.at.tolist() == [0, 1, 2, 3, 5, 7, 8]
    for at, each in enumerate(variants):
        alone = predict_silenced(asked, spatial, photos, [each], values=values, workers=1)
        assert alone.now[:, 0].tolist() == answers.now[:, at].tolist()
        assert alone.as_it_is.tolist() == answers.as_it_is.tolist() == fired.pred.tolist()


def test_firing_is_the_largest_and_the_mean_of_what_the_layer_puts_out(photos):
    module = seeded(lambda: timm.create_model("test_resnet", num_classes=3))
    asked = classifier(module)
    layer = find_layer(module, SIZE, "layer3.0.bn1")  # what follows works in place
    firing = read_firing(asked, layer, photos, workers=2).firing
    kept = []
    batch = torch.stack([torch.zeros(SIZE)])
    with borrowed(module):
        handle = module.get_submodule(layer.name).register_forward_hook(
            lambda _layer, _inputs, output: kept.append(output.clone())
        )
        maps = channel_maps(asked, layer, batch, [2, 0])
        handle.remove()
    np.testing.assert_array_equal(maps[0, 0], kept[0][0, 2].numpy())
    assert firing.lowest < 0
    assert firing.largest.shape == firing.mean.shape == firing.place.shape == (7, 48)
    assert (firing.largest >= firing.mean).all()
    assert firing.place.max() < layer.grid[0] * layer.grid[1]


def test_a_channel_at_its_place(photos):
    class Bright(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 1, 1)
            nn.init.ones_(self.conv.weight)
            nn.init.zeros_(self.conv.bias)

        def forward(self, images):
            return torch.cat([self.conv(images).mean(dim=(2, 3)), images.mean(dim=(2, 3))], dim=1)

    asked = classifier(Bright().eval(), ("a", "b", "c", "d"))
    layer = find_layer(asked.network.module, SIZE, "conv")
    fired = read_firing(asked, layer, photos[:1])
    loaded = load_input(Path(photos[0].path), asked.preparation)
    total = stack([loaded.value], asked.preparation, asked.device)[0].sum(dim=0)
    assert fired.firing.place[0, 0] == int(total.argmax())
    assert fired.firing.largest[0, 0] == pytest.approx(float(total.max()), rel=1e-5)
    assert fired.firing.mean[0, 0] == pytest.approx(float(total.mean()), abs=1e-5)


def test_nothing_is_left_behind_where_the_network_raises(photos):
    module = seeded(Shortcut)
    asked = classifier(module)
    layer = find_layer(module, SIZE, "inner")
    before = state(module)
    module.head = nn.Linear(5, 3)
    with pytest.raises(UserCodeFailed):
        predict_silenced(asked, layer, photos, [(0,)], values=np.zeros(6, np.float32))
    assert state(module)[0] == before[0]


def test_images_that_are_all_gone_give_no_answers(photos):
    module = seeded(Shortcut)
    layer = find_layer(module, SIZE, "inner")
    gone = [photos[4], photos[6]]
    values = np.zeros(6, np.float32)
    answers = predict_silenced(classifier(module), layer, gone, [(0,), (1,)], values=values)
    assert (len(answers.at), answers.now.shape) == (0, (0, 2))
    assert not len(read_firing(classifier(module), layer, gone).at)
