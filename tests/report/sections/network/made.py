"""Results of `errlens network` as the commands write them: of planted channels, without a model."""

from pathlib import Path

import numpy as np
import pandas as pd

from errlens.run.results import renewed_folder, renewed_results

GREY = np.full((60, 120, 3), 90, np.uint8)
PAIR = ("cat", "lion")
LAYER = "layer4"


def firing(layer=LAYER, names=PAIR, q=0.0001) -> pd.DataFrame:
    """Four channels in three comparisons: 7 is first and fires in B, 3 in A, the others alike."""
    a, b = names
    compared = (
        ("classes", b, a),
        ("a_as_b", f"{a} taken for {b}", f"{a}, right"),
        ("b_as_a", f"{b} taken for {a}", f"{b}, right"),
    )
    channels = enumerate([(7, 0.9), (3, 0.2), (0, 0.5), (1, 0.5)], start=1)
    rows = [
        {
            "rank": rank, "layer": layer, "channel": channel, "measure": measure,
            "comparison": comparison, "group": group, "against": against, "n_group": 12,
            "n_against": 8, "mean_group": 2.0, "mean_against": 1.0, "auc": auc,
            "p_value": 0.8 if auc == 0.5 else q / 10, "q_value": 0.9 if auc == 0.5 else q,
        }
        for rank, (channel, auc) in channels
        for comparison, group, against in compared
        for measure in ("max", "mean")
    ]  # fmt: skip
    return pd.DataFrame(rows)


def ablation(layer=LAYER, names=PAIR) -> pd.DataFrame:
    rows = [
        ("suspect", "7", 6, 2), ("suspect", "3", 1, 0), ("suspect", "7,3", 7, 4),
        ("random", "0", 1, 1),
    ]  # fmt: skip
    return pd.DataFrame(
        {
            "class_a": names[0], "class_b": names[1], "layer": layer, "role": role,
            "channels": channels, "n": 48, "pair_errors": 8, "pair_fixed": fixed,
            "pair_right": 16, "pair_broken": broken, "errors": 17, "fixed": fixed, "right": 31,
            "broken": broken, "weight": 1.0, "difference": (fixed - broken) / 48, "p_pair": 0.2,
            "p_value": 0.2, "p_random": 0.5, "p_better": 0.5, "q_value": 1.0,
        }
        for role, channels, fixed, broken in rows
    )  # fmt: skip


def changes(layer=LAYER, names=PAIR) -> pd.DataFrame:
    a, b = names
    rows = [("7", "fixed", 0, a, b, a), ("7", "broken", 2, a, a, b), ("3", "fixed", 3, a, b, a)]
    columns = ["channels", "change", "row", "label_name", "pred_name", "now_name"]
    table = pd.DataFrame(rows, columns=columns)
    path = table["row"].map("images/{:03d}.png".format)
    return table.assign(layer=layer, role="suspect", sample_id=path, path=path)


def write_channels(run, *, layers=(LAYER,), names=PAIR, silenced=True):
    with renewed_results(run, "network/channels", options={"pair": "~".join(names)}) as results:
        results.csv("channels.csv", pd.concat([firing(layer, names) for layer in layers]))
        if silenced:
            results.csv("ablation.csv", pd.concat([ablation(layer, names) for layer in layers]))
            results.csv("changes.csv", pd.concat([changes(layer, names) for layer in layers]))
        for at in range(len(layers)):
            end = f"-{at + 1}" if len(layers) > 1 else ""
            results.pixels(f"channels{end}.png", GREY)
            if silenced:
                results.pixels(f"ablation{end}.png", GREY)


