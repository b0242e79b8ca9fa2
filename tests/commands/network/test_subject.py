from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from safetensors.torch import save_file

from errlens.commands.network.subject import SubjectOptions
from errlens.errors import NotARun, UnfitOption, UnknownModel
from errlens.model.networks.loading import bare_network
from errlens.model.weights.checkpoints import hash_weights


@dataclass
class Ears:
    said: list[str] = field(default_factory=list)

    def remark(self, text):
        self.said.append(text)


def found(subject, *, trained=True, **options):
    return SubjectOptions(subject=subject, **options).find_subject(Ears(), trained=trained)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_file(bare_network("test_resnet", {}).module.state_dict(), path)
    return path


def test_a_run_is_its_own_model_with_the_weights_of_then(sample):
    subject = found(str(sample.run.path))
    info = subject.run.info
    assert hash_weights(subject.classifier.network.module) == info.settings.weights_sha256
    assert subject.made_of == info.run_hash
    assert subject.folder(None, "filters") == sample.run.path / "network" / "filters"
    assert subject.folder(Path("here")) == Path("here")


def test_a_name_and_a_file_are_models_too(weights):
    by_option = found("test_resnet", checkpoint=weights)
    by_file = found(str(weights), model="test_resnet")
    assert by_option.made_of == by_file.made_of
    assert by_file.name == "tiny"
    assert by_file.folder(None) == Path("network")


def test_an_architecture_has_one_hash_whatever_its_weights():
    one, two = (found("test_resnet", trained=False) for _ in range(2))
    assert hash_weights(one.classifier.network.module) != hash_weights(
        two.classifier.network.module
    )
    assert one.made_of == two.made_of


def test_nothing_named_is_the_newest_run(sample, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "one").symlink_to(sample.run.path)
    ears = Ears()
    assert SubjectOptions().find_subject(ears, trained=False).run.path == Path("runs/one")
    assert ears.said == ["the newest run: runs/one"]


@pytest.mark.parametrize(
    ("subject", "options", "error", "words"),
    [
        ("test_resnt", {}, UnknownModel, "test_resnt"),
        ("runs/of-nobody", {}, NotARun, "of-nobody"),
        ("tests", {}, NotARun, "tests"),
        ("test_resnet", {"model": "test_vit"}, UnfitOption, "two models are named"),
    ],
)
def test_what_is_neither_run_nor_model_is_refused(subject, options, error, words):
    with pytest.raises(error, match=words):
        found(subject, trained=False, **options)


def test_a_run_takes_no_options_of_a_model(sample):
    with pytest.raises(UnfitOption, match="--img-size, --model-kwargs would change it"):
        found(str(sample.run.path), img_size=32, model_kwargs=["a=1"])


def test_a_second_network_takes_none_of_the_options_of_the_first(weights):
    first = SubjectOptions(subject="test_resnet", checkpoint=weights, img_size=32, device="cpu")
    assert first.of_another("test_vit") == SubjectOptions(subject="test_vit", device="cpu")
    assert replace(first, subject=None).of_another("x").checkpoint is None
