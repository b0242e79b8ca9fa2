"""What the figures of a run would be with other classes or other labels, without inference."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from errlens.analysis.chance import LEAST_SET
from errlens.analysis.confusion import CellSums, ConfusionMatrix
from errlens.analysis.intervals import wilson_interval
from errlens.analysis.metrics import Mean, Proportion, class_rates, macro_f1
from errlens.analysis.pairs import LIKELY, MUTUAL, of_status, pair_table
from errlens.analysis.scores import NO_CLASS
from errlens.analysis.selection import joined_readings
from errlens.classes import ClassNames, Superclasses
from errlens.csv_tables import read_csv
from errlens.errors import BadLabelFile, MissingInput, UnfitOption, nearest, some
from errlens.predictions import LABEL_UNKNOWN, OK, Predictions

# All that is read of the predictions; the logits come beside it where they were kept.
COLUMNS: Final = ("row", "status", "label", "pred", "topk_index", "topk_prob", "logits_row")
UNDECIDED: Final = -1  # in place of a predicted class

_CELLS: Final = 4_000_000  # numbers held at a time
_ROUNDING: Final = 1e-6  # of float32 probabilities
_NULL: Final = np.iinfo(np.int32).min


@dataclass(frozen=True)
class Regrouping:
    """Classes made of other classes.

    `of_class` holds, for each class of the run, an index into `classes`, `NO_CLASS` where it was
    dropped.
    """

    classes: ClassNames
    superclasses: Superclasses | None
    of_class: NDArray[np.int64]

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Of how many classes of the run each class consists."""
        return np.bincount(self.of_class[self.of_class != NO_CLASS], minlength=len(self.classes))


@dataclass(frozen=True)
class Outcome:
    """What comes out, of the run as it is or with other classes and labels.

    `left_out` counts the images of dropped classes, `undecided` those whose class was dropped and
    of which it is not known what they would be taken for: neither is in the matrix. `unsummed`
    counts the images whose probabilities are not known: of these, merged classes have none to add.
    `relabelled` counts the labels that changed.
    """

    matrix: ConfusionMatrix
    left_out: int = 0
    undecided: int = 0
    unsummed: int = 0
    relabelled: int = 0

    @property
    def hits(self) -> int:
        """How many images are predicted right."""
        return self.matrix.total - self.matrix.n_errors

    @property
    def top1(self) -> Proportion | None:
        """The share of the images that is right."""
        n = self.matrix.total
        if not n:
            return None
        low, high = wilson_interval(self.hits, n)
        return Proportion(self.hits / n, float(low), float(high), n)

    @property
    def macro_f1(self) -> Mean | None:
        """The mean F1 of the classes that are a label or a prediction."""
        matrix = self.matrix
        rates = class_rates(matrix.counts.diagonal(), matrix.n, matrix.n_predicted)
        return macro_f1(rates["f1"], matrix.total)

    @property
    def metrics(self) -> dict[str, Any]:
        """What can be said of the figures of metrics.json, in their form."""
        return {
            "n": self.matrix.total,
            "top1": self.top1 and self.top1._asdict(),
            "macro_f1": self.macro_f1 and self.macro_f1._asdict(),
        }

    @property
    def bounds(self) -> tuple[float, float]:
        """The accuracy if all undecided images were wrong, and if all were right."""
        n = max(self.matrix.total + self.undecided, 1)
        return self.hits / n, (self.hits + self.undecided) / n

    @cached_property
    def pairs(self) -> pd.DataFrame:
        """The pairs that are mutually confused, or likely so, best evidence first."""
        return of_status(pair_table(self.matrix), MUTUAL, LIKELY).reset_index(drop=True)

    @property
    def n_mutual(self) -> int | None:
        """How many of them are mutual; None where there are too few classes to tell."""
        if len(self.matrix.classes) < LEAST_SET:
            return None
        return len(of_status(self.pairs, MUTUAL))


class Evidence(NamedTuple):
    """A part of the predictions, and the logits of its predicted images where they were kept."""

    predictions: Predictions
    logits: NDArray[np.floating] | None = None


