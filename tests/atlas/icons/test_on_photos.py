"""Icons of a trained network: are they what they stand for?"""

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import load_file
from sklearn.cluster import KMeans

from errlens.analysis.atlas.fidelity import fidelity
from errlens.analysis.atlas.whitening import second_moments
from errlens.atlas.icons.colours import read_colours
from errlens.atlas.icons.optimising import IconMaker
from errlens.atlas.icons.recipe import Recipe
from errlens.data.photos.loading import load_input
from errlens.model.asking.hiding import AskedImage
from errlens.model.classifier import stack
from errlens.model.layers.places import find_layer
from tests.network.units.networks import classifier_of

CELLS = 24
PLACES = (3, 6, 9)  # of 14 rows and columns


@pytest.mark.slow
@pytest.mark.parametrize("name", ["blocks.3", "blocks.4"])
def test_icons_of_a_middle_layer_are_ten_times_better_than_chance(real_data, name):
    module = timm.create_model("tf_efficientnet_lite0", num_classes=37).eval()
    module.load_state_dict(load_file(real_data / "models/tf_efficientnet_lite0.pets.safetensors"))
    classifier = classifier_of(module, side=224)
    photos = sorted((real_data / "data/pets/val").glob("*/*.jpg"))[::2]
    layer = find_layer(module, (3, 224, 224), name)

    maps = []
    handle = module.get_submodule(name).register_forward_hook(lambda *given: maps.append(given[2]))
    for photo in photos:
        values = [load_input(photo, classifier.preparation).value]
        with torch.no_grad():
            module(stack(values, classifier.preparation, classifier.device))
    handle.remove()
    points = [
        each[0, :, row, column].numpy() for each in maps for row in PLACES for column in PLACES
    ]
    activations = np.stack(points)
    means = KMeans(CELLS, n_init=1, random_state=0).fit(activations).cluster_centers_

    maker = IconMaker(
        classifier=classifier,
        layer=layer,
        moments=second_moments(activations),
        colours=read_colours([AskedImage(photo, None) for photo in photos], classifier.preparation),
        recipe=Recipe(steps=48),
    )
    said = fidelity(maker.make(means.astype(np.float32)).encoded, means)
    assert said.value >= 10 * said.chance
    assert said.low > said.chance
