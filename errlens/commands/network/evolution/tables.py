"""The tables of `errlens network evolution`."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.analysis.confusion.matrix import confusion_matrix
from errlens.analysis.confusion.pairs import pair_table as confused_pairs
from errlens.analysis.evolution.settling import settled_table
from errlens.analysis.evolution.training import Answers, pair_table, training_table
from errlens.analysis.selection.parsing import parse_pair
from errlens.commands.network.run_images import Facts
from errlens.network.evolution.evolving import Evolution
from errlens.network.units.top_places import NO_IMAGE
from errlens.predictions.scores import score
from errlens.run.csv_tables import NUMBER, TEXT, TRUTH, WHOLE, in_a_line
from errlens.run.folder import RunFolder

MOST_PAIRS: Final = 3  # where none is named
_COUNTED: Final = ("status", "label", "pred")

# evolution.csv: one row for each channel and checkpoint. `row` and `column` are the place in the
# layer's map, from 0; they, the image and its activation are missing where a channel never fires.
# `jump` is true where the image is another one than at the checkpoint before.
EVOLUTION_COLUMNS: Final = {
    "checkpoint": TEXT, "layer": TEXT, "channel": WHOLE, "image_id": TEXT, "activation": NUMBER,
    "row": NUMBER, "column": NUMBER, "jump": TRUTH, "path": TEXT, "label_name": TEXT,
}  # fmt: skip


class Tables(NamedTuple):
    """The tables, called like their files; without labels there is nothing of training."""

    evolution: pd.DataFrame
    settled: pd.DataFrame
    training: pd.DataFrame | None
    pairs: pd.DataFrame | None

    def __repr__(self) -> str:
        """Return a line for a notebook: which tables there are."""
        return in_a_line(
            {name: table for name, table in self._asdict().items() if table is not None}
        )


def tables_of(
    found: Evolution,
    images: Sequence[Facts],
    pairs: Sequence[tuple[int, int]],
    names: Sequence[str],
) -> Tables:
    """Return the tables of what was found.

    Args:
        found: What was seen at each checkpoint.
        images: What is known of each image, by its number.
        pairs: Class indices of those that are watched.
        names: Of all classes.
    """
    checkpoints = [file.name for file in found.checkpoints]
    likeness = {
        layer.name: [seen.likeness[layer.name] for seen in found.seen] for layer in found.layers
    }
    answers = answers_of(found, images)
    labelled = len(answers[0].label) > 0
    return Tables(
        _evolution(found, images),
        settled_table(likeness, checkpoints),
        training_table(answers, checkpoints) if labelled else None,
        pair_table(answers, checkpoints, pairs, names) if labelled else None,
    )


def answers_of(found: Evolution, images: Sequence[Facts]) -> list[Answers]:
    """Return what is predicted of the images with a label, by checkpoint."""
    label = np.array(
        [-1 if images[at]["label"] is None else images[at]["label"] for at in found.read], np.int32
    )
    known = label >= 0
    return [_answers(seen.logits[known], label[known], found.bias) for seen in found.seen]


def watched_pairs(run: RunFolder, named: Sequence[str] | None) -> list[tuple[int, int]]:
    """Return the pairs that were named, or those that the run confuses the most.

    Raises:
        NoLabels: Pairs were named, and nothing in the run is right or wrong.
        UnfitSelection: A name is that of no two classes.
    """
    predictions = run.read_predictions(_COUNTED)
    labelled = len(predictions.judged) > 0
    classes = predictions.classes
    if named:
        if not labelled:
            raise run.no_labels()
        return list(dict.fromkeys(parse_pair(text, classes) for text in named))
    if not labelled:
        return []
    table = confused_pairs(confusion_matrix([predictions], classes, predictions.superclasses))
    both = zip(table["class_a"].head(MOST_PAIRS), table["class_b"], strict=False)
    index = {name: at for at, name in enumerate(classes.names)}
    return [(index[a], index[b]) for a, b in both]


def _answers(logits: NDArray[np.float32], label: NDArray[np.int32], bias: float) -> Answers:
    scores = score(logits, label, topk=1, bias=bias)
    return Answers(scores.finite, label, scores.pred, scores.confidence, scores.loss)


def _evolution(found: Evolution, images: Sequence[Facts]) -> pd.DataFrame:
    """Return evolution.csv: checkpoint by checkpoint, layer by layer."""
    before: dict[tuple[str, int], int] = {}
    rows: list[dict[str, Any]] = []
    for file, seen in zip(found.checkpoints, found.seen, strict=True):
        for layer in found.layers:
            top = seen.strongest[layer.name]
            for at, channel in enumerate(found.channels[layer.name].tolist()):
                number = int(top.images[at])
                fires = number != NO_IMAGE
                row, column = divmod(int(top.places[at]), layer.columns)
                rows.append(
                    {
                        "checkpoint": file.name,
                        "layer": layer.name,
                        "channel": channel,
                        "image_id": images[number]["sample_id"] if fires else None,
                        "activation": float(top.values[at]) if fires else None,
                        "row": row if fires else None,
                        "column": column if fires else None,
                        "jump": before.get((layer.name, channel), number) != number,
                        "path": images[number]["path"] if fires else None,
                        "label_name": images[number]["label_name"] if fires else None,
                    }
                )
                before[layer.name, channel] = number
    table = pd.DataFrame(rows, columns=list(EVOLUTION_COLUMNS))
    return table.astype({"row": "Int64", "column": "Int64"})