def regroup(
    classes: ClassNames,
    superclasses: Superclasses | None = None,
    *,
    merge: Sequence[str] = (),
    drop: Sequence[str] = (),
) -> Regrouping:
    """Return the classes that are left when some become one and others go.

    A merged class stands where its first one stood, and keeps a superclass that all its classes
    share.

    Args:
        classes: The classes of the run.
        superclasses: Their superclasses, if any.
        merge: Names joined by plus signs, which names may hold too where that leaves one reading.
        drop: Names.

    Raises:
        UnfitOption: A name is no class, a class is named twice, or fewer than two are left.

    >>> names = ClassNames(("cat", "dog", "fox", "cow"))
    >>> regroup(names, merge=["cat+fox"], drop=["cow"]).classes.names
    ('cat+fox', 'dog')
    """
    merged = [_merged_classes(text, classes) for text in merge]
    dropped = sorted({_class_called(name, classes, option="--drop") for name in drop})
    named = Counter([index for group in (*merged, dropped) for index in group])
    if twice := [classes[index] for index, times in named.items() if times > 1]:
        raise UnfitOption(
            f"{some(twice)} would go to several places",
            hint="name each class once; --merge A+B+C makes one class of three",
        )
    first = {index: min(group) for group in merged for index in group}
    kept = [index for index in range(len(classes)) if index not in dropped]
    heads = sorted({first.get(index, index) for index in kept})
    if len(heads) < 2:
        raise UnfitOption("fewer than two classes would be left: nothing could be mistaken")
    place = {head: number for number, head in enumerate(heads)}
    of_class = np.full(len(classes), NO_CLASS, np.int64)
    of_class[kept] = [place[first.get(index, index)] for index in kept]
    members = [np.flatnonzero(of_class == number).tolist() for number in range(len(heads))]
    return Regrouping(
        ClassNames(_names_of(members, classes), source="the run"),
        superclasses and _shared_superclasses(members, superclasses),
        of_class,
    )


def read_labels(path: Path, plan: pa.Table, classes: ClassNames) -> dict[int, int]:
    """Read a csv file with `row,label` or `sample_id,label`: the class of each row it names.

    Rows without a label are passed over.

    Args:
        path: The file; further columns do not matter.
        plan: The plan of the run, with its `sample_id`.
        classes: The classes of the run.

    Raises:
        MissingInput: There is no such file.
        BadLabelFile: A column is missing, or a row, an image or a label is none of the run's; or an
            image is given two labels.
    """
    if not path.is_file():
        raise MissingInput(path, what="table of labels")
    try:
        table = read_csv(path, text=("row", "sample_id", "label")).rename(columns=str.strip)
    except ValueError as error:
        raise BadLabelFile(f"{str(path)!r} is no csv file: {error}") from error
    key = next((name for name in ("row", "sample_id") if name in table), None)
    if key is None or "label" not in table:
        raise BadLabelFile(
            f"{str(path)!r} has no columns row,label or sample_id,label; it has "
            f"{some(list(table.columns))}"
        )
    table = table.dropna(subset=["label"])
    labels = _known_labels(path, table["label"].tolist(), classes)
    rows = _known_rows(path, table[key].tolist(), plan, by=key)
    found: dict[int, int] = {}
    for row, label in zip(rows, labels, strict=True):
        if found.setdefault(row, label) != label:
            raise BadLabelFile(
                f"{str(path)!r} gives row {row} two labels: {classes[found[row]]!r} and "
                f"{classes[label]!r}"
            )
    return found


def what_if(
    parts: Iterable[Evidence], regrouping: Regrouping, *, labels: Mapping[int, int] | None = None
) -> Outcome:
    """Count predictions among other classes, with some labels mended.

    The probability of a merged class is the sum of those of its classes, and the most probable of
    the classes left is predicted: by the logits, which give every probability, else by the stored
    most probable classes. These settle an image if no class can have more, whatever the
    probabilities that were not stored; else the class that the prediction became part of is kept.
    So it is where no probability is known; and if that class was dropped, the image is undecided.
    A tie goes to the class that the run ranks first.

    Args:
        parts: Parts of the predictions, with `COLUMNS`.
        regrouping: The classes.
        labels: The class, among those of the run, of each row whose label changes.

    >>> matrix = what_if([], regroup(ClassNames(("cat", "dog")))).matrix
    >>> matrix.total
    0
    """
    k = len(regrouping.classes)
    sums, unscored = CellSums(k), np.zeros(k, np.int64)
    left_out = undecided = unsummed = relabelled = 0
    for part in parts:
        label, changed = _labels_of(part.predictions.table, labels or {})
        group = np.where(label == NO_CLASS, NO_CLASS, regrouping.of_class[label])
        scored = _scored(part.predictions.table)
        counted = np.flatnonzero(scored & (group != NO_CLASS))
        pred, is_summed = _decide(part, counted, regrouping)
        decided = pred != UNDECIDED
        sums.add(group[counted][decided], pred[decided])
        unscored += np.bincount(group[~scored & (group != NO_CLASS)], minlength=k)
        left_out += int(np.count_nonzero(scored & (label != NO_CLASS) & (group == NO_CLASS)))
        undecided += int(np.count_nonzero(~decided))
        unsummed += int(np.count_nonzero(decided & ~is_summed))
        relabelled += changed
    matrix = ConfusionMatrix(sums.total(), regrouping.classes, regrouping.superclasses, unscored)
    return Outcome(matrix, left_out, undecided, unsummed, relabelled)