def write_features(run, *, layers=(LAYER,), top="cat"):
    firing = [
        {
            "layer": layer, "channel": channel, "highest": 4.5, "fires": fires, "n": 48,
            "n_shown": 9 if fires else 0, "top_class": top if fires else None, "n_top_class": n,
            "share_of_run": 0.25 if fires else None, "classes": f"{top} {n}" if fires else None,
        }
        for layer in layers
        for channel, fires, n in ((5, 40, 8), (6, 30, 3), (9, 0, 0))
    ]  # fmt: skip
    first = [
        {"layer": layer, "channel": 5, "rank": 1, "row": 4, "path": "images/004.png"}
        for layer in layers
    ]
    about = [{"layer": layer, "n_channels": 96, "remark": None} for layer in layers]
    with renewed_results(run, "network/features", options={}) as results:
        results.csv("features.csv", pd.DataFrame(first))
        results.csv("firing.csv", pd.DataFrame(firing))
        results.tree("features.json", {"n_images": 48, "projection": None, "layers": about})
        for layer in layers:
            results.pixels(f"sheets/{layer}.png", GREY)
        if len(layers) > 1:
            results.pixels("layers.png", GREY)


def write_evolution(run, *, layer=LAYER, names=PAIR, labelled=True):
    """Add three checkpoints at which a layer settles, a channel jumps and a pair parts."""
    at = {"checkpoint": ["net.e1", "net.e2", "net.e10"]}
    settled = {**at, "layer": layer, "cka": [0.4, 0.96, 1.0], "settled": [False, True, True]}
    evolution = {**at, "layer": layer, "channel": 3, "jump": [False, True, False]}
    training = {
        **at, "n": 48, "accuracy": [0.25, 0.5, 0.75], "loss": [1.5, 1.0, None], "ece": 0.125,
    }  # fmt: skip
    pairs = {
        **at, "class_a": names[0], "class_b": names[1], "a_as_b": [6, 3, 1], "b_as_a": [5, 3, 2],
        "n_a": 12, "n_b": 11, "parted": [False, False, True],
    }  # fmt: skip
    with renewed_results(run, "network/evolution", options={}) as results:
        results.csv("evolution.csv", pd.DataFrame(evolution))
        results.csv("settled.csv", pd.DataFrame(settled))
        results.pixels(f"sheets/{LAYER}.png", GREY)
        results.pixels("settled.png", GREY)
        if labelled:
            results.csv("training.csv", pd.DataFrame(training))
            results.csv("pairs.csv", pd.DataFrame(pairs))
            results.pixels("training.png", GREY)


def write_activations(run, place="layer4__0_000", *, image="images/000.png"):
    """Add what a layer makes of a photo, as another call of the command does."""
    channels = pd.DataFrame(
        {
            "image": image, "stage": "output", "channel": [0, 1], "rank": [2, 1],
            "value": [1.5, 3.25], "max": [1.5, 3.25], "min": 0.0, "mean": 0.5, "above_zero": 0.5,
            "row": 0, "column": 1, "x": 3.0, "y": 4.0,
        }
    )  # fmt: skip
    parameters = {
        "layer": LAYER, "shape": [2, 4, 4], "activation": None, "signed": False, "channels": [1],
        "images": [{"image": image, "predicted": "lion", "probability": 0.75}],
    }  # fmt: skip
    with renewed_folder(
        run.path / "network" / "activations", run_hash=run.info.run_hash, options={},
        keep=lambda name: not name.startswith(f"{place}/"),
    ) as results:  # fmt: skip
        results.pixels(f"{place}/grid.png", GREY)
        results.pixels(f"{place}/channels.png", GREY)
        results.csv(f"{place}/channels.csv", channels)
        results.tree(f"{place}/parameters.json", parameters)


def write_layers(run, names=("stem", "stem.conv", "stem.idle", "head")):
    table = pd.DataFrame(
        {
            "layer": names, "depth": [name.count(".") for name in names],
            "type": ["Identity" if name.endswith("idle") else "Conv2d" for name in names],
            "output": "8 x 4 x 4", "channels": 8.0, "rows": 4.0, "columns": 4.0,
            "stride_rows": 2.0, "stride_columns": 2.0, "field_rows": 7.0, "field_columns": 9.0,
            "field_whole": False, "parameters": 1_234, "multiply_adds": 5_678, "activation": "relu",
            "analyses": "activations, features",
        }
    )  # fmt: skip
    totals = {"parameters": 98_765, "multiply_adds": 4_321, "why_no_field": None}
    about = {"model": "tiny", "input_size": [3, 32, 48], **totals}
    with renewed_results(run, "network", options={}) as results:
        results.csv("layers.csv", table)
        results.tree("layers.json", about)


