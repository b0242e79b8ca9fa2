"""What `errlens explain` is asked for: errors of a run, or photos that belong to none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

from errlens.commands._explain_options import ExplainOptions
from errlens.commands._first_look import look_first
from errlens.errors import MissingInput, NoResults, UnfitOption

if TYPE_CHECKING:
    import pandas as pd

    from errlens.attribution._cases import Case
    from errlens.attribution._targets import Wanted
    from errlens.model.classifier import Classifier
    from errlens.terminal import Screen

KIND: Final = "explain"
INDEX: Final = "index.csv"
DEFAULT_TOP: Final = 20
DEFAULT_FOLDER: Final = Path("explained")


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is to be explained, and where that goes.

    `cases` are left to do of those `asked` for; `before` is the index of calls before.
    """

    folder: Path
    run_hash: str
    root: Path
    wanted: "Wanted"
    cases: "Sequence[Case]"
    asked: int
    before: "pd.DataFrame | None"
    load: "Callable[[], Classifier]"


def errors_of_run(options: ExplainOptions, screen: "Screen") -> Job:
    """Return the images of a run to explain, the first of the ranking."""
    from errlens.attribution._cases import cases_of
    from errlens.attribution._targets import Wanted
    from errlens.model.reload import reload_classifier

    run = options.open_run(screen)
    info = run.require_model()
    selection = options.choose(run)
    wanted = Wanted(info.classes, options.target, options.rather_than)
    rows = selection.rows[: options.top or DEFAULT_TOP].tolist()
    asked = cases_of(run, selection.images, rows, wanted)
    folder = run.path / KIND
    before = table_before(folder, INDEX, info.run_hash)
    return Job(
        folder=folder,
        run_hash=info.run_hash,
        root=options.images_root(run),
        wanted=wanted,
        cases=_left(asked, folder, info.run_hash, before, options),
        asked=len(asked),
        before=before,
        load=lambda: reload_classifier(info, device=options.device),
    )


def photos_without_run(options: ExplainOptions, screen: "Screen") -> Job:
    """Return photos to explain that belong to no run."""
    from errlens.attribution._cases import photo_case
    from errlens.attribution._targets import Wanted

    paths = _photo_files([one for one in (options.run, *(options.images or ())) if one])
    classifier = options.load_classifier(labels=(), device=options.device)
    classifier = look_first(screen, classifier, list(map(Path, paths)), options)
    folder, run_hash = options.into or DEFAULT_FOLDER, classifier.settings("").run_hash
    before = table_before(folder, INDEX, run_hash)
    rows = _rows_of(paths[: options.top], before)
    cases = [photo_case(row, path) for path, row in rows.items()]
    return Job(
        folder=folder,
        run_hash=run_hash,
        root=Path(),
        wanted=Wanted(classifier.classes, options.target, options.rather_than),
        cases=cases,
        asked=len(cases),
        before=before,
        load=lambda: classifier,
    )


def _left(
    cases: "list[Case]",
    folder: Path,
    run_hash: str,
    before: "pd.DataFrame | None",
    options: ExplainOptions,
) -> "list[Case]":
    """Return the images that a call before, with the same options, has not explained already.

    Those that share a sheet are explained together.
    """
    from errlens.commands._explain_album import OK
    from errlens.results import options_of

    same = options_of(folder, run_hash=run_hash) == options.decisive()
    if before is None or options.overwrite or options.compare or not same:
        return cases
    done = before[before["status"] == OK]
    known = set(zip(done["row"], done["method"], strict=True))
    undone = [
        one for one in cases if not {(one.facts["row"], name) for name in options.methods} <= known
    ]
    if options.overlay_only:
        return undone
    sheets = {(one.facts["label"], one.facts["pred"]) for one in undone}
    return [one for one in cases if (one.facts["label"], one.facts["pred"]) in sheets]


def _photo_files(given: "Sequence[Path]") -> list[str]:
    """Return photos, with those in folders, each once.

    Raises:
        MissingInput: One is not there.
    """
    from errlens.data.samples import find_samples

    found: list[str] = []
    for path in given:
        if path.is_dir():
            samples = find_samples(path)
            found += [(samples.root / one).as_posix() for one in samples.frame["path"]]
        elif path.exists():
            found.append(path.as_posix())
        else:
            raise MissingInput(path, what="photo")
    return list(dict.fromkeys(found))


def _rows_of(paths: Sequence[str], before: "pd.DataFrame | None") -> dict[str, int]:
    """Return the row of each photo in the index: that of a call before, else a new one."""
    known = {} if before is None else dict(zip(before["sample_id"], before["row"], strict=True))
    free = count(max(known.values(), default=-1) + 1)
    return {path: known[path] if path in known else next(free) for path in paths}


def table_before(folder: Path, name: str, run_hash: str) -> "pd.DataFrame | None":
    """Return a table of calls before, if they explained the same."""
    from errlens.results import read_table

    try:
        return read_table(folder, name, run_hash=run_hash, command="errlens explain")
    except NoResults:
        return None


def refuse_what_does_not_fit(options: ExplainOptions) -> None:
    """Refuse names that mean nothing, and options that say nothing of a run or of photos."""
    from errlens.attribution import load_method
    from errlens.figures.overlay import colormap_names

    for name in options.methods:
        load_method(name)
    if options.colormap is not None and options.colormap not in colormap_names():
        raise UnfitOption(
            f"--colormap {options.colormap!r} is not known",
            hint=f"there are {', '.join(colormap_names())}",
        )
    options.seconds()
    if options.list_methods:
        return
    if options.of_photos:
        _refuse_run(options)
    elif options.images or (options.run and options.run.is_file()):
        raise UnfitOption("photos without a run need --model or --checkpoint")
    elif options.against and (options.compare or options.overlay_only):
        raise UnfitOption(
            "--against puts two models on one picture; --compare and --overlay-only "
            "leave no room for it"
        )
    elif options.into:
        raise UnfitOption("--out is for photos without a run; those of a run go to RUN/explain")


def _refuse_run(options: ExplainOptions) -> None:
    """Refuse what only a run has."""
    given = {
        "--select": options.select,
        "--rank": options.rank,
        "--data-root": options.data_root,
        "--cover": options.cover,
        "--against": options.against,
    }
    for name, value in given.items():
        if value:
            raise UnfitOption(f"{name} is for a run: of other photos no label is known")
    if options.run is None:
        raise UnfitOption(
            "no photo given", hint="errlens explain IMAGE... --model NAME, or --list --model NAME"
        )
    if (options.run / "run.json").exists():
        raise UnfitOption(
            f"{str(options.run)!r} is a run and knows its model; --model and --checkpoint are for "
            "photos without one"
        )