# Names


def _merged_classes(text: str, classes: ClassNames) -> list[int]:
    """Return the classes whose names a text joins by plus signs."""

    def meant(word: str) -> Iterable[int]:
        index = classes.index(word)
        return () if index is None else (index,)

    spaced = "+".join(piece.strip() for piece in text.split("+"))
    for spelling in dict.fromkeys((text, spaced)):
        # A few will do: two that differ are refused.
        found = islice((one for one in joined_readings(spelling, meant) if len(one) > 1), 100)
        readings = {frozenset(one): one for one in found if len(set(one)) == len(one)}
        if len(readings) > 1:
            shown = "; or ".join(
                " and ".join(repr(classes[index]) for index in one) for one in readings.values()
            )
            raise UnfitOption(f"--merge {text!r} may mean several things: {shown}")
        if readings:
            return list(next(iter(readings.values())))
    words = [piece.strip() for piece in text.split("+")]
    if len(words) < 2 or classes.index(text) is not None:
        raise UnfitOption(f"--merge {text!r} names one class", hint="join two by a +, as in A+B")
    for word in words:
        _class_called(word, classes, option="--merge", of=text)
    raise UnfitOption(f"--merge {text!r} names a class twice")


def _class_called(name: str, classes: ClassNames, *, option: str, of: str = "") -> int:
    index = classes.index(name)
    if index is None:
        near = nearest(name, classes.names)
        where = f"{option} {of!r}" if of else option
        raise UnfitOption(
            f"{where}: {name!r} names no class of the run",
            hint=f"did you mean {', '.join(near)}?" if near else "",
        )
    return index


def _names_of(members: Sequence[Sequence[int]], classes: ClassNames) -> tuple[str, ...]:
    """Return the names of groups; one that is a class's already is told apart."""
    alone = {classes[group[0]] for group in members if len(group) == 1}
    names: list[str] = []
    for group in members:
        name = "+".join(classes[index] for index in group)
        while len(group) > 1 and (name in alone or name in names):
            name += " (merged)"
        names.append(name)
    return tuple(names)


def _shared_superclasses(
    members: Sequence[Sequence[int]], superclasses: Superclasses
) -> Superclasses:
    parents = [{superclasses.of_class[index] for index in group} for group in members]
    shared = tuple(one.copy().pop() if len(one) == 1 else None for one in parents)
    return Superclasses(superclasses.names, shared)


# Labels


def _known_labels(path: Path, labels: Sequence[str], classes: ClassNames) -> list[int]:
    found = {label: classes.index(label) for label in labels}
    unknown = [label for label, index in found.items() if index is None]
    if unknown:
        near = nearest(unknown[0], classes.names)
        raise BadLabelFile(
            f"{str(path)!r} has labels that are no class of the run: {some(unknown)}",
            hint=f"did you mean {', '.join(near)}?" if near else "",
        )
    return [index for label in labels if (index := found[label]) is not None]


def _known_rows(path: Path, keys: Sequence[str], plan: pa.Table, *, by: str) -> list[int]:
    ids = plan["sample_id"].to_pylist()
    names = ids if by == "sample_id" else map(str, range(len(ids)))
    known = {name: row for row, name in enumerate(names)}
    unknown = [key for key in keys if key not in known]
    if unknown:
        near = nearest(str(unknown[0]), known) if by == "sample_id" else []
        raise BadLabelFile(
            f"{str(path)!r} names images that the run does not have: {by} {some(unknown)}",
            hint=f"did you mean {', '.join(near)}?"
            if near
            else f"the last row of the run is {len(ids) - 1}",
        )
    return [known[key] for key in keys]


def _labels_of(table: pa.Table, mended: Mapping[int, int]) -> tuple[NDArray[np.int64], int]:
    """Return the labels of a part, and how many changed."""
    label = table["label"].fill_null(NO_CLASS).to_numpy().astype(np.int64)
    row = table["row"].to_numpy()
    new = np.array([mended.get(one, NO_CLASS) for one in row.tolist()], np.int64)
    new = np.where(new == NO_CLASS, label, new)
    return new, int(np.count_nonzero(new != label))


def _scored(table: pa.Table) -> NDArray[np.bool_]:
    """Tell which images were predicted; one with a stranger's label may get one of ours."""
    status = pc.is_in(table["status"].cast(pa.string()), pa.array([OK, LABEL_UNKNOWN]))
    scored: NDArray[np.bool_] = pc.and_(status, table["pred"].is_valid()).to_numpy()
    return scored


