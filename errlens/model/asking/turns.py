"""Ask about errors first, and about right images only what a repair hangs on.

Most changes repair no more than luck does: what those would break need not be known.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from errlens.analysis.findings.asked import LEAST_RIGHT, Asked
from errlens.analysis.findings.causes.repairs.search import might_repair, names_any
from errlens.formats import of
from errlens.model.asking.asking import Asking
from errlens.model.asking.time_left import NO_LIMIT, TimeLeft


def ask_in_turn(asking: Asking, places: NDArray[np.intp], *, time: TimeLeft = NO_LIMIT) -> Asked:
    """Ask about changed images, as far as the answers decide what repairs errors.

    Where time is up, what was asked is a fair sample, and as many right images as errors were.

    Args:
        asking: Asks about the images of a run.
        places: Which may be asked about, in fair order; see `to_ask`.
        time: For all of it.

    Raises:
        UserCodeFailed, OutOfMemory, UnfitModel, UnfitOption: As evaluating would.
    """
    scored = asking.scored
    wrong = scored.wrong[places]
    errors, right = places[wrong], places[~wrong]
    asked = _counted(asking.about(errors, time=time.part(2 / 3)), "errors", len(errors))
    right = right[: max(LEAST_RIGHT, len(asked.row) + asked.unread)]
    changes = might_repair(scored, asked)
    if changes:
        broken = asking.about(right, changes=changes, time=time.part(2 / 3))
        asked = asked.joined(_counted(broken, "right images", len(right)))
    if changes and names_any(scored, asked):
        # How often luck makes right images surer is seen from what other changes do to them.
        known = right[np.isin(scored.row[right], asked.row)]
        others = set(asked.changes) - set(changes)
        luck = asking.about(known, changes=others, time=time)
        asked = asked.joined(_counted(luck, "right images", len(known)))
    return asked


def _counted(asked: Asked, what: str, wanted: int) -> Asked:
    """Say how many images there was time for, if not for all."""
    if not asked.stopped:
        return asked
    return replace(asked, stopped=f"{of(len(asked.row) + asked.unread, wanted)} {what}, changed")
