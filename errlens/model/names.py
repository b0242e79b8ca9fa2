"""The class names a model carries with it."""

from collections import Counter

from timm.data import ImageNetInfo
from timm.data.imagenet_info import infer_imagenet_subset

from errlens.classes.names import ClassNames
from errlens.formats import are, counted
from errlens.model.networks.loading import Network


def carried_names(network: Network, *, outputs: int) -> ClassNames | None:
    """Return the names of the outputs as far as the model or its number of outputs tells them.

    Names stored with the weights come first, then ImageNet's by the number of outputs (1,000 and
    the larger sets of timm). None if neither fits.
    """
    stored = network.data_config.get("label_names")
    source = network.names_source or f"the model {network.name}"
    if stored and len(stored) == outputs:
        names = stored.values() if isinstance(stored, dict) else stored
        return ClassNames(tuple(map(str, names)), source=source)
    if stored:
        network.remarks.append(
            f"{counted(len(stored), 'class name')} in {source} {are(len(stored))} not used: the "
            f"model has {counted(outputs, 'output')}"
        )
    subset = infer_imagenet_subset({"num_classes": outputs})
    return imagenet_names(subset) if subset else None


def imagenet_names(subset: str = "imagenet-1k") -> ClassNames:
    """Return ImageNet's class names: the first lemma, with its synset id where it is shared.

    Data may use the synset ids and all lemmas as well.

    >>> classes = imagenet_names()
    >>> classes[281], classes.index("n02123045"), classes.index("Tabby cat"), classes[134]
    ('tabby', 281, 281, 'crane (n02012849)')
    """
    info = ImageNetInfo(subset)
    synsets = info.label_names()
    lemmas = [
        [lemma.strip() for lemma in info.label_name_to_description(synset).split(",")]
        for synset in synsets
    ]
    count = Counter(own[0] for own in lemmas)
    names = tuple(
        f"{first} ({synset})" if count[first] > 1 else first
        for (first, *_), synset in zip(lemmas, synsets, strict=True)
    )
    meant: dict[str, tuple[int, ...]] = {synset: (index,) for index, synset in enumerate(synsets)}
    for index, own in enumerate(lemmas):
        for lemma in dict.fromkeys([*own, ", ".join(own)]):
            meant[lemma] = (*meant.get(lemma, ()), index)
    return ClassNames(names, aliases=meant, source=subset)