# Predictions


class _Ranked(NamedTuple):
    """The stored most probable classes of n images, all in one row: `at` says whose each is."""

    n: int
    at: NDArray[np.int64]
    class_index: NDArray[np.int64]
    prob: NDArray[np.float64]


def _decide(
    part: Evidence, rows: NDArray[np.int64], regrouping: Regrouping
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the new class of some rows of a part, and whether it is certain."""
    of_class = regrouping.of_class
    pred = of_class[part.predictions.table["pred"].fill_null(0).to_numpy()[rows]]
    # What was the most probable class stays so where others go, and nothing is added up.
    certain = (pred != UNDECIDED) & (regrouping.sizes.max() == 1)
    step = max(1, _CELLS // len(of_class))
    for start in range(0, len(rows), step):
        here = np.arange(start, min(start + step, len(rows)))[~certain[start : start + step]]
        best = _most_probable(part, rows[here], regrouping)
        known = best != UNDECIDED
        pred[here[known]] = best[known]
        certain[here] = known
    return pred, certain


def _most_probable(
    part: Evidence, rows: NDArray[np.int64], regrouping: Regrouping
) -> NDArray[np.int64]:
    """Return the new class of some rows as far as probabilities tell, else `UNDECIDED`."""
    table, at = part.predictions.table, np.arange(len(rows))
    ranked = _ranked(table.take(pa.array(rows)))
    if part.logits is None:
        low, high = _bounds(ranked, regrouping)
    else:
        of_image = table["logits_row"].fill_null(0).to_numpy()[rows]
        low = high = _shares(np.asarray(part.logits[of_image], np.float64), regrouping.of_class)
    best = low.argmax(axis=1)
    first = _first_left(ranked, regrouping.of_class)
    tied = (first != UNDECIDED) & (low[at, first] == low[at, best])
    best = np.where(tied, first, best)
    others = high.copy()
    others[at, best] = 0
    return np.where(low[at, best] >= others.max(axis=1, initial=0), best, UNDECIDED)


def _ranked(table: pa.Table) -> _Ranked:
    index, prob = (table[name].combine_chunks() for name in ("topk_index", "topk_prob"))
    both = pc.and_(index.is_valid(), prob.is_valid())
    length = pc.if_else(both, pc.list_value_length(index), 0).to_numpy(zero_copy_only=False)
    index, prob = index.filter(both).flatten(), prob.filter(both).flatten()
    at = np.repeat(np.arange(len(table)), length.astype(np.int64))
    return _Ranked(
        len(table), at, index.to_numpy().astype(np.int64), prob.to_numpy().astype(np.float64)
    )


def _first_left(ranked: _Ranked, of_class: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the new class of the first one of each image's ranking that was not dropped."""
    group = of_class[ranked.class_index]
    left = group != NO_CLASS
    images, places = np.unique(ranked.at[left], return_index=True)
    first = np.full(ranked.n, UNDECIDED, np.int64)
    first[images] = group[left][places]
    return first


def _shares(logits: NDArray[np.float64], of_class: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the probabilities of the new classes, but for a factor an image; all are known."""
    order = np.argsort(of_class, kind="stable")
    order = order[of_class[order] != NO_CLASS]
    _, starts = np.unique(of_class[order], return_index=True)
    left = logits[:, order]
    # Less the largest of what is left, not of what was dropped: that could leave only zeros.
    left = np.exp(left - left.max(axis=1, keepdims=True, initial=-np.inf))
    shares: NDArray[np.float64] = np.add.reduceat(left, starts, axis=1)
    return shares


def _bounds(
    ranked: _Ranked, regrouping: Regrouping
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the least and the most that the probability of each new class can be.

    A class that was not stored has no more than the last one that was, and all of these together
    no more than is missing to one.
    """
    shape = ranked.n, len(regrouping.classes)
    group = regrouping.of_class[ranked.class_index]
    left = group != NO_CLASS
    low, stored = np.zeros(shape), np.zeros(shape, np.int64)
    np.add.at(low, (ranked.at[left], group[left]), ranked.prob[left])
    np.add.at(stored, (ranked.at[left], group[left]), 1)
    last = np.ones(ranked.n)
    np.minimum.at(last, ranked.at, ranked.prob)
    missing = 1 + _ROUNDING - np.bincount(ranked.at, ranked.prob, minlength=ranked.n)
    rest = np.minimum(missing[:, None].clip(0), (regrouping.sizes - stored) * last[:, None])
    return low, low + rest
