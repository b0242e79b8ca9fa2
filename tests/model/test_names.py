import torch
from timm.data import ImageNetInfo

from errlens.model.names import carried_names, imagenet_names
from errlens.model.networks.loading import Network


def network(**config) -> Network:
    return Network(torch.nn.Identity(), "some_model", {}, config)


def test_imagenet_names_are_unique_first_lemmas_and_know_their_synsets():
    classes, info = imagenet_names(), ImageNetInfo()
    assert len(set(classes.names)) == 1000
    for index, synset in enumerate(info.label_names()):
        lemma = info.index_to_description(index).split(",")[0]
        assert classes[index] in (lemma, f"{lemma} ({synset})")
        assert classes.index(synset) == index == classes.index(classes[index])


def test_names_stored_with_the_weights_come_first():
    found = carried_names(network(label_names=["ant", "bee"]), outputs=2)
    assert found is not None
    assert found.names == ("ant", "bee")


def test_stored_names_of_another_head_are_not_used():
    assert carried_names(network(label_names=["ant", "bee"]), outputs=3) is None


def test_a_thousand_outputs_are_imagenet():
    found = carried_names(network(), outputs=1000)
    assert found is not None
    assert found.names == imagenet_names().names


def test_every_lemma_is_known_and_those_of_several_classes_by_their_synset_only():
    classes = imagenet_names()
    assert classes.index("tabby cat") == classes.index("Tabby_Cat") == 281
    assert classes.index("crane") is None
    assert classes.ambiguous(["crane"]) == {"crane": ["crane (n02012849)", "crane (n03126707)"]}
    assert [classes.index(synset) for synset in ("n02012849", "n03126707")] == [134, 517]
