from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import save_model

import errlens
from errlens.errors import Interrupted
from errlens.model.predict import ShardPredictor
from errlens.predictions.scores import score


@pytest.fixture
def evaluate(tiny, tmp_path):
    return partial(errlens.evaluate, model=tiny, out=tmp_path / "run", img_size=8, crop_pct=1.0)


def parents(folder: Path) -> Path:
    path = folder / "parents.csv"
    path.write_text("class_name,superclass\nblue,cold\ngreen,cold\nred,warm\n")
    return path


def table(run):
    return run.predictions.table


def test_every_image_gets_the_class_of_its_colour(evaluate, photos):
    found = evaluate(photos).predictions.frame
    assert found["pred_name"].tolist() == ["blue"] * 4 + ["green"] * 4 + ["red"] * 3 + ["green"]
    assert found["correct"].tolist() == [True] * 11 + [False]
    assert found["path"].tolist() == sorted(found["path"])


@pytest.mark.parametrize("options", [{"part_size": 5}, {"batch_size": 1}, {"workers": 3}])
def test_how_the_work_is_divided_changes_no_prediction(evaluate, photos, tmp_path, options):
    together = evaluate(photos, superclasses=parents(tmp_path))
    apart = evaluate(photos, out=tmp_path / "other", superclasses=parents(tmp_path), **options)
    assert together.info.run_hash == apart.info.run_hash
    ours, others = table(together), table(apart)
    for name in set(ours.column_names) - {"logits_row"}:
        column, other = ours[name].to_pylist(), others[name].to_pylist()
        if "float" in str(ours.schema.field(name).type):
            np.testing.assert_allclose(np.ravel(column), np.ravel(other), rtol=1e-4, atol=1e-6)
        else:
            assert column == other


@pytest.mark.parametrize("name", ["test_resnet", "test_vit"])
def test_the_batch_size_changes_no_more_than_the_last_digits(photos, tiny, tmp_path, name):
    """Sums of floats are taken in another order; the settings and predictions are the same."""
    del tiny
    torch.manual_seed(0)
    size = {"img_size": 64} if name == "test_vit" else {}
    network = timm.create_model(name, pretrained=False, num_classes=3, **size)
    save_model(network, "weights.safetensors")
    runs = [
        errlens.evaluate(
            photos,
            model=name,
            checkpoint=Path("weights.safetensors"),
            img_size=64,
            out=tmp_path / str(size),
            batch_size=size,
        )
        for size in (1, 5, 12)
    ]
    assert len({run.info.run_hash for run in runs}) == 1
    first, *others = (run.predictions.frame for run in runs)
    for other in others:
        assert other["pred"].tolist() == first["pred"].tolist()
        for column in ("confidence", "label_prob", "loss", "logsumexp"):
            ours, theirs = (frame[column].to_numpy(float) for frame in (first, other))
            np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_two_runs_give_the_same_bytes_but_for_run_json(evaluate, photos, tmp_path):
    one, other = evaluate(photos), evaluate(photos, out=tmp_path / "other")
    files = [path.relative_to(one.path) for path in one.path.rglob("*") if path.is_file()]
    assert len(files) >= 7
    for file in files:
        if file.name != "run.json":
            assert (one.path / file).read_bytes() == (other.path / file).read_bytes(), file


@pytest.mark.parametrize("workers", [1, 4])
def test_logits_and_features_belong_to_their_rows(evaluate, photos, workers):
    for number in range(60):  # enough for the threads to get in each other's way, if they can
        colour = np.full((8, 8, 3), (4 * number, 120, 250 - 4 * number), np.uint8)
        Image.fromarray(colour).save(photos / "green" / f"plain{number}.png")
    (photos / "blue" / "0.png").write_bytes(b"")
    run = evaluate(photos, part_size=25, batch_size=1, workers=workers, max_bad="1")
    rows = 0
    for shard in range(3):
        part = pq.read_table(run.part_file(shard)).to_pylist()
        logits = np.load(run.sidecar_file("logits", shard)).astype(np.float32)
        features = np.load(run.sidecar_file("features", shard)).astype(np.float32)
        assert logits.max(axis=1) == pytest.approx(0)
        for row in part:
            if row["status"] != "ok":
                assert row["logits_row"] is None
                continue
            place = row["logits_row"]
            again = score(logits[[place]], np.array([row["label"]], np.int32), topk=3)
            assert again.pred[0] == row["pred"]
            assert again.confidence[0] == pytest.approx(row["confidence"], abs=0.002)
            if "plain" in row["path"]:
                with Image.open(photos / row["path"]) as image:
                    pixel = np.array(image.getpixel((0, 0))) / 255
                expected = (pixel - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)
                assert features[place] == pytest.approx(expected, abs=0.01)
                rows += 1
    assert rows == 60


def test_the_network_is_given_back_without_hooks(evaluate, photos, monkeypatch):
    from errlens.model import load

    made = []
    original = load.load_network
    monkeypatch.setattr(
        load, "load_network", lambda *a, **k: made.append(original(*a, **k)) or made[-1]
    )
    evaluate(photos)
    layers = list(made[0].module.modules())
    assert not any(layer._forward_hooks or layer._forward_pre_hooks for layer in layers)
    assert not any(layer.training for layer in layers)


def test_outputs_that_are_not_finite_fail_their_rows(evaluate, photos, tiny):
    run = evaluate(photos, model=tiny.replace("colours", "broken"), max_bad="100%")
    frame = run.predictions.frame
    assert set(frame["status"]) == {"failed"}
    assert set(frame["error"]) == {"outputs are not finite"}
    assert frame["pred"].isna().all()
    assert frame["width"].notna().all()
    assert run.metrics["top1"] is None


def test_an_interrupted_run_keeps_its_parts_and_goes_on(evaluate, photos, monkeypatch):
    whole = ShardPredictor.__call__

    def stop_at_two(self, shard):
        if shard == 2:
            raise KeyboardInterrupt
        whole(self, shard)

    with monkeypatch.context() as patch:
        patch.setattr(ShardPredictor, "__call__", stop_at_two)
        with pytest.raises(Interrupted, match="6 of 12 images are saved") as failure:
            evaluate(photos, part_size=3)
    assert failure.value.exit_code == 130

    run = errlens.open_run(Path("run"))
    assert run.info.status == "interrupted"
    assert run.unfinished() == [2, 3]
    predicted = []
    monkeypatch.setattr(
        ShardPredictor,
        "__call__",
        lambda self, shard: (predicted.append(shard), whole(self, shard)),
    )
    evaluate(photos, part_size=3)
    assert predicted == [2, 3]
    assert run.info.status == "complete"


def test_a_users_transform_replaces_the_preprocessing(evaluate, photos, tmp_path):
    (tmp_path / "swapping.py").write_text(
        "import numpy, torch\n"
        "def swap(image):\n"
        "    pixels = torch.from_numpy(numpy.array(image.resize((8, 8)))).float() / 255\n"
        "    return pixels.permute(2, 0, 1).flip(0)\n"
    )
    run = evaluate(photos, transform="swapping:swap", img_size=None, crop_pct=None)
    found = run.predictions.frame.groupby("label_name", observed=True)["pred_name"].first()
    assert found.to_dict() == {"blue": "red", "green": "green", "red": "blue"}
    assert run.info.settings.preprocessing["transform"] == "swapping:swap"


def test_torch_threads_are_set_in_the_workers_only(evaluate, photos):
    before = torch.get_num_threads()
    evaluate(photos, threads=1)
    assert torch.get_num_threads() == before
