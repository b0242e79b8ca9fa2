import subprocess
import sys

from timm.data import ImageNetInfo

from errlens.classes.imagenet import lemmas_of_synsets, names_of_synsets
from errlens.classes.names import ClassNames
from errlens.model.names import imagenet_names


def test_synsets_and_lemmas_are_timms_in_their_order():
    info = ImageNetInfo()
    lemmas = lemmas_of_synsets()
    assert list(lemmas) == info.label_names()
    for synset, own in lemmas.items():
        assert ", ".join(own) == info.label_name_to_description(synset)


def test_a_lemma_that_two_classes_share_names_neither():
    assert "crane" not in names_of_synsets()["n02012849"]
    assert "crane (n02012849)" in names_of_synsets()["n02012849"]
    count = {}
    for names in names_of_synsets().values():
        for name in {*map(str.casefold, names)}:
            count[name] = count.get(name, 0) + 1
    assert max(count.values()) == 1


def test_they_are_read_without_torch():
    code = (
        "import sys\nfrom errlens.classes.imagenet import names_of_synsets\n"
        "assert len(names_of_synsets()) == 1000\nassert not {'torch', 'timm'} & {*sys.modules}"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_each_synset_names_its_class_among_the_names_that_a_run_records():
    recorded = ClassNames(imagenet_names().names)
    synsets = ImageNetInfo().label_names()
    assert [recorded.index(synset) for synset in synsets] == list(range(1000))
    assert ClassNames(("cat", "dog")).index("n02113186") is None
