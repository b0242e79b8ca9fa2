"""`errlens network filters`: what do the filters of a network look like, and which are no good?"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from errlens.attribution.explained_model import ExplainedModel
from errlens.commands.network.filters import view
from errlens.commands.network.filters.options import FiltersOptions
from errlens.commands.network.filters.pictures import first_layer_figure, spectra_figure
from errlens.commands.network.filters.result import FiltersResult, Judged
from errlens.commands.network.subject import Subject
from errlens.errors import NoSpatialLayer, UnfitOption
from errlens.model.weights.checkpoints import hash_weights
from errlens.network.activations.first_layer import of_photos
from errlens.network.filters.convolutions import find_convolutions
from errlens.network.filters.side_by_side import differences, what_differs
from errlens.network.filters.suspicions import find_suspicions, untrained_networks
from errlens.network.filters.tables import filter_tables, joined
from errlens.run.file_names import distinct_names
from errlens.run.results import renewed_folder
from errlens.terminal import Screen

KIND = "filters"  # the folder of results
AGAINST = "against_"  # and the start of those inside it that hold a second network


def filters(options: FiltersOptions, screen: Screen | None = None) -> FiltersResult:
    """Judge the filters of a network, or of two side by side."""
    screen = screen or options.screen()
    subjects = _subjects(options, screen)
    names = _told_apart([subject.name for subject in subjects])
    networks = [_judged(name, subject) for name, subject in zip(names, subjects, strict=True)]
    result = _written(options, networks)
    view.show(screen, result)
    view.print_json(screen, result)
    return result


def _subjects(options: FiltersOptions, screen: Screen) -> list[Subject]:
    """Return the network, or the two, that are meant."""
    subjects = [options.find_subject(screen)]
    if options.other is not None:
        subjects.append(options.of_another(options.other).find_subject(screen))
        first, second = (hash_weights(subject.classifier.network.module) for subject in subjects)
        if first == second:
            raise UnfitOption(
                f"{options.other!r} has the same weights as the first network: nothing differs",
                hint="leave the second out, or name another one",
            )
    return subjects


def _told_apart(names: Sequence[str]) -> list[str]:
    """Return names of networks, no two of which are the same."""
    return [*names[:1], *(name + " (2)" if name in names[:1] else name for name in names[1:])]


def _judged(name: str, subject: Subject) -> Judged:
    """Look at the filters of one network."""
    module = subject.classifier.network.module
    size = ExplainedModel.of(subject.classifier).size
    found = find_convolutions(module, size)
    if not found.layers:
        others = f", and those of {found.of_other_maps[0]} are none" if found.of_other_maps else ""
        raise NoSpatialLayer(f"{name} has no filters to look at: no convolution of images{others}")
    first = found.layers[0] if found.layers[0].sees(size[0]) else None
    images = None
    if first is not None:
        images = of_photos(first.filters.astype(np.float64), subject.classifier.preparation)
    left_out = {
        **dict.fromkeys(found.of_other_maps, "no convolution of two axes"),
        **dict.fromkeys(found.idle, "it does not run"),
    }
    tables = filter_tables(name, found.layers, first)
    return Judged(name, subject, tables, first.layer if first else None, images, left_out)


def _written(options: FiltersOptions, networks: Sequence[Judged]) -> FiltersResult:
    """Judge what was found, and write it: of two networks, into a folder of their own inside."""
    tables = joined([network.tables for network in networks])
    layers = [network.tables.layers for network in networks]
    subject = networks[0].subject
    folder = subject.folder(options.into, KIND)
    place = f"{AGAINST}{distinct_names([networks[1].name])[0]}/" if networks[1:] else ""
    result = FiltersResult(
        networks,
        tables,
        find_suspicions(tables),
        untrained_networks(tables),
        differences(*layers) if networks[1:] else None,
        what_differs(*layers) if networks[1:] else [],
        folder / place,
    )

    def keep(name: str) -> bool:
        """Tell whether a file is of another call: of one network alone, or against another one."""
        return name.partition("/")[0] != place.rstrip("/") if place else "/" in name

    with renewed_folder(folder, run_hash=subject.made_of, options={}, keep=keep) as results:
        if any(network.images is not None for network in networks):
            results.png(f"{place}first_layer.png", first_layer_figure(networks, options.scale))
            results.npz(
                f"{place}first_layer.npz",
                {
                    f"filters{number}": network.images
                    for number, network in enumerate(networks, 1)
                    if network.images is not None
                },
            )
        results.png(f"{place}spectra.png", spectra_figure(result))
        results.csv(f"{place}layers.csv", tables.layers)
        results.csv(f"{place}filters.csv", tables.filters)
        results.csv(f"{place}suspicions.csv", result.suspicions)
        if result.differences is not None:
            results.csv(f"{place}differences.csv", result.differences)
        results.tree(f"{place}parameters.json", _parameters(options, result))
        written = [name.removeprefix(place) for name in results.written]
    return result._replace(files=written)


def _parameters(options: FiltersOptions, result: FiltersResult) -> dict[str, Any]:
    """Return all that the pictures and numbers depend on, and what they come to."""
    return {**result.as_tree(), "scale": options.scale}
