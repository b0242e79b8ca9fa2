"""The names of the classes of ImageNet-1k: synset ids and their lemmas, from timm's files.

The files are read where timm lies, and timm is not imported: that would take torch, and seconds.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path


@cache
def lemmas_of_synsets() -> Mapping[str, Sequence[str]]:
    """Return the lemmas of each class in output order, by its synset id.

    Nothing where timm is not there, or keeps its files elsewhere.

    >>> lemmas_of_synsets()["n02123045"]
    ('tabby', 'tabby cat')
    """
    spec = find_spec("timm")
    if spec is None or not spec.origin:
        return {}
    folder = Path(spec.origin).parent / "data" / "_info"
    try:
        synsets = (folder / "imagenet_synsets.txt").read_text(encoding="utf-8").split()
        lines = (folder / "imagenet_synset_to_lemma.txt").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    described = dict(line.split("\t", 1) for line in lines if "\t" in line)
    return {
        synset: tuple(lemma.strip() for lemma in described.get(synset, "").strip('"').split(","))
        for synset in synsets
    }


@cache
def class_names_of_synsets() -> Mapping[str, str]:
    """Return what errlens calls each class: its first lemma, with its id where others begin so.

    >>> class_names_of_synsets()["n02123045"], class_names_of_synsets()["n02012849"]
    ('tabby', 'crane (n02012849)')
    """
    first = {synset: own[0] for synset, own in lemmas_of_synsets().items()}
    count = Counter(first.values())
    return {
        synset: lemma if count[lemma] == 1 else f"{lemma} ({synset})"
        for synset, lemma in first.items()
    }


@cache
def names_of_synsets() -> Mapping[str, Sequence[str]]:
    """Return what each class may be called: its id, the lemmas no other class has, all in a row.

    >>> names_of_synsets()["n02123045"]
    ('n02123045', 'tabby', 'tabby cat', 'tabby, tabby cat', 'tabby (n02123045)')
    """
    lemmas = lemmas_of_synsets()
    count = Counter(lemma.casefold() for own in lemmas.values() for lemma in {*own})
    return {
        synset: (
            synset,
            *(lemma for lemma in own if count[lemma.casefold()] == 1),
            *([", ".join(own)] if len(own) > 1 else []),
            f"{own[0]} ({synset})",
        )
        for synset, own in lemmas.items()
    }
