"""What the model is asked again: about changed images, and about images with a place hidden."""

import torch

from errlens.analysis.findings.asked import to_ask
from errlens.analysis.findings.causes.repairs.search import search_repairs
from errlens.analysis.findings.finding import Outcome
from errlens.attribution.misleading_places import search_places_of
from errlens.commands.diagnose.case import Case
from errlens.data.objects.outlines import RegionSource, read_outlines
from errlens.data.photos.loading import available_cores
from errlens.model.asking.asking import Asking
from errlens.model.asking.turns import ask_in_turn


def repairs(case: Case) -> Outcome:
    """Ask the model about images that were turned, cropped, sharpened, ...

    Raises:
        NoModel: The run has none.
    """
    options, classifier = case.options, case.classifier
    workers = options.workers or available_cores()
    asking = Asking(
        classifier=classifier,
        scored=case.scored,
        root=case.root,
        max_mb=case.run.info.max_file_mb,
        workers=workers,
        threads=1 if workers > 1 else torch.get_num_threads(),
        progress=case.progress,
    )
    places = to_ask(case.scored, top=options.top, seed=options.seed)
    asked = ask_in_turn(asking, places, time=case.time_left.part(1 / 2))
    return search_repairs(case.scored, asked)


def places(case: Case) -> Outcome:
    """Ask the model about images with a place hidden, and where its evidence lies."""
    options = case.options
    outlines: RegionSource | None = None
    if options.masks:
        outlines = read_outlines(options.masks, photos=case.root, max_mb=case.run.info.max_file_mb)
    return search_places_of(
        case.classifier,
        case.scored,
        case.root,
        top=options.top,
        seed=options.seed,
        outlines=outlines,
        progress=case.progress,
        time=case.time_left,
    )
