"""Probing layers: how well each tells classes apart, and where two classes part."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.analysis.probing.accuracy import (
    SHUFFLES,
    check_folds,
    layer_accuracy,
    superclass_accuracy,
)
from errlens.analysis.probing.classes import class_recall, losses
from errlens.analysis.probing.classifier import STRENGTHS, USUAL_STRENGTH
from errlens.analysis.probing.curves import DRAWS, check_per_class, learning_curves
from errlens.analysis.probing.pairs import partings, probe_pair
from errlens.attribution.explained_model import ExplainedModel
from errlens.commands.network.probe import layers_view
from errlens.commands.network.probe.asked import AskedImages, asked_images
from errlens.commands.network.probe.options import ProbeOptions
from errlens.commands.network.probe.pictures import draw
from errlens.commands.network.probe.result import LayerProbe
from errlens.commands.network.probe.seen import ALL, MIN_CLASSES, Seen, read_layers
from errlens.errors import UnfitLayer, UnfitModel, UnfitOption
from errlens.model.classifier import Classifier
from errlens.network.probing.layers import PENULTIMATE, ProbedLayer, all_layers, probed_layers
from errlens.run.results import renewed_folder
from errlens.terminal import Screen

KIND = "probe"  # the folder of results


def check_asked(options: ProbeOptions) -> None:
    """Refuse options that ask for nothing, or for two things at once.

    Raises:
        UnfitOption: That is so.
    """
    if options.of_layers and options.save_head is not None:
        raise UnfitOption(
            "--save-head fits a head, and --layers and --per-class probe layers: one at a time",
            hint="leave --save-head out",
        )
    if not options.of_layers and options.save_head is None:
        raise UnfitOption(
            "there is nothing to do: neither a head to be saved nor layers to be probed",
            hint="--save-head FILE.safetensors, or --layers all",
        )
    if options.pair and options.layers is None:
        raise UnfitOption(
            "--pair asks at which layer two classes part: which layers?", hint="--layers all"
        )


def probe_layers(options: ProbeOptions, screen: Screen) -> LayerProbe:
    """Probe layers with the images of DATA, and write what they tell."""
    # Which images, of which classes, and which layers?
    per_class = _numbers(options.per_class)
    asked = asked_images(options, screen)
    _check(asked.classes.names, asked.label[asked.label >= 0], options, per_class)
    classifier = asked.subject.classifier
    layers, with_last = _layers_of(classifier, options.layers)

    # What does each layer see in them?
    seen = read_layers(options, screen, asked, layers, with_last=with_last)
    _check(seen.names, seen.label, options, per_class)

    # What does that tell?
    result = _judged(options, screen, asked, seen, per_class)
    written = _written(options, result)
    layers_view.show(screen, options, written)
    layers_view.print_json(screen, written)
    return written


def _numbers(text: str | None) -> list[int]:
    """Return the numbers of images that were asked for, ascending.

    Raises:
        UnfitOption: The text is no list of numbers.
    """
    if text is None:
        return []
    words = [word.strip() for word in str(text).strip("[]").split(",")]
    if not all(word.isascii() and word.isdecimal() and int(word[:9]) > 0 for word in words):
        raise UnfitOption(
            f"--per-class {text!r} is no list of numbers from 1 on", hint="--per-class 1,3,5,10"
        )
    return sorted({int(word) for word in words})


def _layers_of(classifier: Classifier, text: str | None) -> tuple[list[ProbedLayer], bool]:
    """Return the layers that were asked for, and whether what the last one is fed is one.

    Raises:
        UnfitLayer, NoSpatialLayer: There is no such layer, or it cannot be looked into.
        UnfitModel: There is nothing to probe.
    """
    has_last = classifier.interface.head is not None
    model = ExplainedModel.of(classifier)
    if text == ALL:
        layers = all_layers(model.module, model.size)
        if not layers and not has_last:
            raise UnfitModel(f"{classifier.network.name} has no layer to be probed")
        return layers, has_last
    names = [PENULTIMATE] if text is None else [name.strip() for name in text.split(",")]
    wanted = [name for name in names if name and name != PENULTIMATE]
    with_last = PENULTIMATE in names
    if not wanted and not with_last:
        raise UnfitOption(f"--layers {text!r} names no layer", hint="--layers all")
    if with_last and not has_last:
        raise UnfitModel(
            f"{classifier.network.name} has no linear layer that gives its outputs: what that "
            "would be fed is not known",
            hint="--layers LAYER names another one; errlens network layers lists them",
        )
    if not wanted:
        return [], with_last
    try:
        return probed_layers(model.module, model.size, wanted), with_last
    except UnfitLayer as error:
        error.hint = error.hint or "--layers all"
        raise


def _check(
    names: Sequence[str],
    label: NDArray[np.integer],
    options: ProbeOptions,
    per_class: Sequence[int],
) -> None:
    """Refuse too few images of a class; those that will be left out do not count."""
    there, compact, counts = np.unique(label, return_inverse=True, return_counts=True)
    if (counts > 1).sum() >= MIN_CLASSES:
        there, compact = np.unique(label[counts[compact] > 1], return_inverse=True)
    named = [names[at] for at in there.tolist()]
    if options.layers is not None or len(named) < 2:
        check_folds(compact, named, folds=options.folds)
    if per_class:
        check_per_class(per_class, compact, named)


def _judged(
    options: ProbeOptions,
    screen: Screen,
    asked: AskedImages,
    seen: Seen,
    per_class: Sequence[int],
) -> LayerProbe:
    """Fit the probes that were asked for."""
    layers = classes = superclasses = pairs = curves = None
    how = {"folds": options.folds, "seed": options.seed}
    if options.layers is not None:
        with screen.progress("probing layers", total=len(seen.features)) as advance:
            layers, probes = layer_accuracy(seen.features, seen.label, **how, advance=advance)
        classes = class_recall(probes, seen.label, seen.names)
        if asked.superclasses:
            parents = [asked.superclasses.name_of(index) for index in seen.of_all.tolist()]
            superclasses = superclass_accuracy(probes, seen.label, parents)
        pairs = _pairs(screen, asked, seen, how)
    if per_class:
        with screen.progress("drawing learning curves", total=len(seen.features)) as advance:
            curves = learning_curves(
                seen.features, seen.label, per_class, seed=options.seed, advance=advance
            )
    return LayerProbe(
        asked.subject,
        len(seen.label),
        seen.names,
        layers,
        classes,
        superclasses,
        pairs,
        curves,
        [] if pairs is None else list(partings(pairs)),
        [] if classes is None else list(losses(classes)),
        None if seen.right is None else float(seen.right.mean()),
        asked.subject.folder(options.into, KIND),
    )


def _pairs(
    screen: Screen, asked: AskedImages, seen: Seen, how: Mapping[str, int]
) -> pd.DataFrame | None:
    """Probe for the pairs that were asked for; None where there are none."""
    place = {index: at for at, index in enumerate(seen.of_all.tolist())}
    known = [pair for pair in asked.pairs if place.keys() >= {*pair}]
    for a, b in set(asked.pairs) - set(known):
        screen.warn(f"{asked.classes[a]}~{asked.classes[b]}: one of them has too few images")
    if not known:
        return None
    total = len(known) * len(seen.features)
    with screen.progress("probing pairs", total=total) as advance:
        tables = [
            probe_pair(
                seen.features,
                seen.label,
                (place[a], place[b]),
                (asked.classes[a], asked.classes[b]),
                **how,
                advance=advance,
            )
            for a, b in dict.fromkeys(known)
        ]
    return pd.concat(tables, ignore_index=True)


def _written(options: ProbeOptions, result: LayerProbe) -> LayerProbe:
    """Write tables, pictures and parameters."""
    made_of = result.subject.made_of
    with renewed_folder(result.folder, run_hash=made_of, options={}) as results:
        draw(results, result)
        for name in ("layers", "classes", "superclasses", "pairs", "curves"):
            if (table := getattr(result, name)) is not None:
                results.csv(f"{name}.csv", table)
        results.tree("parameters.json", _parameters(options, result))
    return result._replace(files=results.written)


def _parameters(options: ProbeOptions, result: LayerProbe) -> dict[str, Any]:
    """Return all that the numbers depend on, and where pairs part."""
    floats = 0 if result.layers is None else int(result.layers["channels"].sum()) * result.n
    return {
        "data": str(options.data),
        "network": result.subject.name,
        "made_of": result.subject.made_of,
        "images": result.n,
        "classes": list(result.names),
        "classifier": "multinomial logistic regression of scikit-learn, features standardised",
        "C": STRENGTHS,
        "C_of_controls_and_curves": USUAL_STRENGTH,
        "features": "mean of each channel over its places",
        "folds": options.folds,
        "shuffles": SHUFFLES,
        "draws": DRAWS,
        "seed": options.seed,
        "own_accuracy": result.own,
        "floats_kept": floats,
        "partings": [parting._asdict() for parting in result.partings],
        "losses": [loss._asdict() for loss in result.losses],
    }
