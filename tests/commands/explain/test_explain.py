"""`errlens explain` on runs of small networks that were made here."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import timm
import torch
from PIL import Image
from scipy.stats import wilcoxon

import errlens
import errlens.attribution.cases
from errlens.attribution import masks
from errlens.attribution.methods import method_names
from errlens.attribution.perturbations import superpixels
from errlens.commands.explain import pictures as drawn
from errlens.commands.explain.earlier_calls import EarlierCalls
from errlens.formats import number, probability
from errlens.run.csv_tables import read_csv
from tests.conftest import call, contents, ends, refused, signals_as

# The networks of these tests are no transformers.
FIT = [name for name in method_names() if name != "attention-relevance"]
QUICK = "--steps 4 --samples 2 --mask 50%"


def explain(arguments="run"):
    return ends(f"explain {arguments}")


def index():
    text = ("label_name", "pred_name", "method", "target", "file", "status", "error", "flag")
    return read_csv(Path("run/explain/index.csv"), text=text)


def pictures(folder="run/explain"):
    found = [path.relative_to(folder).as_posix() for path in Path(folder).rglob("*.png")]
    return sorted(name for name in found if not name.rpartition("/")[2].startswith("sheet_"))


def sheets(folder="run/explain"):
    return sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("sheet_*"))


def test_each_error_has_a_picture_and_three_maps_in_the_order_of_the_ranking(run):
    said = explain("run --top 3")
    table = index()
    frame = run.predictions.frame
    wrong = frame[~frame["correct"]].sort_values(["loss", "row"], ascending=[False, True])
    assert table["row"].tolist() == [row for row in sorted(wrong["row"][:3]) for _ in range(3)]
    shown = [int(line.split()[0]) for line in said.stdout.splitlines()[1:4]]
    assert shown == wrong["row"][:3].tolist()
    assert table["target"].tolist() == ["predicted", "true", "difference"] * 3
    assert set(table["method"]) == {"grad-cam"}
    assert set(table["status"]) == {"ok"}
    assert set(table["file"]) == set(pictures())
    for row, file, label, pred in table[["row", "file", "label_name", "pred_name"]].to_numpy():
        assert file.startswith(f"{label}__{pred}/{row}_")
        assert file.endswith("_grad-cam.png")
    score = table.set_index(["row", "target"])["score"].unstack()
    np.testing.assert_allclose(score["difference"], score["predicted"] - score["true"], atol=1e-5)


@pytest.mark.parametrize("method", FIT)
def test_every_method_works_and_adds_up_to_what_it_says(method):
    explain(f"run --method {method} --top 2 {QUICK} --save-maps")
    table = index()
    assert set(table["status"]) == {"ok"}
    assert table["raw_max"].gt(table["raw_min"]).all()
    for (row, file), one in table.groupby(["row", "file"]):
        maps = np.load(Path("run/explain/maps", Path(file).with_suffix(".npz").name))
        assert list(maps) == ["predicted", "true", "difference", "_unit"]
        for target, low, high in one[["target", "raw_min", "raw_max"]].to_numpy():
            assert maps[target].dtype == np.float32
            assert (maps[target].min(), maps[target].max()) == (low, high), row


def test_a_right_image_is_held_against_the_second_class(run):
    right = run.predictions.frame.query("correct")["row"].iloc[0]
    explain(f"run --select row:{right}")
    assert index()["target"].tolist() == ["predicted", "second", "difference"]


def test_targets_may_be_chosen():
    explain("run --top 1 --target true --target top3 --target Blue")
    assert index()["target"].tolist() == ["true", "top 1", "top 2", "top 3", "blue"]
    assert "did you mean green" in refused("explain run --target gren", exit_code=2)
    assert "did you mean predicted" in refused("explain run --target predcted", exit_code=2)


def test_a_second_call_adds_and_does_nothing_twice():
    explain("run --top 2 --overlay-only")
    first = contents("run/explain")
    said = explain("run --top 3 --overlay-only")
    made, before = said.stdout.split("2 of 3 images explained before")
    assert [made.count(".png"), before.count(".png")] == [1, 2]
    assert all(name in said.stdout for name in pictures())
    assert {name: content for name, content in contents("run/explain").items() if name in first} | {
        name: first[name] for name in ("index.csv", "made_from.json")
    } == first
    explain("run --top 1 --method gradient --overlay-only")
    table = index()
    assert sorted(set(zip(table["method"], table["row"], strict=True))) == sorted(
        {("grad-cam", row) for row in table.query("method == 'grad-cam'")["row"]}
        | {("gradient", table.query("method == 'gradient'")["row"].iloc[0])}
    )
    assert table["row"].nunique() == 3
    assert set(table["file"]) == set(pictures())


def test_images_of_a_pair_are_explained_together_for_their_sheet():
    explain("run --top 2")
    assert sheets() == ["blue__green/sheet_grad-cam.png"]
    first = Path("run/explain/blue__green/sheet_grad-cam.png").read_bytes()
    said = explain("run --top 2")
    assert "2 of 2 images explained before" in said.stdout
    explain("run --top 3")
    assert index()["row"].nunique() == 3
    assert Path("run/explain/blue__green/sheet_grad-cam.png").read_bytes() != first


def test_the_same_call_gives_the_same_bytes():
    explain(f"run --top 2 --method smooth-grad --save-maps {QUICK}")
    first = contents("run/explain")
    explain(f"run --top 2 --method smooth-grad --save-maps {QUICK} --overwrite")
    assert contents("run/explain") == first


def test_overlays_alone_have_the_size_of_the_input():
    explain("run --top 2 --overlay-only")
    for name in pictures():
        with Image.open(Path("run/explain", name)) as image:
            assert image.size == (64, 64)


def test_an_image_that_is_gone_or_changed_is_a_row_with_a_reason(run, photos):
    frame = run.predictions.frame
    wrong = frame[~frame["correct"]].sort_values("loss", ascending=False)["path"].tolist()
    (photos / wrong[0]).unlink()
    Image.new("RGB", (9, 9)).save(photos / wrong[1])
    said = explain("run --top 3")
    assert "3 maps missing" not in said.stderr
    assert "6 maps missing" in said.stderr
    table = index()
    reasons = set(table.query("status == 'failed'")["error"])
    assert reasons == {"no such file", "another file now"}
    assert len(pictures()) == 1
    for path in wrong[2:]:
        (photos / path).unlink(missing_ok=True)
    assert "no map could be made" in ends("explain run --overwrite", 3).stderr


def test_other_weights_are_refused():
    module = timm.create_model("test_resnet", pretrained=False, num_classes=3)
    safetensors.torch.save_model(module, "weights.safetensors")
    assert "no longer those of the run" in refused("explain run", exit_code=3)
    assert not Path("run/explain").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--method gradcam", "did you mean grad-cam"),
        ("--colormap jett", "did you mean jet"),
        ("--layer layer5", "layer4"),
        ("--layer fc", "fc"),
        ("--method occlusion --stride 0", "stride"),
        ("--method occlusion --mask 65", "65"),
        ("--method occlusion --mask 0", "mask"),
        ("--method occlusion --mask much", "much"),
        ("--select worse:3", "no selector"),
        ("--top 0", "top"),
    ],
)
def test_what_cannot_be_asked_is_a_usage_error(arguments, message):
    assert message in refused(f"explain run {arguments}", exit_code=2)
    assert not Path("run/explain/index.csv").exists()


def test_a_run_without_a_model_cannot_be_explained():
    said = call("explain nowhere")
    assert said.exit_code == 3


def test_a_run_without_errors_is_no_failure(photos, tiny):
    for name in ("red/3.png",):
        (photos / name).unlink()
    ends(f"evaluate {photos} --model {tiny} --img-size 8 -o right -q")
    assert "no such errors" in explain("right --method gradient").stdout
    assert len(Path("right/explain/index.csv").read_text().splitlines()) == 1


def test_methods_are_listed_with_what_they_show_or_why_they_do_not_fit(monkeypatch):
    monkeypatch.setattr("timm.models._hub.load_state_dict_from_hf", None)  # no weights are fetched
    narrow = "--model vgg11 --model-kwargs num_features=64"
    for arguments in ("run --list", "--list --model vit_tiny_patch16_224", f"--list {narrow}"):
        said = explain(arguments).stdout
        for name in method_names():
            assert f"\n{name} " in said
    Path("flat.py").write_text(
        "from torch import nn\n"
        "def network(num_classes=3):\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 224 * 224, num_classes))\n"
    )
    said = explain("--list --model flat:network").stdout
    assert "yes" in said
    assert "no " in said
    assert "has no model" in refused("explain --list --model vgg111", exit_code=2)


def test_a_configuration_may_explain():
    Path("config.yaml").write_text(
        "out: run\nexplain: {top: 1, method: [gradient, grad-cam], overlay_only: true}\n"
    )
    ends("run config.yaml")
    assert len(pictures()) == 2


def test_json_is_one_object():
    found = json.loads(explain("run --top 1 --json").stdout)
    assert [one["target"] for one in found["maps"]] == ["predicted", "true", "difference"]
    assert found["maps"][0]["completeness_gap"] is None


def test_ctrl_c_keeps_what_is_done(monkeypatch):
    explain("run --top 1")
    before = contents("run/explain")
    real, calls = errlens.attribution.cases.explain_batch, []

    def stop(*arguments):
        if calls:
            raise KeyboardInterrupt
        calls.append(arguments)
        return real(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr("errlens.attribution.cases.explain_batch", stop)
        said = call("explain run --top 3 --method gradient --batch-size 1")
    assert said.exit_code == 130
    assert "what was done is kept" in said.stderr
    assert index()["method"].tolist() == ["grad-cam"] * 3 + ["gradient"] * 3
    assert set(pictures()) == set(index()["file"])
    assert {name for name in before if name.endswith(".png")} < set(contents("run/explain"))
    explain("run --top 3 --method gradient")
    assert index().query("method == 'gradient'")["row"].nunique() == 3


@pytest.mark.parametrize("first", [True, False])
def test_ctrl_c_while_the_index_is_written_loses_no_map(monkeypatch, first):
    explain("run --top 1")
    real, calls = errlens.attribution.cases.explain_batch, []
    write = EarlierCalls.add

    def stop(*arguments):
        calls.append(arguments)
        if first and len(calls) == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return real(*arguments)

    def stop_again(*arguments):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)
        write(*arguments)

    with monkeypatch.context() as patched, signals_as(signal.default_int_handler, signal.SIGINT):
        patched.setattr("errlens.attribution.cases.explain_batch", stop)
        patched.setattr(EarlierCalls, "add", stop_again)
        said = call("explain run --top 3 --method gradient --batch-size 1")
    assert said.exit_code == 130
    assert "Traceback" not in said.output
    assert index()["method"].value_counts()["gradient"] == (3 if first else 9)
    assert set(pictures()) == set(index()["file"])
    assert not list(Path("run").glob(".explain.*"))
    explain("run --top 3 --method gradient")
    assert index().query("method == 'gradient'")["row"].nunique() == 3


def test_the_next_command_of_misclassified_explains_what_was_selected():
    said = call("misclassified run --select blue/green --no-figures")
    (last,) = said.stdout.splitlines()[-1:]
    assert last == "Next: errlens explain run --select blue/green"
    ends(last.removeprefix("Next: errlens "))


def test_help_needs_no_torch():
    code = "import sys, errlens.cli; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_masks_say_how_much_of_the_evidence_lies_on_the_object(run):
    path, row = run.predictions.frame.query("not correct")[["path", "row"]].iloc[0]
    all_of_it = {"width": 12, "height": 10, "polygons": [[0, 0, 12, 0, 12, 10, 0, 10]]}
    Path("masks.json").write_text(json.dumps({f"photos/{path}": all_of_it}))
    said = explain(f"run --masks masks.json --select row:{row} --select errors").stdout
    table = index()
    mine = table["row"] == row
    # Of a difference, or of a class that nothing speaks for, there may be no positive evidence.
    assert set(table.loc[mine, "object_share"].dropna()) <= {1.0}
    assert table.loc[~mine, "object_share"].isna().all()
    assert table["head_share"].isna().all()
    assert ("of the area" in said) == table.loc[mine, "object_share"].iloc[:1].notna().all()
    assert set(table.loc[mine, "object_area"]) == {1.0}
    assert table["head_area"].isna().all()
    other = index().loc[~mine, "row"].iloc[0]
    assert "has nothing of" in refused(
        f"explain run --masks masks.json --select row:{other} --overwrite", exit_code=2
    )
    assert "does not exist" in refused("explain run --masks none.json", exit_code=3)


def test_evidence_on_a_part_of_the_photo_is_held_against_its_area(run):
    left = {"width": 12, "height": 10, "polygons": [[0, 0, 5, 0, 5, 9, 0, 9]]}
    paths = run.predictions.frame["path"]
    Path("masks.json").write_text(json.dumps({f"photos/{path}": left for path in paths}))
    said = explain("run --masks masks.json --method gradient --select true:blue --select true:red")
    table = index().query("target == 'predicted'")
    assert table["object_area"].between(0.4, 0.6).all()
    for images, rows in table.groupby(table["label_name"] == table["pred_name"]):
        expected = wilcoxon(rows["object_share"] - rows["object_area"]).pvalue
        (line,) = (
            line
            for line in said.stdout.splitlines()
            if line.startswith("gradient") and ("right" if images else "wrong") in line
        )
        share, area = rows["object_share"].mean(), rows["object_area"].mean()
        assert line.split()[3:5] == [f"{share:.3f}", f"{area:.3f}"]
        assert line.split()[-2:] == [probability(expected), f"{len(rows)}"]
    found = json.loads(explain("run --masks masks.json --json --overwrite").stdout)["evidence"]
    assert {one["region"] for one in found} == {"object"}


def test_a_map_that_does_not_add_up_is_told():
    said = explain("run --top 2 --method integrated-gradients --steps 1")
    table = index()
    assert table["completeness_gap"].notna().all()
    large = table[table["completeness_gap"] > 0.05]
    assert len(large)
    assert f"{len(large)} maps more than 5.0 % off" in said.stderr
    assert "off what" not in explain("run --top 2 --method grad-cam").stderr


PHOTOS = "--model test_resnet --checkpoint weights.safetensors --img-size 64 --num-classes 3"


def photos_index(folder="explained"):
    text = ("sample_id", "label_name", "pred_name", "method", "target", "file", "status", "error")
    return read_csv(Path(folder, "index.csv"), text=text)


def test_a_call_that_fails_leaves_nothing_behind(photos):
    before = sorted(path.name for path in Path().iterdir())
    assert "layer9" in refused(
        f"explain {photos / 'red/0.png'} {PHOTOS} --layer layer9", exit_code=2
    )
    assert sorted(path.name for path in Path().iterdir()) == before


def test_photos_need_no_run(photos):
    paths = [photos / "red/0.png", photos / "blue/1.png"]
    Path("names.txt").write_text("blue\ngreen\nred\n")
    said = explain(f"{paths[0]} {paths[1]} {PHOTOS} --classes names.txt")
    table = photos_index()
    assert table["sample_id"].tolist() == [str(paths[0])] * 3 + [str(paths[1])] * 3
    assert table["label_name"].isna().all()
    assert table["target"].tolist() == ["predicted", "second", "difference"] * 2
    assert set(table["file"]) == set(pictures("explained"))
    assert not sheets("explained")
    assert "Wrote explained" in said.stdout
    # The same network, asked another way, predicts the same.
    assert set(table["pred_name"]) <= {"blue", "green", "red"}


def test_photos_are_predicted_as_a_run_predicts_them(run, photos):
    Path("names.txt").write_text("blue\ngreen\nred\n")
    explain(f"{photos} {PHOTOS} --classes names.txt --target predicted --method gradient")
    table = photos_index().set_index("sample_id")
    frame = run.predictions.frame
    assert len(table) == len(frame)
    for path, name in zip(frame["path"], frame["pred_name"], strict=True):
        assert table.loc[str(photos / path), "pred_name"] == name


def test_photos_of_one_target_share_a_sheet_and_later_ones_are_added(photos):
    Path("names.txt").write_text("blue\ngreen\nred\n")
    options = f"{PHOTOS} --classes names.txt --target red"
    explain(f"{photos / 'red'} {options} -o shown")
    assert sheets("shown") == ["sheet_grad-cam.png"]
    assert photos_index("shown")["row"].tolist() == [0, 1, 2, 3]
    explain(f"{photos / 'blue/0.png'} {photos / 'red/1.png'} {options} -o shown")
    table = photos_index("shown")
    assert table["row"].tolist() == [0, 1, 2, 3, 4]
    assert table["sample_id"].tolist()[-1] == str(photos / "blue/0.png")
    assert set(table["file"]) == set(pictures("shown"))


def test_a_photo_that_cannot_be_read_is_a_row_and_one_that_is_not_there_stops(photos):
    Path("broken.jpg").write_bytes(b"no photo")
    said = explain(f"{photos / 'red/0.png'} broken.jpg {PHOTOS}")
    assert "missing" in said.stderr
    table = photos_index()
    assert table["status"].tolist() == ["ok"] * 3 + ["failed"]
    assert "not an image" in table["error"].iloc[-1]
    assert "no map could be made" in ends(f"explain broken.jpg {PHOTOS} -o other", 3).stderr
    assert "does not exist" in refused(f"explain gone.jpg {PHOTOS}", exit_code=3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("photos/red/0.png", "need --model or --checkpoint"),
        ("run photos/red/0.png", "need --model or --checkpoint"),
        ("run --model test_resnet", "is a run and knows its model"),
        ("--model test_resnet", "no photo given"),
        (f"photos/red/0.png {PHOTOS} --select errors", "--select is for a run"),
        (f"photos/red/0.png {PHOTOS} --cover", "--cover is for a run"),
        (f"photos/red/0.png {PHOTOS} --target true", "has no such class"),
        ("run --out there", "for photos without a run"),
        ("run --time-budget soon", "no time like"),
        ("run --time-budget -1s", "no time like"),
        ("run --rather-than gren", "did you mean green"),
    ],
)
def test_what_is_meant_must_be_clear(arguments, message):
    assert message in refused(f"explain {arguments}", exit_code=2)


def test_an_image_without_a_label_is_named_by_its_likeliest_classes(photos):
    explain(f"{photos / 'red/0.png'} {PHOTOS} --save-maps")
    with np.load("explained/maps/0_0_grad-cam.npz") as maps:
        assert list(maps) == ["predicted", "second", "difference", "_unit"]


@pytest.mark.parametrize("method", method_names())
def test_a_method_says_what_it_means_and_when_it_misleads(method):
    said = call(f"explain --about {method} --json")
    card = json.loads(said.stdout)
    assert card["method"] == method
    assert all(len(card[part].split()) > 5 for part in ("means", "lies", "paper"))
    assert card["unit"]


def test_methods_are_compared_on_one_picture():
    said = explain(f"run --top 1 --compare {QUICK}")
    table = index()
    assert "rise" not in set(table["method"])
    assert {"grad-cam", "occlusion", "lime", "deeplift", "lrp"} < set(table["method"])
    assert table["file"].nunique() == 1
    assert pictures() == [table["file"].iloc[0]]
    assert f"{table['method'].nunique()} methods" in said.stdout
    methods = read_csv(Path("run/explain/methods.csv"), text=("method", "nearest", "verdict"))
    assert set(methods["method"]) <= set(method_names())
    assert "No method is shown to beat random places on 1 image" in said.stdout


def test_a_budget_stops_with_what_is_done_and_a_second_call_goes_on():
    said = explain("run --top 3 --max-mb 0.1 --sweep")
    assert "stopped by --max-mb after" in said.stderr
    assert 1 <= index()["row"].nunique() < 3
    said = explain("run --top 3 --max-mb 10 --sweep")
    assert "stopped" not in said.stderr
    assert index()["row"].nunique() == 3
    assert set(index()["file"]) <= set(pictures())


def covers():
    return read_csv(Path("run/explain/covers.csv"), text=("fill", "confirmed_by", "file"))


def test_covers_are_told_for_every_error():
    said = explain("run --cover --top 4")
    table = covers()
    assert table["row"].nunique() == len(table) == 4
    found = table[table["found"]]
    assert f"{len(found)} right when" in said.stdout
    for one in found.itertuples():
        assert Path("run/explain", one.file).is_file()
        assert one.true_after > one.pred_after
        assert one.pred_before > one.true_before
        assert one.share == pytest.approx((one.bottom - one.top) * (one.right - one.left) / 64**2)
    explain("run --cover --top 5 --method gradient")
    assert len(covers()) == 5


def test_studies_of_occlusion_have_pictures_of_their_own():
    explain("run --top 1 --sweep --winners")
    (name,) = {file.removesuffix("_grad-cam.png") for file in index()["file"]}
    assert pictures() == [f"{name}_grad-cam.png", f"{name}_sweep.png", f"{name}_winners.png"]


def test_winners_are_read_from_the_sweep_of_occlusion(monkeypatch):
    swept = []

    def counted(model, image, cases, *how, **more):
        swept.append(len(cases))
        return logits_under(model, image, cases, *how, **more)

    logits_under = masks.logits_under
    monkeypatch.setattr(masks, "logits_under", counted)
    taken, made = {}, {}
    for options in ("--method occlusion", "--winners", "--method occlusion --winners"):
        swept.clear()
        explain(f"run --top 3 {options} --save-maps --overwrite -q")
        taken[options] = sum(swept)
        made[options] = {
            path: path.read_bytes()
            for path in Path("run/explain").rglob("*.*")
            if path.name.endswith(("occlusion.png", "occlusion.npz", "winners.png"))
        }
    apart, together = list(taken)[:2], list(taken)[2]
    assert taken[together] == taken[apart[0]] == taken[apart[1]] > 3
    assert made[together] == made[apart[0]] | made[apart[1]]


def test_maps_may_be_checked():
    said = explain(f"run --top 2 --check --method grad-cam --method gradient {QUICK}")
    assert "explaining with randomised weights" in said.stderr
    table = index()
    aucs = ["deletion_auc", "insertion_auc", "random_deletion_auc", "random_insertion_auc"]
    of_predicted = table["target"] == "predicted"
    assert table.loc[of_predicted, aucs].ge(0).all(axis=None)
    assert table.loc[of_predicted, aucs].le(1).all(axis=None)
    assert table.loc[~of_predicted, aucs].isna().all(axis=None)
    found = read_csv(Path("run/explain/randomisation.csv"), text=("method", "layer"))
    assert list(found) == ["method", "layer", "similarity"]
    assert set(found["method"]) == {"grad-cam", "gradient"}
    assert found["similarity"].dropna().between(0, 1).all()
    assert "if randomised" in said.stdout


@pytest.mark.parametrize("how", ["", "--compare --method gradient"])
def test_a_heading_says_what_to_know_of_a_method_with_its_figure(monkeypatch, how):
    said = []

    def recorded(image, panels, **options):
        said.append("\n".join([options["subtitle"], *(panel.detail for panel in panels)]))
        return draw_heatmaps(image, panels, **options)

    draw_heatmaps = drawn.draw_heatmaps
    monkeypatch.setattr(drawn, "draw_heatmaps", recorded)
    explain(f"run --top 3 --method guided-backprop {how}")
    assert said
    assert all(text.count("barely depends on the class") == 1 for text in said)
    assert any("rank correlation" in text for text in said) == bool(how)  # compared: it is known
    said.clear()
    explain(f"run --top 3 --method guided-backprop {how} --check")
    found = read_csv(Path("run/explain/randomisation.csv"), text=("method", "layer"))
    of_all = found.loc[found["method"] == "guided-backprop", "similarity"].iloc[-1]
    words = "barely depends on the class; rank correlation with its maps of the randomised model"
    assert all(f"{words} {number(of_all)}" in text for text in said)
    said.clear()
    explain("run --top 1 --method gradient")
    assert not any("depends on the class" in text for text in said)


def test_rather_than_explains_a_difference():
    explain("run --top 1 --target predicted --rather-than red --target green")
    table = index()
    assert set(table["target"]) <= {"predicted - red", "green - red"}


@pytest.mark.parametrize("options", ["--style matlab --method occlusion", "--upsampling nearest"])
def test_looks_change_pictures_and_not_maps(options):
    method = "--method occlusion --probability" if "matlab" in options else ""
    explain(f"run --top 1 --save-maps {method}")
    before = contents("run/explain")
    (file,) = Path("run/explain/maps").iterdir()
    with np.load(file) as maps:
        values = dict(maps)
    explain(f"run --top 1 --save-maps {options}")
    picture = pictures()[0]
    assert contents("run/explain")[picture] != before[picture]
    # The photos are squares, so squashing them changes nothing but the crop.
    if "matlab" not in options:
        with np.load(file) as maps:
            for name, array in maps.items():
                np.testing.assert_array_equal(array, values[name])


def test_matlabs_style_shows_the_input_at_one_and_a_half():
    explain("run --top 1 --style matlab --overlay-only")
    with Image.open(Path("run/explain", pictures()[0])) as image:
        assert image.size == (96, 96)


def test_maps_on_the_original_have_its_size(run, photos):
    explain("run --top 1 --on original --overlay-only")
    path = run.predictions.frame.set_index("row")["path"][index()["row"].iloc[0]]
    with (
        Image.open(photos / path) as photo,
        Image.open(Path("run/explain", pictures()[0])) as image,
    ):
        assert image.size == photo.size


def test_masks_may_be_a_folder_of_images(run, photos):
    row, path = run.predictions.frame.query("not correct")[["row", "path"]].iloc[0]
    with Image.open(photos / path) as photo:
        mask = Image.new("L", photo.size, 255)
    Path("masks", path).parent.mkdir(parents=True)
    mask.save(Path("masks", path).with_suffix(".png"))
    explain(f"run --select row:{row} --masks masks")
    # Of a difference, or of a class that nothing speaks for, there may be no positive evidence.
    assert set(index()["object_share"].dropna()) <= {1.0}
    assert "must be white" in _with_a_grey_mask(path, mask, row)


def _with_a_grey_mask(path, mask, row):
    mask.point([3] * 256).save(Path("masks", path).with_suffix(".png"))
    return refused(f"explain run --select row:{row} --masks masks --overwrite", exit_code=3)


def test_python_has_it_too(run):
    found = errlens.explain("run", top=2, overlay_only=True)
    assert found["target"].tolist() == ["predicted", "true", "difference"] * 2
    assert set(found["file"]) == set(pictures())
    assert found["row"].isin(run.predictions.frame.query("not correct")["row"]).all()


@pytest.fixture
def old(photos):
    """An older run of another network, with its classes in another order."""
    torch.manual_seed(1)
    module = timm.create_model("test_efficientnet", pretrained=False, num_classes=3)
    safetensors.torch.save_model(module, "old.safetensors")
    Path("order.txt").write_text("red\nblue\ngreen\n")
    options = (
        "--model test_efficientnet --checkpoint old.safetensors --img-size 32 --classes order.txt"
    )
    ends(f"evaluate {photos} {options} -o old -q")
    return errlens.open_run("old")


def test_an_older_model_explains_the_same_classes_of_the_same_images(old):
    explain("run --top 2 --against old --save-maps --method gradient")
    table = index()
    assert table["target"].tolist() == [
        "predicted", "true", "difference", "old predicted", "old true", "old difference"
    ] * 2  # fmt: skip
    assert table.groupby("row")["file"].nunique().eq(1).all()
    explained = table[table["target"] == "old true"].set_index("row")["score"]
    frame = old.predictions.frame
    logits = old.read_sidecar("logits", 0)
    for row, score in explained.items():
        label = frame["label"][row]
        pred = frame["pred"][row]
        # Kept logits are relative to the largest.
        predicted = table[(table["row"] == row) & (table["target"] == "old predicted")]
        by_name = old.info.classes.index(predicted["pred_name"].iloc[0])
        expected = logits[row][label] - logits[row][by_name]
        assert score - predicted["score"].iloc[0] == pytest.approx(expected, abs=0.02), pred
    with np.load(next(Path("run/explain/maps").iterdir())) as maps:
        assert maps["predicted"].shape == (64, 64)
        assert maps["old predicted"].shape == (32, 32)


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        ("--against nowhere", 3, "no run folder"),
        ("--against old --compare", 2, "leave no room"),
        ("--against old --overlay-only", 2, "leave no room"),
    ],
)
def test_what_cannot_be_held_against_a_run_is_told(old, arguments, exit_code, message):
    del old
    assert message in refused(f"explain run {arguments}", exit_code=exit_code)


def test_at_80_columns_the_path_of_a_picture_is_whole(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    names = ["a_class_with_a_long_name", "another_with_a_longer_name", "blue"]
    Path("names.txt").write_text("\n".join(names))
    for old, new in zip(("red", "green"), names, strict=False):
        Path("photos", old).rename(Path("photos", new))
    weights = "--model test_resnet --checkpoint weights.safetensors --img-size 64"
    ends(f"evaluate photos {weights} --classes names.txt -o long -q")
    said = ends("explain long --top 3").stdout
    assert pictures("long/explain")
    assert all(name in said for name in pictures("long/explain"))


@pytest.mark.parametrize(
    ("flag", "says"),
    [("constant", "of one value everywhere"), ("alike", "nearly the same as that of the other")],
)
def test_maps_that_say_nothing_are_told_plainly(flag, says, monkeypatch):
    monkeypatch.setattr(
        "errlens.commands.explain.index_rows.map_flags",
        lambda maps: [flag] + [""] * (len(maps) - 1),
    )
    said = " ".join(explain("run --top 2 --target predicted").stderr.split())
    flagged = index().dropna(subset="flag").iloc[0]
    assert f"warning: 1 map {says}" in said
    assert f"row {flagged['row']}, grad-cam, predicted; flag is {flag} in index.csv" in said


def test_lime_says_how_well_it_fits_in_the_index_and_warns_where_it_does_not():
    said = explain("run --top 1 --method lime --samples 9")
    table = index()
    assert (table["r_squared"] < 0.5).all()
    assert (table["flag"] == "poor fit").all()
    assert (table["status"] == "ok").all()
    assert table["unit"].unique().tolist() == ["logits per part"]
    assert "3 maps with an R-squared below 0.5" in " ".join(said.stderr.split())
    explain("run --top 1 --method lime --overwrite --samples 300")
    assert index()["options"].unique().tolist() == ["samples=300"]
    assert (index()["r_squared"] > table["r_squared"].max()).all()


@pytest.mark.parametrize("installed", [True, False])
def test_without_scikit_image_lime_says_what_would_give_it_superpixels(installed, monkeypatch):
    if installed:
        pytest.importorskip("skimage")
    monkeypatch.setattr(superpixels, "has_slic", lambda: installed)
    monkeypatch.setattr("errlens.commands.explain.view.has_slic", lambda: installed)
    said = explain("run --top 1 --method lime --samples 9")
    assert ("errlens[superpixels]" in said.stderr) != installed
    assert index()["baseline"].str.contains("SLIC" if installed else "a grid of 7 x 7").all()


def test_the_help_says_how_many_samples_each_method_draws():
    said = " ".join(ends("explain --help").stdout.split())
    assert "smooth-grad 25, lime 1000, rise 4000" in said
