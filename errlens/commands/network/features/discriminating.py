"""What tells A from B: the channels that fire differently, and what silencing them does."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from errlens.analysis.channels.ablation import KIND
from errlens.analysis.channels.sentences import in_words, unsure
from errlens.analysis.findings.finding import Finding
from errlens.analysis.findings.known.channels import from_channels
from errlens.attribution.explained_model import ExplainedModel
from errlens.commands.network.channels import layer_names
from errlens.commands.network.features.channel_pictures import (
    CHANNELS,
    ablation_figure,
    channels_figure,
)
from errlens.commands.network.features.options import FeaturesOptions
from errlens.errors import UnfitOption
from errlens.model.classifier import Classifier
from errlens.model.reload import reload_classifier
from errlens.network.channels.telling_apart import (
    OfLayer,
    Pair,
    Progress,
    compared,
    pair_of,
    silenced,
)
from errlens.run.folder import RunFolder
from errlens.run.results import renewed_results
from errlens.terminal import Screen


class Discriminated(NamedTuple):
    """Which channels tell two classes apart, and what came of silencing them.

    `channels`, `ablation` and `changes` are the tables as written, the last two None where nothing
    was silenced. `remarks` say what could not be done.
    """

    pair: tuple[str, str]
    layers: Sequence[OfLayer]
    channels: pd.DataFrame
    ablation: pd.DataFrame | None
    changes: pd.DataFrame | None
    findings: Sequence[Finding]
    remarks: Sequence[str]
    figures: dict[str, Figure]
    folder: Path
    written: Sequence[str]

    @property
    def leading(self) -> dict[str, list[int]]:
        """The first channels of each layer, by its name."""
        return {of_layer.layer.name: of_layer.leading(CHANNELS) for of_layer in self.layers}

    @property
    def sentences(self) -> list[str]:
        """Where no channel differs for sure, and what silencing did."""
        said = []
        for of_layer in self.layers:
            said += unsure(of_layer.channels)
            said += in_words(of_layer.ablation) if of_layer.ablation is not None else []
        return said


def tell_apart(run: RunFolder, options: FeaturesOptions, screen: Screen) -> Discriminated | None:
    """Tell apart the classes that were asked for, if any were.

    Raises:
        UnfitOption: Channels are to be silenced, and of no pair.
        NoModel: The run has none.
        Others: As `discriminate`.
    """
    if options.discriminate is None:
        if options.ablate:
            raise UnfitOption(
                "--ablate silences channels that mix up two classes: which ones?",
                hint="--discriminate A~B says that",
            )
        return None
    info = run.require_model()
    return discriminate(
        run,
        reload_classifier(info, device=options.device, trusted=options.trust_run),
        options.discriminate,
        root=options.images_root(run),
        layers=layer_names(options.layer) or (),
        ablate=options.ablate,
        workers=options.workers,
        seed=options.seed,
        progress=screen.progress,
    )


def discriminate(  # noqa: PLR0913 - one name for each thing that can be chosen
    run: RunFolder,
    classifier: Classifier,
    pair: str,
    *,
    root: Path,
    layers: Sequence[str] = (),
    ablate: bool = False,
    workers: int | None = None,
    seed: int = 0,
    progress: Progress,
) -> Discriminated:
    """Rank the channels of layers by how differently they fire on two classes; write the tables.

    They go to RUN/network/channels, in the place of those of another pair.

    Args:
        run: Complete, with its labels.
        classifier: That of the run.
        pair: As typed: A~B.
        root: Where the images lie.
        layers: Names of layers; by default the last with a map of places.
        ablate: Silence the strongest suspects, and random channels as control.
        workers: Threads, if not one for each core.
        seed: Decides the random channels, and which images of other classes are asked again.
        progress: `progress(what, total=...)` gives a function that is told of each step forward.

    Raises:
        UnfitSelection: The pair names no two classes, or one has no image.
        UnfitLayer, NoSpatialLayer: There is no such layer.
        NoImages: None of the images can be read.
        UserCodeFailed, OutOfMemory: The network raised something.
    """
    asked = pair_of(run, classifier, pair, root, workers=workers, seed=seed, progress=progress)
    of_layers: list[OfLayer] = []
    remarks: list[str] = []
    for name in layers or (None,):
        layer = ExplainedModel.of(classifier, layer=name).spatial_layer
        of_layer = compared(asked, layer, remarks)
        of_layers.append(silenced(asked, of_layer, remarks) if ablate else of_layer)
    channels = pd.concat([of_layer.channels for of_layer in of_layers], ignore_index=True)
    ablation, changes = (
        pd.concat(tables, ignore_index=True) if tables else None
        for tables in (
            [of_layer.ablation for of_layer in of_layers if of_layer.ablation is not None],
            [of_layer.changes for of_layer in of_layers if of_layer.changes is not None],
        )
    )
    findings = [
        finding
        for of_layer in of_layers
        if of_layer.ablation is not None and of_layer.changes is not None
        for finding in from_channels(asked.images, of_layer.ablation, of_layer.changes)
    ]
    figures = _figures(asked, of_layers)
    options = {
        "pair": "~".join(asked.names),
        "layers": [of_layer.layer.name for of_layer in of_layers],
        "ablate": ablate,
        "seed": seed,
    }
    with renewed_results(run, KIND, options=options) as results:
        results.csv("channels.csv", channels)
        if ablation is not None and changes is not None:
            results.csv("ablation.csv", ablation)
            results.csv("changes.csv", changes)
        for file, figure in figures.items():
            results.png(file, figure)
    return Discriminated(
        asked.names, of_layers, channels, ablation, changes, findings, list(dict.fromkeys(remarks)),
        figures, run.results_folder(KIND), results.written,
    )  # fmt: skip


def _figures(pair: Pair, of_layers: Sequence[OfLayer]) -> dict[str, Figure]:
    """Draw each layer's channels, and what silencing did; files are numbered if several."""
    figures = {}
    for number, of_layer in enumerate(of_layers, start=1):
        end = f"-{number}" if len(of_layers) > 1 else ""
        figures[f"channels{end}.png"] = channels_figure(pair, of_layer)
        if of_layer.ablation is not None:
            figures[f"ablation{end}.png"] = ablation_figure(pair.names, of_layer.ablation)
    return figures
