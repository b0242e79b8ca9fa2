"""What a network's numbers are, by the evidence of photos, and whether its answers last."""

import pytest
import torch
from torch import nn

from errlens.classes.names import ClassNames
from errlens.data.photos.preprocess import Preprocessing
from errlens.data.samples import find_samples
from errlens.errors import UnfitModel, UserCodeFailed
from errlens.model.classifier import Classifier
from errlens.model.networks.loading import Network
from errlens.model.outputs.dry_run import dry_run
from errlens.model.outputs.on_photos import PHOTOS, check_on_photos, spread_photos
from tests.conftest import COLOURS, paint

CPU = torch.device("cpu")
PLAIN = Preprocessing((8, 8), 1.0, "squash", "bilinear", (0.485, 0.456, 0.406), (0.2,) * 3)


class Net(nn.Module):
    """Logits from mean colours, and whatever else is done with them."""

    def __init__(self, then=lambda logits: logits, outputs=3):
        super().__init__()
        torch.manual_seed(0)
        self.head = nn.Linear(3, outputs)
        self.then = then

    def forward(self, images):
        return self.then(self.head(images.mean(dim=(2, 3))))


@pytest.fixture
def files(photos):
    return spread_photos(find_samples(photos))


def classifier_of(module):
    network = Network(module.eval(), "net", {}, {})
    interface = dry_run(network, PLAIN, CPU)
    names = COLOURS if interface.outputs == 3 else tuple(map(str, range(interface.outputs)))
    return Classifier(network, PLAIN, ClassNames(names), CPU, interface)


def look(module, files, **options):
    return check_on_photos(classifier_of(module), files, **options)


def test_ordinary_logits_are_left_alone(files):
    for then in (
        lambda logits: logits,
        lambda logits: logits.log_softmax(dim=1),  # these are logits, too
        lambda logits: 0.01 * logits + 1 / 3,  # near to 1/3 each
        lambda logits: logits.relu(),
        lambda logits: 0.05 * logits.relu(),  # all of photos between 0 and 1
        nn.functional.normalize,
    ):
        found = look(Net(then), files)
        assert found.classifier.reading.as_dict() == {}
        assert (found.remarks, found.warnings) == ([], [])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("outputs", [2, 3, 1000])
def test_a_softmax_is_seen_whatever_its_precision(files, dtype, outputs):
    found = look(Net(lambda logits: logits.to(dtype).softmax(dim=1), outputs), files)
    assert found.classifier.reading.scores == "probabilities"
    assert found.warnings == []
    assert "are probabilities" in found.remarks[0]


def test_percent_and_certain_answers_are_probabilities_too(files):
    for then in (
        lambda logits: 100 * logits.softmax(dim=1),
        lambda logits: nn.functional.one_hot(logits.argmax(dim=1), 3).float(),
        lambda logits: (logits.softmax(dim=1) + (2 * logits).softmax(dim=1)) / 2,
    ):
        assert look(Net(then), files).classifier.reading.scores == "probabilities"


def test_rows_that_are_not_finite_are_no_evidence(files):
    def some(logits):
        found = logits.softmax(dim=1)
        found[0] = float("nan")
        return found

    assert look(Net(some), files).classifier.reading.scores == "probabilities"
    nothing = look(Net(lambda logits: logits * float("nan")), files)
    assert nothing.classifier.reading.scores == "logits"
    assert nothing.warnings == []


def test_sigmoids_warn_and_keep_their_order(files):
    module = Net(torch.sigmoid)
    found = look(module, files)
    assert found.classifier.reading.scores == "sigmoids"
    assert "each of the 3 outputs is between 0 and 1" in found.warnings[0]


def test_one_output_says_what_it_means(files):
    found = look(Net(outputs=1), files)
    assert found.classifier.reading.as_dict() == {"single": True}
    assert "its sigmoid is the probability of '1', which is predicted above 0.5" in found.remarks[0]
    squashed = look(Net(torch.sigmoid, outputs=1), files, threshold=0.2)
    assert squashed.classifier.reading.scores == "sigmoids"
    assert "it is the probability of '1', which is predicted above 0.2" in squashed.remarks[0]
    assert squashed.warnings == []