def write_filters(run, *, suspicions=()):
    layers = {
        "layer": ["stem", "head"], "filters": [16, 32], "dead": [1, 0], "duplicates": [2.0, None],
        "low": [0.25, None], "middle": 0.25, "high": 0.5, "aliasing": [0.75, None],
    }  # fmt: skip
    said = pd.DataFrame({"layer": "stem", "statement": list(suspicions)}, dtype="str")
    with renewed_results(run, "network/filters", options={}) as results:
        results.csv("layers.csv", pd.DataFrame(layers))
        results.csv("suspicions.csv", said)
        results.pixels("first_layer.png", GREY)


def places(run, names=("cat", "lion", "dog", "wolf")) -> pd.DataFrame:
    """All images of a run, of which each third and the second are wrong, in rows of eight."""
    row = np.arange(run.info.n_images)
    of = row * len(names) // len(row)
    return pd.DataFrame(
        {
            "row": row, "x": row % 8 - 3.5, "y": -(row // 8.0), "right": (row % 3 > 0) & (row != 1),
            "colour": [names[number] for number in of],
            "group": pd.Series(np.where(of < 2, 1.0, np.nan)),
        }
    )  # fmt: skip


def write_embed(
    run,
    *,
    label="cat",
    sentences=("48 errors lie among right images.",),
    groups=(PAIR,),
    table=None,
):
    neighbours = pd.DataFrame(
        {
            "row": [4, 4, 4], "label_name": label, "pred_name": "lion",
            "among": ["right", "right", "training"], "rank": [1, 2, 1],
            "similarity": [0.9, 0.8, 1.0], "neighbour_path": ["a.png", "b.png", "c.png"],
            "neighbour_label": label, "argues_for": "label", "copy": [None, None, "file"],
        }
    )  # fmt: skip
    with renewed_results(run, "network/embed", options={}) as results:
        results.csv("map.csv", places(run) if table is None else table)
        results.csv("neighbours.csv", neighbours)
        results.tree(
            "parameters.json", {"sentences": list(sentences), "groups": [*map(list, groups)]}
        )
        for name in ("map.png", "photos.png", "neighbours.png"):
            results.pixels(name, GREY)


def write_probe(run):
    layers = {
        "layer": ["stem", "penultimate"], "channels": [16, 32], "n": 48, "accuracy": [0.25, 0.75],
        "low": [0.15, 0.61], "high": [0.38, 0.85], "control": 0.125,
        "control_lowest": 0.0625, "control_highest": 0.1875,
    }  # fmt: skip
    parting = {"sentence": "cat and lion are told apart from stem on; lost again at penultimate"}
    loss = {"sentence": "dog is found best at stem (75 % of 16); lost again at penultimate (25 %)"}
    known = {
        "images": 48, "classes": ["cat", "dog", "lion"], "partings": [parting], "losses": [loss],
    }  # fmt: skip
    with renewed_results(run, "network/probe", options={}) as results:
        results.csv("layers.csv", pd.DataFrame(layers))
        results.tree("parameters.json", known)
        results.pixels("layers.png", GREY)


def write_invariance(run, *, transforms=("rotate", "blur"), names=("cat",), labelled=True):
    curves = pd.DataFrame(
        {
            "transform": name, "size": size, "n": 40, "probability_mean": 0.9 - size / 100,
            "same_prediction": 0.5, "accuracy": 0.5 if labelled else None, "natural": size <= 20,
        }
        for name in transforms
        for size in (0, 20, 45)
    )  # fmt: skip
    classes = pd.DataFrame(
        {
            "class_name": names, "transform": transforms[0], "n": 10, "accuracy": 1.0,
            "breaks_at": 45.0, "accuracy_there": 0.0, "low": 0.0, "high": 0.2775, "sure": True,
        }
    )  # fmt: skip
    with renewed_results(run, "network/invariance", options={}) as results:
        results.pixels("invariance.png", GREY)
        results.csv("invariance.csv", curves)
        results.csv("classes.csv", classes)


def write_correspondence(run, *, n=1):
    rows = {
        "part": "head", "layer": [f"block.{at}" for at in range(n)], "units": "channels", "n": 40,
        "distance": 0.25, "random_mean": 0.375, "random_low": 0.35, "random_high": 0.4,
        "q_value": 0.002, "alike": True,
    }  # fmt: skip
    sentence = "Hiding the head of 40 images changes block.0 more alike than as much elsewhere."
    with renewed_results(run, "network/correspondence", options={}) as results:
        results.csv("correspondence.csv", pd.DataFrame(rows))
        results.tree("correspondence.json", {"sentences": [sentence]})
        results.pixels("correspondence.png", GREY)
        results.pixels("hidden.png", GREY)


def write_severity(run, *, labelled=True):
    names = ("clean", "fog", "snow")
    severities = pd.DataFrame(
        {"corruption": name, "severity": int(name != "clean"), "n": 40,
         "accuracy": accuracy if labelled else None}
        for name, accuracy in zip(names, (0.9, 0.5, 0.7), strict=True)
    )  # fmt: skip
    corruptions = pd.DataFrame(
        {
            "corruption": ["fog", "snow"], "family": "weather", "n": 40, "severities": 1,
            "error": [0.5, 0.3], "low": [0.4, 0.2], "high": [0.6, 0.4],
            "more_than_clean": [0.4, 0.2], "more_low": [0.3, 0.1], "more_high": [0.5, 0.3],
        }
    )  # fmt: skip
    with renewed_results(run, "network/severity", options={}) as results:
        results.pixels("severity.png", GREY)
        results.csv("severity.csv", severities)
        results.csv("corruptions.csv", corruptions)


def write_occlusion(run, *, images=("images/000.png",), outlined=True):
    table = pd.DataFrame(
        {
            "row": range(len(images)), "sample_id": images, "label_name": "cat",
            "pred_name": "lion", "confidence": 0.75, "layer": LAYER, "channel": 3,
            "activity": 12.5, "lowest_activity": 2.5, "lowest_activity_x": 3.0,
            "lowest_activity_y": 4.0, "class_name": "cat", "probability": 0.25,
            "lowest_probability": 0.125, "lowest_probability_x": 3.0,
            "lowest_probability_y": 4.0, "highest_probability": 0.5,
            "highest_probability_x": 3.0, "highest_probability_y": 4.0, "n_positions": 100,
            "other_label_share": 0.25, "true_label_share": 0.125,
            "object_area": 0.375 if outlined else None, "object_touched": 0.5,
            "object_share": 0.625 if outlined else None, "touched_share": 0.75,
            "predicted_object_share": 0.5, "activity_object_share": 0.5, "peak_on_object": True,
            "match": 0.5, "match_p": 0.01, "projection_hidden": 0.5, "activity_lost_there": 0.5,
            "activity_lost_median": 0.01, "projection": "deconvnet",
            "file": [f"{at}.png" for at in range(len(images))],
        }
    )  # fmt: skip
    said = [{"image": name, "sentences": ["The evidence lies on it."]} for name in images]
    with renewed_results(run, "network/occlusion", options={}) as results:
        for name in table["file"]:
            results.pixels(name, GREY)
        results.csv("occlusion.csv", table)
        results.tree("occlusion.json", {"images": said})


def write_all(run):
    write_channels(run)
    write_features(run)
    write_evolution(run)
    write_invariance(run)
    write_correspondence(run)
    write_severity(run)
    write_occlusion(run)
    write_activations(run)
    write_embed(run)
    write_probe(run)
    write_filters(run)
    write_layers(run)


ALL = {
    "channels": write_channels, "embed": write_embed, "features": write_features,
    "evolution": write_evolution, "invariance": write_invariance,
    "occlusion": write_occlusion, "severity": write_severity,
    "correspondence": write_correspondence,
    "activations": write_activations, "probe": write_probe,
    "filters": write_filters, "layers": write_layers,
}  # fmt: skip


def network_files(run) -> list[Path]:
    """Return the files that the page reads, but for pictures."""
    files = (run.path / "network").rglob("*")
    return sorted(path for path in files if path.suffix in (".csv", ".json"))
