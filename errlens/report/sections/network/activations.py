"""What channels respond to in single photos, as `errlens network activations` drew it."""

from typing import Final

import pandas as pd
from pydantic import BaseModel

from errlens.errors import NoResults, shortened
from errlens.formats import count, counted, probability, significant
from errlens.network.activations.channels import CHANNEL_COLUMNS
from errlens.report.parts import records
from errlens.report.sections.network.results import Results
from errlens.report.sections.network.told import Block, Photos, Picture, Told

SHOWN: Final = 3  # folders, the newest first
PARAMETERS: Final = "parameters.json"
_STRONGEST: Final = 3  # channels named
_OUTPUT: Final = "output"  # the stage of what the layer itself puts out


class _Image(BaseModel):
    """A photo, and what it was taken for."""

    image: str
    predicted: str
    probability: float


class _Parameters(BaseModel):
    """What parameters.json says of a layer of one photo, or of two."""

    layer: str
    shape: tuple[int, int, int]
    activation: str | None = None
    signed: bool = False
    channels: list[int]
    images: list[_Image]


def tell(results: Results) -> Told:
    """Return the newest, a block a layer and its photos.

    Raises:
        NoResults: They were made of other predictions, or one is damaged.
    """
    places = _places(results)
    if not places:
        raise NoResults(f"{str(results.folder)!r} holds no results", command=results.command)
    rest = len(places) - SHOWN
    return Told(
        [_block(results, place) for place in places[:SHOWN]],
        rest=f"and {counted(rest, 'older result')} in network/activations" if rest > 0 else "",
    )


def _places(results: Results) -> list[str]:
    """Return the folders of the results, the newest first."""
    names = [name.split("/") for name in results.files]
    places = [parts[0] for parts in names if len(parts) == 2 and parts[1] == PARAMETERS]
    return sorted(places, key=lambda place: (-_written_at(results, place), place))


def _written_at(results: Results, place: str) -> int:
    """Return when a result was written, in nanoseconds; what is gone is the newest: it is told."""
    try:
        return (results.folder / place / PARAMETERS).lstat().st_mtime_ns
    except OSError:
        return 2**63


def _block(results: Results, place: str) -> Block:
    """Tell what a layer makes of its photos."""
    table = results.table(f"{place}/channels.csv", CHANNEL_COLUMNS, known=("image", "stage"))
    found = results.document(f"{place}/{PARAMETERS}", _Parameters)
    layer = shortened(found.layer)
    photos = " and ".join(shortened(image.image) for image in found.images)
    n, rows, columns = found.shape
    rows_of_run = [results.row_of(image.image) for image in found.images]
    known = [row for row in rows_of_run if row is not None]
    return Block(
        heading=f"{layer} in {photos}",
        sentences=[
            f"{layer} has {counted(n, 'channel')} of {count(rows)} x {count(columns)} places.",
            *(_on(image, table, found) for image in found.images),
        ],
        pictures=_pictures(results, place, found, f"{layer} in {photos}"),
        photos=[Photos("", results.shots.want(dict.fromkeys(known)))] if known else [],
    )


def _on(image: _Image, table: pd.DataFrame, found: _Parameters) -> str:
    """Say what a photo is taken for, and which channels are the strongest in it."""
    of_image = table[table["image"] == image.image]
    stages = of_image["stage"].drop_duplicates().tolist()
    strongest = "; ".join(_strongest(of_image, stage, found) for stage in stages)
    taken = f"taken for {shortened(image.predicted)} (p {probability(image.probability)})"
    return f"In {shortened(image.image)}, {taken}, {strongest or 'nothing is known of channels'}."


def _strongest(of_image: pd.DataFrame, stage: str, found: _Parameters) -> str:
    """Name the strongest channels of a stage, with their values."""
    first = of_image[of_image["stage"] == stage].sort_values("rank", kind="stable")
    named = ", ".join(
        f"{row['channel']} ({_value(row['value'])})" for row in records(first, _STRONGEST)
    )
    side = "" if stage == _OUTPUT else f"{stage} {found.activation or 'the activation'} "
    how = "are furthest from zero" if found.signed else "fire most"
    return f"{side}channels {named} {how}"


def _value(value: float | None) -> str:
    return "-" if value is None else significant(value)


def _pictures(results: Results, place: str, found: _Parameters, of_photos: str) -> list[Picture]:
    n = counted(found.shape[0], "channel")
    chosen = ", ".join(map(str, found.channels[:8]))
    captions = {
        "grid.png": (f"the {n}", f"All channels of {of_photos}, as a grid"),
        "channels.png": (f"channels {chosen}", f"Channels {chosen} of {of_photos}, one by one"),
    }
    return [
        results.picture(f"{place}/{name}", caption, alt=alt)
        for name, (caption, alt) in captions.items()
        if f"{place}/{name}" in results.files
    ]
