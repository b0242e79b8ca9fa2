"""What `errlens explain` is asked for: errors of a run, or photos that belong to none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from errlens.attribution.cases import Case, cases_of, photo_case
from errlens.attribution.methods import load_method
from errlens.attribution.targets import Wanted
from errlens.commands.evaluate.first_look import look_first
from errlens.commands.explain.ledger import Known, Ledger, known_maps
from errlens.commands.explain.options import ExplainOptions
from errlens.data.samples import find_samples
from errlens.errors import MissingInput, UnfitOption
from errlens.figures.maps.overlay import colormap_names
from errlens.model.classifier import Classifier
from errlens.model.reload import reload_classifier
from errlens.run.places import MAX_FILE_MB
from errlens.terminal import Screen

KIND: Final = "explain"
DEFAULT_TOP: Final = 20
DEFAULT_FOLDER: Final = Path("explained")


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is to be explained, and where that goes.

    `cases` are left to do of those `asked` for; `known` is what calls before have done.
    """

    folder: Path
    run_hash: str
    root: Path
    max_mb: int
    wanted: Wanted
    cases: Sequence[Case]
    asked: int
    known: Known
    load: Callable[[], Classifier]


def errors_of_run(options: ExplainOptions, screen: Screen) -> Job:
    """Return the images of a run to explain, the first of the ranking."""
    run = options.open_run(screen)
    info = run.require_model()
    selection = options.choose(run)
    wanted = Wanted(info.classes, options.target, options.rather_than)
    rows = selection.rows[: options.top or DEFAULT_TOP].tolist()
    asked = cases_of(run, selection.images, rows, wanted)
    folder = run.results_folder(KIND)
    known = known_maps(Ledger(folder, info.run_hash).before(), options=options.as_text())
    return Job(
        folder=folder,
        run_hash=info.run_hash,
        root=options.images_root(run),
        max_mb=options.max_file_mb or info.max_file_mb,
        wanted=wanted,
        cases=_left(asked, known, options),
        asked=len(asked),
        known=known,
        load=lambda: reload_classifier(info, device=options.device, trusted=options.trust_run),
    )


def photos_without_run(options: ExplainOptions, screen: Screen) -> Job:
    """Return photos to explain that belong to no run."""
    paths = _photo_files([one for one in (options.run, *(options.images or ())) if one])
    classifier = options.load_classifier(labels=(), device=options.device)
    classifier = look_first(screen, classifier, list(map(Path, paths)), options)
    folder, run_hash = options.into or DEFAULT_FOLDER, classifier.settings("").run_hash
    ledger = Ledger(folder, run_hash)
    rows = ledger.rows_of(paths[: options.top])
    cases = [photo_case(row, path) for path, row in rows.items()]
    return Job(
        folder=folder,
        run_hash=run_hash,
        root=Path(),
        max_mb=options.max_file_mb or MAX_FILE_MB,
        wanted=Wanted(classifier.classes, options.target, options.rather_than),
        cases=cases,
        asked=len(cases),
        known=known_maps(ledger.before(), options=options.as_text()),
        load=lambda: classifier,
    )


def _left(cases: list[Case], known: Known, options: ExplainOptions) -> list[Case]:
    """Return the images that calls before, with the same options, have not explained already.

    Those that share a sheet are explained together.
    """
    if options.overwrite or options.compare:
        return cases
    done = known.explained & known.saved if options.save_maps else known.explained
    undone = [
        case
        for case in cases
        if not {(case.facts["row"], method) for method in options.methods} <= done
    ]
    if options.overlay_only:
        return undone
    sheets = {(case.facts["label"], case.facts["pred"]) for case in undone}
    return [case for case in cases if (case.facts["label"], case.facts["pred"]) in sheets]


def _photo_files(given: Sequence[Path]) -> list[str]:
    """Return photos, with those in folders, each once.

    Raises:
        MissingInput: One is not there.
    """
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


def refuse_what_does_not_fit(options: ExplainOptions) -> None:
    """Refuse names that mean nothing, and options that say nothing of a run or of photos."""
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
