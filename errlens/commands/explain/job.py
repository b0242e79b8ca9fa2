"""What `errlens explain` is asked for: errors of a run or photos that belong to none, and how."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import pandas as pd

from errlens.attribution.cases import Case, cases_of, photo_case
from errlens.attribution.explained_model import MethodSettings
from errlens.attribution.targets import Wanted
from errlens.commands.evaluate.classifier import look_first
from errlens.commands.explain.earlier_calls import EarlierCalls, Key, Known, known_maps
from errlens.commands.explain.options import (
    MATLAB,
    ORIGINAL,
    ExplainOptions,
    MethodOptions,
    PictureOptions,
    StudyOptions,
)
from errlens.commands.explain.pictures import Looks
from errlens.commands.explain.tables import Tables, tables
from errlens.commands.options.budget import Budget
from errlens.data.samples import find_samples
from errlens.errors import MissingInput
from errlens.model.classifier import Classifier
from errlens.model.reload import reload_classifier
from errlens.run.folder import open_run
from errlens.run.identity import RunInfo
from errlens.run.places import MAX_FILE_MB
from errlens.terminal import Screen

KIND: Final = "explain"
DEFAULT_TOP: Final = 20
DEFAULT_FOLDER: Final = Path("explained")
DEFAULT_ALPHA: Final = {"errlens": 0.7, MATLAB: 0.5}
STUDIES: Final = ("cover", "sweep", "winners", "check", "compare")


@dataclass(frozen=True, kw_only=True)
class Procedure:
    """How images are explained, studied and drawn: the options, resolved, the same for all images.

    Without `methods` all are taken that fit the network, and without a `batch_size` one that fits
    its inputs. `decisive` are the options that decide what pictures and tables hold, and
    `described` those of them that are not at their default.
    """

    methods: Sequence[str]
    layer: str | None
    settings: MethodSettings
    batch_size: int | None
    studies: frozenset[str]
    masks: Path | None
    looks: Looks
    on_original: bool
    compare: bool
    overlay_only: bool
    save_maps: bool
    budget: Callable[[], Budget]
    decisive: Mapping[str, Any]
    described: str


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is to be explained, and how, and where that goes.

    `cases` are left to do of those `asked` for; `saved` are the maps that calls before wrote as
    npz, and `earlier` the rows of the index about images asked for that are left as they are.
    `load` gives the classifier, and `load_older` that of an older run to hold it against.
    """

    folder: Path
    run_hash: str
    root: Path
    max_mb: int
    wanted: Wanted
    cases: Sequence[Case]
    asked: int
    saved: frozenset[Key]
    of_photos: bool
    how: Procedure
    load: Callable[[], Classifier]
    earlier: pd.DataFrame = field(default_factory=lambda: tables().maps)
    load_older: Callable[[], Classifier] | None = None


class Explained(NamedTuple):
    """What came of a job.

    `advice` says which methods to believe, where they were compared; `stopped` is what stopped it
    early; `written` are names of files.
    """

    job: Job
    tables: Tables
    advice: str = ""
    stopped: str | None = None
    written: Sequence[str] = ()


def errors_of_run(options: ExplainOptions, screen: Screen) -> Job:
    """Return the images of a run to explain, the first of the ranking."""
    run = options.open_run(screen)
    info = run.require_model()
    selection = options.choose(run)
    wanted = Wanted(info.classes, options.target, options.rather_than)
    rows = selection.rows[: options.top or DEFAULT_TOP].tolist()
    asked = cases_of(run, selection.images, rows, wanted)
    folder, how = run.results_folder(KIND), _procedure(options)
    before = EarlierCalls(folder, info.run_hash).before()
    known = known_maps(before, options=how.described)
    cases = asked if options.overwrite else _left(asked, known, how)
    return Job(
        folder=folder,
        run_hash=info.run_hash,
        root=options.images_root(run),
        max_mb=options.max_file_mb or info.max_file_mb,
        wanted=wanted,
        cases=cases,
        asked=len(asked),
        saved=known.saved,
        of_photos=False,
        how=how,
        load=partial(_reload, info, options),
        load_older=partial(_load_older, options.against, options) if options.against else None,
        earlier=_of_the_rest(before, asked, cases, how),
    )


