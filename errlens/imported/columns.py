"""What a table of predictions calls its columns, and what is said where one is not there."""

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from errlens.classes.headers import CALLED_PRED
from errlens.classes.spelling import folded
from errlens.errors import BadPredictions, UnfitOption, nearest, some, which_of
from errlens.escapes import shell_line
from errlens.imported.probabilities import LOGIT, PREFIXES, likely_prefix


class PredictionColumns(NamedTuple):
    """What a table of predictions calls its columns; `path` gives way to `id` where it lacks."""

    path: str = "path"
    id: str = "id"
    label: str = "label"
    pred: str = "pred"
    confidence: str = "confidence"
    split: str = "split"

    def place(self, present: Sequence[str]) -> str:
        """Return the column that says which image a row is about, once the label is there too.

        Raises:
            BadPredictions: One of them is not there.
        """
        missing = [] if self.path in present or self.id in present else ["path"]
        missing += [] if self.label in present else ["label"]
        if missing:
            raise self._lacking(missing, present)
        return self.path if self.path in present else self.id

    def refuse_absent(self, present: Sequence[str]) -> None:
        """Raise an error where a column that the user named is not there; others may be absent."""
        usual = PredictionColumns()
        for name, column in self._asdict().items():
            if column != getattr(usual, name) and column not in present:
                raise UnfitOption(
                    f"--{name}-column {column!r}: the table has no such column",
                    hint=which_of(column, present),
                )

    def refuse_double_use(self) -> None:
        """Raise an error where one column is to be two; only an id may be the path as well."""
        places = {name: column for name, column in self._asdict().items() if name != "id"}
        for name, column in places.items():
            twins = [other for other in places if places[other] == column]
            if len(twins) > 1:
                raise UnfitOption(
                    f"{' and '.join(f'--{twin}-column' for twin in twins)} all name {column!r}",
                    hint=f"which column holds the {name}?",
                )

    def no_predictions(self, present: Sequence[str], named: Collection[str]) -> BadPredictions:
        """Return the error that neither predicted classes nor probabilities are there.

        Args:
            present: The columns that are there.
            named: The labels of the table.
        """
        error = self._lacking(["pred"], present)
        prefix = likely_prefix([name for name in present if name not in self], named)
        if prefix:
            error.hint = f"did you mean {shell_line(['--prob-prefix', prefix])}?"
        return error

    def _lacking(self, missing: Sequence[str], present: Sequence[str]) -> BadPredictions:
        """Return the error that columns are missing, with the options that name those meant."""
        names = {"path": f"{self.path!r} or {self.id!r}"}
        wanted = " and no ".join(names.get(kind, repr(getattr(self, kind))) for kind in missing)
        more = ""
        if "pred" in missing:
            prefixes = " or ".join(f"{prefix}CLASS" for prefix in PREFIXES if prefix != LOGIT)
            more = f", and no columns of probability called {prefixes}"
        # A table that calls one column otherwise is likely to call others so, too.
        likely = {kind: self._like(kind, present) for kind in ("path", "label", "pred")}
        meant = {
            kind: column
            for kind, column in likely.items()
            if column is not None and (kind in missing or getattr(self, kind) not in present)
        }
        if self.id in present:
            meant.pop("path", None)
        options = " or ".join(_OPTIONS[kind] for kind in missing)
        words = [word for kind, column in meant.items() for word in (f"--{kind}-column", column)]
        return BadPredictions(
            f"the table has no column {wanted}{more}; it has {some(present, most=10)}",
            hint=f"name it with {options}"
            + (f"; did you mean {shell_line(words)}?" if {*missing} & {*meant} else "")
            + (
                f"; where no image has a label, add an empty column {self.label!r}"
                if "label" in missing and "label" not in meant
                else ""
            ),
        )

    def _like(self, kind: str, present: Sequence[str]) -> str | None:
        """Return the column that seems to be meant by another name, if there is one."""
        by_folded = {folded(name): name for name in reversed(present)}
        known = [by_folded[name] for name in _OTHER_NAMES[kind] if name in by_folded]
        near = nearest(getattr(self, kind), present, most=1)
        parts = [name for name in present if getattr(self, kind) in name]
        nameless = ["" for name in present[:1] if not name and kind == "path"]
        return next(iter((*known, *near, *parts, *nameless)), None)


_OPTIONS: Final = {
    "path": "--path-column or --id-column",
    "label": "--label-column",
    "pred": "--pred-column, or call the columns of probability prob_CLASS (of two classes one "
    "will do; see --prob-prefix and --classes)",
}
# What other programs call such columns, folded.
_OTHER_NAMES: Final = {
    "path": (
        "file", "filename", "file name", "filepath", "file path", "image path", "img path", "image",
        "img", "image file", "fname", "photo", "sample id", "image id", "name",
    ),
    "label": (
        "true label", "label name", "y true", "target", "targets", "truth", "true", "ground truth",
        "gt", "gt label", "actual", "class", "true class", "class name", "category", "y",
    ),
    "pred": CALLED_PRED,
}  # fmt: skip