def test_one_whole_number_is_the_number_of_a_class(files):
    def number(logits):
        return logits.argmax(dim=1).float() + 1

    with pytest.raises(UnfitModel, match="the number of a class, it seems, not a score"):
        look(Net(number), files)


def test_a_random_answer_is_told(files):
    found = look(Net(lambda logits: nn.functional.dropout(logits, 0.5)), files)
    assert "shown the same photos again" in found.warnings[0]
    assert len(found.warnings) == 1


def test_an_answer_that_depends_on_other_photos_is_told(files):
    found = look(Net(lambda logits: logits - logits.mean(dim=0)), files)
    assert "when a photo is shown alone" in found.warnings[0]
    norm = nn.BatchNorm1d(3, track_running_stats=False)  # refuses a photo alone
    found = look(Net(norm), files)
    assert "does not take a photo alone" in found.warnings[0]
    assert "ValueError: Expected more than 1 value" in found.warnings[0]


@pytest.mark.parametrize("at_once", range(1, PHOTOS + 2))
def test_a_photo_is_held_against_itself_in_batches_of_any_size(files, at_once):
    assert look(Net(), files, at_once=at_once).warnings == []
    found = look(Net(lambda logits: logits - logits.mean(dim=0)), files, at_once=at_once)
    told = ["when a photo is shown alone" in warning for warning in found.warnings]
    assert any(told) == (at_once > 1)


def test_a_network_that_changes_its_input_is_shown_the_same_photos(files):
    class InPlace(Net):
        def forward(self, images):
            images.mul_(2.0)
            return super().forward(images)

    assert look(InPlace(), files).warnings == []


def test_one_at_a_time_is_found_out_and_told_with_the_option_that_helps(files):
    class Alone(Net):
        def forward(self, images):
            assert len(images) == 1
            return super().forward(images)

    class First(Net):
        def forward(self, images):
            return super().forward(images)[0]

    for module in (Alone(), First(), First(outputs=2), Alone(outputs=1)):
        found = look(module, files).classifier
        assert found.interface.one_at_a_time
        assert found.interface.outputs == max(2, module.head.out_features)
        found.check_batch_size(1)
        with pytest.raises(UnfitModel, match="one image at a time, not 16") as failure:
            found.check_batch_size(16)
        assert failure.value.hint == "--batch-size 1"
    assert not look(Net(lambda logits: logits.squeeze()), files).classifier.interface.one_at_a_time


def test_what_the_network_raises_at_photos_has_its_words(files):
    class Fussy(Exception):
        pass

    class Module(Net):
        def forward(self, images):
            if images.std() > 0.3:
                raise Fussy("no photos, please")
            return super().forward(images)

    with pytest.raises(UserCodeFailed, match="forward of net raised Fussy: no photos, please"):
        look(Module(), files)


def test_photos_come_from_all_classes_and_unreadable_ones_are_passed_over(tmp_path):
    for number in range(40):
        paint(tmp_path / f"class{number // 10}" / f"{number:02}.png", "red", seed=number)
    files = spread_photos(find_samples(tmp_path))
    assert {path.parent.name for path in files[:PHOTOS]} == {f"class{n}" for n in range(4)}
    assert len(set(files)) == len(files)
    for path in files[:PHOTOS]:
        path.write_bytes(b"")
    found = look(Net(lambda logits: logits.softmax(dim=1)), files)
    assert found.classifier.reading.scores == "probabilities"


def test_a_softmax_that_refuses_what_is_no_photo_is_seen_all_the_same(files):
    class Strict(Net):
        def forward(self, images):
            assert images.abs().max() < 10
            return super().forward(images).softmax(dim=1)

    assert look(Strict(), files).classifier.reading.scores == "probabilities"


def test_without_a_photo_nothing_is_known():
    assert look(Net(lambda logits: logits.softmax(dim=1)), []).classifier.reading.as_dict() == {}
