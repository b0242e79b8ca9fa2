"""The pictures of `errlens network embed`: dots, photos on the map, errors beside neighbours."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.analysis.embedding.neighbours import SAME_FILE
from errlens.commands.network.embed.reading import Reader
from errlens.commands.network.embed.result import EmbedResult
from errlens.commands.showing import first_rows
from errlens.data.photos.images import ImageFile, Unread
from errlens.data.photos.thumbnails import load_thumbnails
from errlens.figures.gallery import SIDE, Column, Correctness, Line, Picture, Tile, draw_gallery
from errlens.figures.network.embedding.feature_map import Map, draw_map
from errlens.figures.network.embedding.photo_map import SIDE as SMALL_SIDE
from errlens.figures.network.embedding.photo_map import draw_photo_map, with_room
from errlens.formats import counted, number, share
from errlens.run.results import ResultsWriter

SHOWN: Final = 3  # neighbours of an error, of each kind
MARKS: Final = {"label": "its label", "prediction": "the prediction", "neither": "neither"}


def draw(
    results: ResultsWriter,
    result: EmbedResult,
    places: NDArray[np.float64],
    colour: NDArray[np.int64],
    outline: NDArray[np.int64],
    names: Sequence[str],
    reader: Reader,
) -> dict[str, str]:
    """Draw all pictures, and return of photos that cannot be shown why, by their paths.

    Args:
        results: Takes the pictures.
        result: What was found.
        places: Of all images on the map, shape (n, 2).
        colour: Which of `names` each is of, -1 for none.
        outline: The number of the group of `result` that each is in, from 1 on; 0 for none.
        names: What images are coloured by.
        reader: Knows where the photos lie.
    """
    absent: dict[str, str] = {}
    points = result.points
    groups = [
        (" ~ ".join(members), outline == number)
        for number, members in enumerate(result.groups, start=1)
    ]
    axes = ("", "")
    if result.explained:
        across, up = map(share, result.explained)
        axes = (f"across: {across} of the variance", f"up: {up} of the variance")
    drawn = Map(places, colour, names, points.wrong, groups, axes)
    results.png("map.png", draw_map(drawn, title=_title(result), legend=_legend(result)))
    with reader.screen.progress("drawing", total=2) as advance:
        _draw_photos(results, result, places, reader, absent)
        advance(1)
        if len(result.worst):
            _draw_neighbours(results, result, reader, absent)
        advance(1)
    return absent


def _title(result: EmbedResult) -> str:
    how = "t-SNE" if result.method == "tsne" else "principal components"
    return f"{counted(len(result.points), 'image')} by their features ({how})"


def _legend(result: EmbedResult) -> str:
    texts = ["Images lie near one another that the network finds alike."]
    if result.points.wrong.any():
        texts.append("A cross is an error, in the colour of its label.")
    if result.groups:
        texts.append("A line holds four fifths of the images of classes that are confused.")
    believed = result.trust
    if believed.n >= 4:
        texts.append(
            f"Trustworthiness {number(believed.trustworthiness)}; {share(believed.kept)} of "
            f"{believed.k} nearest neighbours kept."
        )
    return " ".join(texts)


def _draw_photos(
    results: ResultsWriter,
    result: EmbedResult,
    places: NDArray[np.float64],
    reader: Reader,
    absent: dict[str, str],
) -> None:
    """Draw the map of photos: errors find their places first, the worst before all."""
    points = result.points
    first = result.worst["place"].to_numpy(np.int64)
    others = np.setdiff1d(np.arange(len(points)), first)
    mixed = np.random.default_rng(0).permutation(others)
    chosen = with_room(places, np.concatenate([first, mixed]))
    photos: dict[int, tuple[Any, Correctness]] = {}
    files = [_file(reader, points.table.iloc[at]) for at in chosen.tolist()]
    for at, photo in zip(chosen.tolist(), load_thumbnails(files, side=SMALL_SIDE), strict=True):
        if isinstance(photo, Unread):
            absent[str(points.table["path"].iloc[at])] = photo.reason
        else:
            wrong, right = bool(points.wrong[at]), bool(points.right[at])
            photos[at] = (photo.shown, "wrong" if wrong else "right" if right else "other")
    if photos:
        legend = (
            f"{counted(len(photos), 'photo')} of {counted(len(points), 'image')}, as many as find "
            "room, errors first; dots are the others. Orange: wrong, blue: right, grey: no label."
        )
        figure = draw_photo_map(places, photos, title=_title(result), legend=legend)
        results.png("photos.png", figure)


def _file(reader: Reader, image: pd.Series) -> ImageFile:
    root = reader.options.images_root(reader.run)
    return ImageFile(root / image["path"], image["content_hash"], reader.run.info.max_file_mb)


def _draw_neighbours(
    results: ResultsWriter, result: EmbedResult, reader: Reader, absent: dict[str, str]
) -> None:
    """Draw the worst errors, each in a row with its nearest images."""
    worst = result.worst.head(reader.options.top)
    table = result.tables.neighbours
    columns = [Column("wrong", _error_tiles(worst, reader, absent))]
    for among in ("right", "training"):
        of_kind = first_rows(table[table["among"] == among])
        ranked = {(neighbour["row"], neighbour["rank"]): neighbour for neighbour in of_kind}
        for rank in range(1, SHOWN + 1):
            neighbours = [ranked.get((row, rank)) for row in worst["row"].tolist()]
            if any(neighbours):
                tiles = _neighbour_tiles(neighbours, among, reader, absent)
                columns.append(Column(f"{_nth(rank)} {among}", tiles))
    if all(isinstance(tile.pictures[0], str) for tile in columns[0].tiles):
        return
    figure = draw_gallery(
        columns,
        title="The worst errors, and what lies nearest to them",
        legend="Below each neighbour: its label, what it argues for, and the cosine of its "
        "features with those of the error.",
    )
    results.png("neighbours.png", figure)


def _nth(rank: int) -> str:
    return {1: "nearest", 2: "2nd nearest", 3: "3rd nearest"}.get(rank, f"{rank}th nearest")


def _error_tiles(worst: pd.DataFrame, reader: Reader, absent: dict[str, str]) -> list[Tile]:
    files = [_file(reader, image) for _, image in worst.iterrows()]
    tiles = []
    for image, picture in zip(first_rows(worst), _pictures(files, absent), strict=True):
        lines = (
            Line(image["label_name"]),
            Line(f"→ {image['pred_name']}"),
            Line("", f"row {image['row']}", dim=True),
        )
        tiles.append(Tile((picture,), lines, "wrong"))
    return tiles


def _neighbour_tiles(
    neighbours: Sequence[dict[str, Any] | None],
    among: str,
    reader: Reader,
    absent: dict[str, str],
) -> list[Tile]:
    in_training = among == "training"
    root = reader.training.root if in_training else reader.options.images_root(reader.run)
    limit = reader.run.info.max_file_mb
    files = [
        ImageFile(root / neighbour["neighbour_path"], None, limit)
        for neighbour in neighbours
        if neighbour
    ]
    pictures = iter(_pictures(files, absent))
    tiles = []
    for neighbour in neighbours:
        if neighbour is None:
            tiles.append(Tile(("none",), ()))
            continue
        copy = " · a copy" if neighbour["copy"] == SAME_FILE else ""
        lines = (
            Line(neighbour["neighbour_label"]),
            Line("", f"for {MARKS[neighbour['argues_for']]}"),
            Line("", f"{number(neighbour['similarity'])}{copy}", dim=True),
        )
        tiles.append(Tile((next(pictures),), lines, "other" if in_training else "right"))
    return tiles


def _pictures(files: Sequence[ImageFile], absent: dict[str, str]) -> list[Picture]:
    pictures: list[Picture] = []
    for file, photo in zip(files, load_thumbnails(files, side=SIDE), strict=True):
        if isinstance(photo, Unread):
            absent[str(file.path)] = photo.reason
            pictures.append(photo.reason)
        else:
            pictures.append(photo.shown)
    return pictures
