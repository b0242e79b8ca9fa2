import numpy as np
import pytest
import timm
import torch
from torch import nn

from errlens.model.layers.places import find_layer
from errlens.network.activations.first_layer import filter_table, first_filters, preferred

SIZE = (3, 32, 32)


def edge(colour, side, size=5):
    """A filter that is one colour on one side of its middle and the opposite on the other."""
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    return np.multiply.outer(np.array(colour, float), np.sign(side[0] * x + side[1] * y))


@pytest.mark.parametrize(
    ("colour", "side", "words"),
    [
        ((1, 1, 1), (-1, 0), "light left, dark right"),
        ((-1, -1, -1), (-1, 0), "light right, dark left"),
        ((1, 1, 1), (0, 1), "light below, dark above"),
        ((1, 1, 1), (1, -1), "light upper right, dark lower left"),
        ((1, 0.2, -1), (0, -1), "orange above, blue below"),
    ],
)
def test_an_edge_is_told_with_its_polarity(colour, side, words):
    found = preferred(edge(colour, side))
    assert found.edge_words == words
    assert found.colour_words == ""
    assert found.edge_share == pytest.approx(1)


@pytest.mark.parametrize(
    ("colour", "name"),
    [
        ((1, 1, 1), "light"), ((-1, -1, -1), "dark"), ((1, -1, -1), "red"), ((-1, 1, -1), "green"),
        ((-1, -1, 1), "blue"), ((1, 1, -1), "yellow"), ((1, -1, 1), "purple"), ((-1, 1, 1), "cyan"),
    ],
)  # fmt: skip
def test_an_even_colour_is_told(colour, name):
    found = preferred(np.multiply.outer(np.array(colour, float), np.ones((3, 3))))
    assert (found.colour_words, found.edge_words) == (name, "")
    assert found.colour == colour
    assert found.colour_share == pytest.approx(1)


def test_a_filter_answers_most_to_what_it_is_said_to_prefer():
    rng = np.random.default_rng(0)
    for weights in rng.normal(size=(20, 3, 5, 5)):
        found = preferred(weights)
        angle = np.radians(found.edge_angle)
        own = edge(found.edge_colour, (np.cos(angle), np.sin(angle)))
        assert (weights * own).sum() > 0
        assert (weights.sum(axis=(1, 2)) * found.colour).sum() > 0


def test_a_filter_of_zeros_and_one_next_to_nothing_prefer_nothing():
    assert preferred(np.zeros((3, 3, 3))).colour_words == ""
    filters = np.stack([edge((1, 1, 1), (1, 0)), 1e-6 * edge((1, 1, 1), (1, 0))])
    assert filter_table(filters)["edge"].tolist()[0] == "light right, dark left"
    assert filter_table(filters)["edge"].isna().tolist() == [False, True]


def test_filters_respond_as_the_layer_does():
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 2, 3)
    ).eval()
    with torch.no_grad():
        module[1].weight.copy_(torch.tensor([1.0, -2.0, 0.5, 3.0]))
        module[1].running_var.uniform_(0.5, 2)
    filters = first_filters(module, SIZE, find_layer(module, SIZE, "1"))
    image = torch.randn(1, *SIZE)
    with torch.no_grad():
        change = module[:2](image) - module[:2](torch.zeros_like(image))
    expected = nn.functional.conv2d(image.double(), torch.from_numpy(filters), padding=1)
    torch.testing.assert_close(change.double(), expected, atol=1e-5, rtol=1e-5)


def test_only_the_first_layer_and_what_keeps_its_channels_have_filters():
    module = timm.create_model("test_resnet", num_classes=4)
    first = next(part for part in module.modules() if isinstance(part, nn.Conv2d))
    name = next(name for name, part in module.named_modules() if part is first)
    filters = first_filters(module, SIZE, find_layer(module, SIZE, name))
    np.testing.assert_allclose(filters, first.weight.detach().numpy())
    assert first_filters(module, SIZE, find_layer(module, SIZE, "layer1")) is None
