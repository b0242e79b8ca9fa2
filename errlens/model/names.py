"""The class names a model carries with it."""

from collections import Counter

from timm.data import ImageNetInfo
from timm.data.imagenet_info import infer_imagenet_subset

from errlens.classes import ClassNames
from errlens.model.networks import Network


def carried_names(network: Network, *, outputs: int) -> ClassNames | None:
    """Return the names of the outputs as far as the model or its number of outputs tells them.

    Names stored with the weights come first, then ImageNet's by the number of outputs (1,000 and
    the larger sets of timm). None if neither fits.
    """
    stored = network.data_config.get("label_names")
    if stored and len(stored) == outputs:
        names = stored.values() if isinstance(stored, dict) else stored
        return ClassNames(tuple(map(str, names)), source=f"the model {network.name}")
    subset = infer_imagenet_subset({"num_classes": outputs})
    return imagenet_names(subset) if subset else None


def imagenet_names(subset: str = "imagenet-1k") -> ClassNames:
    """Return ImageNet's class names: the first lemma, with its synset id where it is shared.

    Data may use the synset ids as well.

    >>> classes = imagenet_names()
    >>> classes[281], classes.index("n02123045"), classes[134]
    ('tabby', 281, 'crane (n02012849)')
    """
    info = ImageNetInfo(subset)
    synsets = info.label_names()
    lemmas = [info.label_name_to_description(synset).split(",")[0].strip() for synset in synsets]
    shared = {lemma for lemma, count in Counter(lemmas).items() if count > 1}
    names = tuple(
        f"{lemma} ({synset})" if lemma in shared else lemma
        for lemma, synset in zip(lemmas, synsets, strict=True)
    )
    aliases = {synset: index for index, synset in enumerate(synsets)}
    return ClassNames(names, aliases=aliases, source=subset)
