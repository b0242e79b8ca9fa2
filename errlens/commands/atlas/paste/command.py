"""`errlens atlas paste`: whether a patch pasted into photos misleads, more than others do."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from errlens.analysis.atlas.pasting.answers import NOISE, SUSPECT, Answers, PatchFacts
from errlens.analysis.atlas.pasting.placing import Position
from errlens.analysis.atlas.pasting.sentences import in_words
from errlens.analysis.atlas.pasting.tables import (
    by_origin,
    result_table,
    summary_table,
    verdict_table,
)
from errlens.analysis.atlas.pasting.testing import verdicts_on
from errlens.atlas.pasting.asking import Pasting, Patch
from errlens.atlas.pasting.patches import noise_of
from errlens.commands.atlas.paste import view
from errlens.commands.atlas.paste.asked import asked_positions, asked_sizes
from errlens.commands.atlas.paste.options import PasteOptions
from errlens.commands.atlas.paste.photos import on_photos
from errlens.commands.atlas.paste.pictures import pasting_figure
from errlens.commands.atlas.paste.planning import Plan, crops_for, planned
from errlens.commands.atlas.paste.result import PasteResult
from errlens.commands.atlas.paste.suspects import image_of
from errlens.commands.network.images import ModelAndImages, model_and_images
from errlens.commands.network.run_images import asked_images
from errlens.commands.showing import first_rows
from errlens.data.photos.preprocess import Preprocessing
from errlens.formats import counted
from errlens.report.atlas.page import write_atlas_page
from errlens.run.file_names import distinct_names, file_name
from errlens.run.results import renewed_folder
from errlens.terminal import Screen

_OTHERS: Final = "all"  # what the folder is called where every other class is pasted into


def paste(options: PasteOptions, screen: Screen | None = None) -> PasteResult:
    """Paste patches into images, and see what the network takes these for."""
    screen = screen or options.screen()
    sizes, positions = asked_sizes(options.sizes), asked_positions(options.positions)
    if options.files or options.of_model:
        return on_photos(options, sizes, positions, screen)
    return on_run(options, sizes, positions, screen)


def on_run(
    options: PasteOptions, sizes: Sequence[float], positions: Sequence[Position], screen: Screen
) -> PasteResult:
    """Test suspects in images of a run."""
    subject = model_and_images(
        options,
        screen,
        command="paste",
        group="atlas",
        pick=lambda run: [facts["row"] for facts in planned(options, run).images],
        at_once=options.batch_size,
    )
    assert subject.run is not None  # noqa: S101 - no photos were given, and no model
    plan = planned(options, subject.run)
    patches = _patches(options, subject, plan, screen)
    answers = _asked(options, subject, plan, patches, sizes, positions, screen)
    result = _written(options, subject, plan, patches, answers)
    result = result._replace(page=write_atlas_page(subject.run))
    view.show(screen, subject.run, result)
    view.print_json(screen, subject, result)
    return result


def _patches(
    options: PasteOptions, subject: ModelAndImages, plan: Plan, screen: Screen
) -> list[Patch]:
    """Return the suspects, noise made of each, and crops that all are compared with."""
    assert subject.run is not None  # noqa: S101
    by_row = {facts["row"]: facts for facts in plan.known}
    files = asked_images(plan.known, options, subject.run)
    images = dict(zip(by_row, files, strict=True))
    random = np.random.default_rng(options.seed)
    suspects, noises = [], []
    for number, source in enumerate(plan.sources, start=1):
        image = image_of(source, images, subject.classifier, max_mb=subject.max_mb)
        name = by_row[source.row]["class_name"] if source.row in by_row else None
        facts = PatchFacts(SUSPECT, number, name, source.row)
        suspects.append(Patch(facts, image))
        noise = noise_of(image, random)
        if noise is None:
            screen.remark(f"{source.name} has one colour: no noise can be made of it")
        else:
            noises.append(Patch(facts._replace(kind=NOISE), noise))
    return [*suspects, *noises, *crops_for(plan, subject, options, suspects[0])]


def _asked(
    options: PasteOptions,
    subject: ModelAndImages,
    plan: Plan,
    patches: Sequence[Patch],
    sizes: Sequence[float],
    positions: Sequence[Position],
    screen: Screen,
) -> Answers:
    """Ask the network about every image with every patch."""
    classifier = subject.classifier
    if options.batch_size:
        classifier.check_batch_size(options.batch_size)
    if not isinstance(classifier.preparation, Preprocessing):
        screen.remark(
            "what a transform of your own feeds is not known: patches are pasted into photos "
            "before it"
        )
    each = 1 + len(patches) * len(positions) * sum(size > 0 for size in sizes)
    n = len(plan.images)
    screen.remark(f"{counted(n, 'image')} of {plan.from_class}, {counted(each, 'input')} each")
    pasting = Pasting(
        classifier=classifier,
        patches=patches,
        sizes=sizes,
        positions=positions,
        batch_size=options.batch_size,
        workers=options.workers,
        threads=options.threads,
        max_mb=subject.max_mb,
    )
    own = np.array([facts["pred"] for facts in plan.images], np.int32)
    with screen.progress("pasting patches", total=n) as advance:
        return pasting.into(subject.images, own, plan.to, advance=advance)


def _written(
    options: PasteOptions,
    subject: ModelAndImages,
    plan: Plan,
    patches: Sequence[Patch],
    answers: Answers,
) -> PasteResult:
    """Write pictures, numbers and parameters."""
    names = subject.classifier.classes.names
    files = _files_of(patches)
    suspects = [
        {"source": source.name, "layer": source.layer, "cell": source.cell, "picture": file}
        for source, file in zip(plan.sources, files, strict=False)
    ]
    tested = verdicts_on(answers)
    verdicts = verdict_table(
        answers,
        tested,
        suspects,
        from_class=plan.from_class,
        to_class=names[plan.to],
    )
    summary = summary_table(answers)
    sentences = [
        " ".join(in_words(row, by_origin(answers, verdict.patch, names)))
        for verdict, row in zip(tested, first_rows(verdicts), strict=True)
    ]
    folder = subject.folder / _folder_name(plan, names)
    result = PasteResult(
        verdicts=verdicts,
        summary=summary,
        images=result_table(answers, names, subject.names, subject.rows),
        sentences=sentences,
        unread={subject.names[at]: reason for at, reason in answers.unread.items()},
        folder=folder,
    )
    decisive = _decisive(options)
    with renewed_folder(folder, run_hash=subject.made_of, options=decisive) as results:
        results.png("paste.png", pasting_figure(subject, answers, patches, tested, verdicts))
        results.csv("verdicts.csv", verdicts)
        results.csv("summary.csv", summary)
        results.csv("results.csv", result.images)
        for name, patch in zip(files, patches, strict=True):
            with results.file(name) as target:
                patch.image.save(target)
        results.tree("parameters.json", _parameters(options, subject, plan, answers, files, result))
    return result._replace(files=results.written)


def _folder_name(plan: Plan, names: Sequence[str]) -> str:
    every = len(plan.origins) == len(names) - 1 > 1
    files = distinct_names(names)
    origin = _OTHERS if every else "+".join(files[index] for index in plan.origins)
    return f"{file_name(origin)}__{files[plan.to]}"


def _files_of(patches: Sequence[Patch]) -> list[str]:
    """Return where the pixels of each patch go."""
    stems = [
        f"{patch.facts.kind}-{patch.facts.suspect or patch.facts.class_name}" for patch in patches
    ]
    return [f"patches/{stem}.png" for stem in distinct_names(stems)]


def _parameters(
    options: PasteOptions,
    subject: ModelAndImages,
    plan: Plan,
    answers: Answers,
    files: Sequence[str],
    result: PasteResult,
) -> dict[str, Any]:
    """Return all that the pictures and numbers depend on, and what they come to."""
    names = subject.classifier.classes.names
    return {
        "model": subject.classifier.network.name,
        "run_hash": subject.made_of,
        "from": [names[index] for index in plan.origins],
        "to": names[plan.to],
        "images": "right ones, or where the class is not known those predicted as one of `from`",
        "n_images": len(answers),
        "sizes": list(answers.sizes),
        "positions": [position._asdict() for position in answers.positions],
        "resizing": "Lanczos, by Pillow",
        "pasted_into": "the picture as fed"
        if isinstance(subject.classifier.preparation, Preprocessing)
        else "the photo, before a transform of the user's own",
        "seed": options.seed,
        "patches": [
            {**facts._asdict(), "name": facts.name, "file": file}
            for facts, file in zip(answers.patches, files, strict=True)
        ],
        "verdicts": result.verdicts["verdict"].tolist(),
        "sentences": list(result.sentences),
        "unread": dict(result.unread),
    }


def _decisive(options: PasteOptions) -> dict[str, Any]:
    names = (
        "patch", "to", "from_class", "layer", "suspects", "sizes", "positions", "controls", "limit",
        "select", "seed",
    )  # fmt: skip
    return {name: getattr(options, name) for name in names}
