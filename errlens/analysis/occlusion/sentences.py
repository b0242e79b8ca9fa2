"""What the sweep over an image says, in sentences that claim no more."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from errlens.analysis.occlusion.match import Match
from errlens.analysis.occlusion.occluded import Extreme, Occluded
from errlens.analysis.occlusion.on_object import OnObject, lies_where
from errlens.formats import count, of, probability, share, significant

LEAST: Final = 0.01  # of probability, and as a share of an activity: what counts as a fall
SURE: Final = 0.05  # p-value
GOOD: Final = 0.5  # rank correlation at which a projection matches
_NAMED: Final = 3  # classes that win somewhere


class Described(NamedTuple):
    """An image that was swept over: what to call it, and all that was measured.

    `followed` is the class whose probability is told, as words like `the true class Bengal`;
    `names` are those of all classes. `channel` of `layer` is the map whose activity is told.
    `on_object` is None without an outline, `match`
    without a projection or where nothing can be compared.
    """

    name: str
    occluded: Occluded
    followed: str
    names: Sequence[str]
    layer: str
    channel: int
    on_object: OnObject | None
    match: Match | None


def in_words(image: Described) -> list[str]:
    """Say what becomes of probability, label and activity, and where the evidence lies."""
    occluded = image.occluded
    said = [_probability(image, occluded.followed, image.followed)]
    if occluded.pred_unoccluded != occluded.followed:
        taken = image.names[occluded.pred_unoccluded]
        said.append(_probability(image, occluded.pred_unoccluded, f"the predicted class {taken}"))
    said += [_labels(image), _activity(image)]
    return [*said, *evidence_words(image)]


def evidence_words(image: Described) -> list[str]:
    """Say where the evidence lies, and whether the projection shows what the map answers to."""
    said = []
    if image.on_object is not None:
        said.append(_on_object(image, image.on_object))
    if image.match is not None:
        said.append(_match(image.match))
    return said


def loses_enough(occluded: Occluded, index: int) -> bool:
    """Tell whether the probability of a class falls by enough anywhere to say where."""
    return _most(occluded.falls_of(index)) >= LEAST


def falls_enough(occluded: Occluded) -> bool:
    """Tell whether the activity falls by enough anywhere to say where."""
    most = _most(occluded.activity_falls)
    return most > 0 and most >= LEAST * abs(occluded.activity_unoccluded)


def _most(falls: NDArray[np.floating]) -> float:
    """Return the largest fall of those that are finite; 0 without one."""
    return float(falls[np.isfinite(falls)].max(initial=0))


def _probability(image: Described, index: int, called: str) -> str:
    values, unoccluded = image.occluded.probability_of(index)
    before = probability(unoccluded)
    lowest, highest = image.occluded.lowest(values), image.occluded.highest(values)
    rise = ""
    if highest.value - unoccluded >= LEAST:
        rise = f"it is highest, {probability(highest.value)}, {_around(highest)}"
    if loses_enough(image.occluded, index):
        fall = (
            f"The probability of {called} falls from {before} to {probability(lowest.value)} with "
            f"the square {_around(lowest)}"
        )
    else:
        fall = f"Nowhere does the square lower the probability of {called}, {before}, by {LEAST}"
    return "; ".join(filter(None, (fall, rise))) + "."


def _labels(image: Described) -> str:
    occluded = image.occluded
    own = image.names[occluded.pred_unoccluded]
    changed, known = int(occluded.other_label.sum()), int(occluded.finite.sum())
    lost = occluded.n - known
    rest = f" At {of(lost, occluded.n)} the outputs are not finite." if lost else ""
    if not changed:
        where = f"all {count(known)}" if not lost else of(known, occluded.n)
        return f"At {where} positions {own} stays the most probable class.{rest}"
    others = [pair for pair in occluded.winners() if pair[0] != occluded.pred_unoccluded]
    named = ", ".join(f"{image.names[index]} at {count(n)}" for index, n in others[:_NAMED])
    more = f" and {count(len(others) - _NAMED)} more classes" if len(others) > _NAMED else ""
    return (
        f"At {of(changed, occluded.n)} positions another class than {own} is the most probable: "
        f"{named}{more}.{rest}"
    )


def _activity(image: Described) -> str:
    occluded = image.occluded
    which = f"Channel {image.channel} of {image.layer}"
    before = significant(occluded.activity_unoccluded)
    if not falls_enough(occluded):
        return f"{which} has an activity of {before}, which falls nowhere by {share(LEAST)}."
    lowest = occluded.lowest(occluded.activity)
    return f"{which} falls from {before} to {significant(lowest.value)} with it {_around(lowest)}."


def _on_object(image: Described, on_object: OnObject) -> str:
    """Say whether the evidence lies on the object or its surroundings, with the area beside it."""
    area = share(on_object.area)
    if not 0 < on_object.area < 1:
        return f"The object covers {area} of the input: nothing is said of its surroundings."
    followed, taken = on_object.probability, on_object.predicted
    touched = f" where the square touches it, as {share(on_object.touched)} of positions do"
    parts = []
    if followed is not None:
        peak = "on" if on_object.peak else "off"
        lies = f"{lies_where(followed, on_object.area)}, its peak {peak} the object"
        parts.append(
            f"{share(followed.on)} of the falls of {image.followed} "
            f"({share(followed.touching)}{touched}): the evidence {lies}"
        )
    if taken is not None:
        name = image.names[image.occluded.pred_unoccluded]
        lies = f"the evidence {lies_where(taken, on_object.area)}"
        parts.append(
            f"{share(taken.on)} of the falls of the predicted class {name} "
            f"({share(taken.touching)}{'' if followed else touched}): {lies}"
        )
    if on_object.activity is not None:
        parts.append(f"{share(on_object.activity.on)} of the falls of the activity")
    if not parts:
        return "Nothing falls by enough to say whether the evidence lies on the object."
    return f"On the object as outlined, which covers {area} of the input, lie {'; '.join(parts)}."


def _match(found: Match) -> str:
    """Say whether the activity falls where its projection is hidden."""
    figures = (
        f"rank correlation {significant(found.correlation)} over {count(found.n)} positions, p "
        f"{probability(found.p_value)}"
    )
    if found.p_value > SURE or found.correlation <= 0:
        verdict = "It is not shown that the activity falls where the projection is hidden"
    elif found.correlation < GOOD:
        verdict = "The activity falls in part where the projection is hidden"
    else:
        verdict = "The activity falls where the projection is hidden"
    if found.lost_there is None or found.lost_median is None:
        return f"{verdict}: {figures}."
    return (
        f"{verdict}: {figures}; the square over most of it, {share(found.hidden)}, "
        f"{_takes(found.lost_there)}, the median square {_takes(found.lost_median)}."
    )


def _takes(lost: float) -> str:
    """Say what share of the activity a square takes, or adds where the activity rises.

    >>> _takes(0.101), _takes(-0.029)
    ('takes 10.1 % of the activity', 'adds 2.9 % to the activity')
    """
    return (
        f"adds {share(-lost)} to the activity"
        if lost < 0
        else f"takes {share(lost)} of the activity"
    )


def _around(extreme: Extreme) -> str:
    return f"around pixel ({round(extreme.x)}, {round(extreme.y)})"
