"""A mark: what a person says of one image; and marks.json, which holds the marks of a run."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple, get_args

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, ValidationError

from errlens.choices import Verdict
from errlens.classes.names import ClassNames
from errlens.errors import BadMarks, shortened, some, which_of

VERDICTS: Final[tuple[Verdict, ...]] = get_args(Verdict)
WRONG_LABEL: Final = VERDICTS[0]
LONGEST_REMARK: Final = 2000  # characters
SCHEMA_VERSION: Final = 1


class Mark(NamedTuple):
    """What a person says of an image. `label` is the right one of a wrong label, where known."""

    verdict: Verdict
    label: str | None = None
    remark: str = ""


Marks = Mapping[int, Mark]  # by row


class _WrittenMark(BaseModel):
    """A mark as marks.json has it: what it is about comes first."""

    model_config = ConfigDict(strict=True)

    row: int | None = None
    sample_id: str | None = None
    label_name: str | None = None  # as it was when the image was marked
    verdict: str
    label: str | None = None
    remark: str | None = None


class _WrittenMarks(BaseModel):
    """What marks.json holds; `run_hash` says of which predictions the rows are."""

    model_config = ConfigDict(strict=True)

    schema_version: int = SCHEMA_VERSION
    run_hash: str | None = None
    marks: list[_WrittenMark]


def marks_tree(marks: Marks, images: pa.Table, run_hash: str) -> dict[str, Any]:
    """Return what marks.json holds, by row.

    Args:
        marks: Of rows of the run.
        images: Of the run, one row each, with `sample_id`, `path` and `label_name`.
        run_hash: That of the run.
    """
    rows = sorted(marks)
    about = images.select(["sample_id", "path", "label_name"]).take(pa.array(rows, pa.int64()))
    return {
        "schema_version": SCHEMA_VERSION,
        "run_hash": run_hash,
        "marks": [
            {"row": row, **image, **marks[row]._asdict()}
            for row, image in zip(rows, about.to_pylist(), strict=True)
        ],
    }


def parse_marks(
    tree: Any, images: pa.Table, classes: ClassNames, run_hash: str, *, source: str
) -> dict[int, Mark]:
    """Return the marks that a tree of JSON holds, by row of the run.

    Those of another run of the same images are found by `sample_id`, for rows may be numbered
    otherwise there.

    Args:
        tree: As `marks_tree` makes it.
        images: Of the run, one row each, with `sample_id` and `label_name`.
        classes: Of the run.
        run_hash: That of the run.
        source: What the tree comes from, for messages.

    Raises:
        BadMarks: It holds no marks, or one that names no image, verdict or class of the run.
    """
    if not isinstance(tree, dict) or "marks" not in tree:
        raise BadMarks(f"{source} is no marks.json of errlens: it has no list called marks")
    try:
        written = _WrittenMarks.model_validate(tree)
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(map(str, problem["loc"]))
        raise BadMarks(f"{source}: {shortened(place)}: {problem['msg']}") from error
    if written.schema_version != SCHEMA_VERSION:
        raise BadMarks(
            f"{source} has schema_version {written.schema_version}; this errlens reads "
            f"{SCHEMA_VERSION}"
        )
    same_run = written.run_hash in (None, run_hash)
    rows = list(_rows_of(written.marks, images, source, same_run=same_run))
    if not same_run:
        _check_labels(written.marks, images.take(pa.array(rows, pa.int64())), source)
    return _once_each(rows, written.marks, classes, source)


def checked_mark(
    verdict: str, label: str | None, remark: str | None, classes: ClassNames, *, source: str
) -> Mark:
    """Return a mark whose parts were written by somebody.

    Raises:
        BadMarks: There is no such verdict or class, or the remark has more than 2,000 characters.
    """
    if verdict not in VERDICTS:
        raise BadMarks(
            f"{source}: there is no verdict {shortened(verdict)!r}",
            hint=which_of(verdict, VERDICTS),
        )
    if label and verdict != WRONG_LABEL:
        raise BadMarks(f"{source}: {verdict!r} takes no label; {WRONG_LABEL!r} does")
    index = classes.called(label) if label else None
    if label and index is None:
        raise BadMarks(
            f"{source}: {shortened(label)!r} is no class of the run",
            hint=which_of(label, classes.names),
        )
    if remark and len(remark) > LONGEST_REMARK:
        raise BadMarks(f"{source}: a remark has {len(remark):,} characters, of {LONGEST_REMARK:,}")
    name = None if index is None else classes[index]
    return Mark(VERDICTS[VERDICTS.index(verdict)], name, (remark or "").strip())


def _rows_of(
    marks: list[_WrittenMark], images: pa.Table, source: str, *, same_run: bool
) -> Iterator[int]:
    """Yield the row of the run that each mark is about."""
    by_id = {name: row for row, name in enumerate(images["sample_id"].to_pylist())}
    other = "" if same_run else "was made of another run, and "
    unknown = [mark.sample_id for mark in marks if mark.sample_id and mark.sample_id not in by_id]
    if unknown:
        raise BadMarks(f"{source} {other}names images that this run does not have: {some(unknown)}")
    for mark in marks:
        row = by_id[mark.sample_id] if mark.sample_id else mark.row
        if not mark.sample_id and not same_run:
            raise BadMarks(f"{source} {other}does not name its images by sample_id")
        if row is None or not 0 <= row < len(images):
            raise BadMarks(
                f"{source}: a mark is about row {mark.row}; the last row of the run is "
                f"{len(images) - 1}"
            )
        if same_run and mark.row not in (None, row):
            raise BadMarks(f"{source}: {mark.sample_id!r} is row {row} of the run, not {mark.row}")
        yield row


def _check_labels(marks: list[_WrittenMark], images: pa.Table, source: str) -> None:
    """Refuse the marks of images that are only called alike: they have other labels.

    One that is what a mark asked for was mended meanwhile.
    """
    for mark, image in zip(marks, images.to_pylist(), strict=True):
        if mark.label_name and image["label_name"] not in (mark.label_name, mark.label):
            raise BadMarks(
                f"{source} was made of another run, in which {image['sample_id']!r} has the label "
                f"{mark.label_name!r}; here it is {image['label_name']!r}"
            )


def _once_each(
    rows: list[int], written: list[_WrittenMark], classes: ClassNames, source: str
) -> dict[int, Mark]:
    """Return the marks, of each row one."""
    marks: dict[int, Mark] = {}
    for row, said in zip(rows, written, strict=True):
        mark = checked_mark(
            said.verdict, said.label, said.remark, classes, source=f"{source}, row {row}"
        )
        if marks.setdefault(row, mark) != mark:
            raise BadMarks(f"{source} marks row {row} twice, and not alike")
    return dict(sorted(marks.items()))