def photos_without_run(options: ExplainOptions, screen: Screen) -> Job:
    """Return photos to explain that belong to no run."""
    paths = _photo_files([path for path in (options.run, *(options.images or ())) if path])
    classifier = options.load_classifier(labels=(), device=options.device)
    classifier = look_first(
        screen, classifier, list(map(Path, paths)), options, at_once=options.batch_size
    )
    folder, run_hash = options.into or DEFAULT_FOLDER, classifier.settings("").run_hash
    how, earlier = _procedure(options), EarlierCalls(folder, run_hash)
    rows = earlier.rows_of(paths[: options.top])
    cases = [photo_case(row, path) for path, row in rows.items()]
    return Job(
        folder=folder,
        run_hash=run_hash,
        root=Path(),
        max_mb=options.max_file_mb or MAX_FILE_MB,
        wanted=Wanted(classifier.classes, options.target, options.rather_than),
        cases=cases,
        asked=len(cases),
        saved=known_maps(earlier.before(), options=how.described).saved,
        of_photos=True,
        how=how,
        load=lambda: classifier,
    )


def _procedure(options: ExplainOptions) -> Procedure:
    """Resolve the options that are the same for all images."""
    matlab = options.style == MATLAB
    names = ("mask", "stride", "steps", "samples", "noise", "layer_weights", "seed")
    decisive = _decisive(options)
    default = {field.name: field.default for field in dataclasses.fields(options)}
    given = [f"{name}={value}" for name, value in decisive.items() if value != default[name]]
    return Procedure(
        methods=[] if options.compare and not options.method else options.methods,
        layer=options.layer,
        settings=MethodSettings(
            fill=options.value,
            probability=options.probability or matlab,
            **{name: getattr(options, name) for name in names},
        ),
        batch_size=options.batch_size,
        studies=frozenset(name for name in STUDIES if getattr(options, name)),
        masks=options.masks,
        looks=Looks(
            alpha=DEFAULT_ALPHA[options.style] if options.alpha is None else options.alpha,
            colormap=options.colormap or ("jet" if matlab else None),
            upsampling=options.upsampling,
            matlab=matlab,
        ),
        on_original=options.on == ORIGINAL,
        compare=options.compare,
        overlay_only=options.overlay_only,
        save_maps=options.save_maps,
        budget=partial(Budget, seconds=options.seconds(), megabytes=options.max_mb),
        decisive=decisive,
        described=", ".join(given),
    )


def _decisive(options: ExplainOptions) -> dict[str, Any]:
    """Return the options that decide what the pictures and tables of an image hold."""
    decisive = {
        field.name: getattr(options, field.name)
        for kind in (MethodOptions, StudyOptions, PictureOptions)
        for field in dataclasses.fields(kind)
        if field.name not in ("method", "list_methods", "about", "save_maps")
    }
    return {
        name: str(value) if isinstance(value, Path) else value for name, value in decisive.items()
    }


def _reload(info: RunInfo, options: ExplainOptions) -> Classifier:
    return reload_classifier(info, device=options.device, trusted=options.trust_run)


def _load_older(path: Path, options: ExplainOptions) -> Classifier:
    run = open_run(path)
    run.require_complete()
    return _reload(run.require_model(), options)


def _left(cases: list[Case], known: Known, how: Procedure) -> list[Case]:
    """Return the images that calls before, with the same options, have not explained already.

    Those that share a sheet are explained together.
    """
    if how.compare:
        return cases
    done = known.explained & known.saved if how.save_maps else known.explained
    undone = [
        case
        for case in cases
        if not {(case.facts["row"], method) for method in how.methods} <= done
    ]
    if how.overlay_only:
        return undone
    sheets = {(case.facts["label"], case.facts["pred"]) for case in undone}
    return [case for case in cases if (case.facts["label"], case.facts["pred"]) in sheets]


def _of_the_rest(
    before: pd.DataFrame | None, asked: Sequence[Case], left: Sequence[Case], how: Procedure
) -> pd.DataFrame:
    """Return what the index has of the images asked for that are not left to do, as ranked."""
    if before is None:
        return tables().maps
    to_do = {case.facts["row"] for case in left}
    place = {row: n for n, case in enumerate(asked) if (row := case.facts["row"]) not in to_do}
    known = before[before["row"].isin(place) & before["method"].isin(how.methods)]
    return known.sort_values("row", key=lambda rows: rows.map(place), kind="stable")


def _photo_files(given: Sequence[Path]) -> list[str]:
    """Return photos, with those in folders, each once.

    Raises:
        MissingInput: One is not there.
    """
    paths: list[str] = []
    for path in given:
        if path.is_dir():
            samples = find_samples(path)
            paths += [(samples.root / name).as_posix() for name in samples.frame["path"]]
        elif path.exists():
            paths.append(path.as_posix())
        else:
            raise MissingInput(path, what="photo")
    return list(dict.fromkeys(paths))
