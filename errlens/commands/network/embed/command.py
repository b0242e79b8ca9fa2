"""`errlens network embed`: among whom do errors lie, and what do neighbours argue for?"""

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.analysis.confusion.groups import group_table, names_of
from errlens.analysis.confusion.matrix import confusion_matrix_of_arrays
from errlens.analysis.confusion.pairs import pair_table
from errlens.analysis.embedding.neighbours import (
    NEIGHBOUR_COLUMNS,
    Others,
    in_parts,
    nearest_in_parts,
    neighbour_table,
    standings,
)
from errlens.analysis.embedding.points import Points, colour_groups, outline_of_each
from errlens.analysis.embedding.principal import principal_components
from errlens.analysis.embedding.sentences import sentences_of, trust_sentences
from errlens.analysis.embedding.trust import trust
from errlens.analysis.embedding.tsne import EXTRA, LEAST_POINTS, STEPS, is_installed, tsne
from errlens.analysis.mistakes.ranking import COLUMNS, worst_table
from errlens.commands.network.embed import view
from errlens.commands.network.embed.options import EmbedOptions
from errlens.commands.network.embed.pictures import draw
from errlens.commands.network.embed.reading import Reader
from errlens.commands.network.embed.result import MAP_COLUMNS, EmbedResult, Tables
from errlens.errors import InputError, UnfitOption
from errlens.figures.network.embedding.feature_map import COLOURS
from errlens.formats import counted
from errlens.run.folder import RunFolder
from errlens.run.results import renewed_results
from errlens.terminal import Screen

KIND: Final = "network/embed"
MOST_GROUPS: Final = 4  # that are outlined
_SAME: Final = 1e-5  # of the length of features: those that differ by less are the same


def embed(options: EmbedOptions, screen: Screen | None = None) -> EmbedResult:
    """Map the images of a run by their features, and find the neighbours of its errors."""
    screen = screen or options.screen()
    _check(options)
    run = options.open_run(screen)
    result = find(run, options, screen)
    view.show(screen, run, options, result)
    view.print_json(screen, run, result)
    return result


def find(run: RunFolder, options: EmbedOptions, screen: Screen) -> EmbedResult:
    """Draw the map, find neighbours, and write both to RUN/network/embed."""
    reader = Reader(run, options, screen)
    points = reader.points()
    vectors = points.directions()
    _require_spread(run, points, vectors, options)

    # Who lies next to the errors?
    worst = _worst(run, points, options)
    tables = [_among_right(points, worst, options)]
    n_training = None
    if options.train is not None:
        of_training, n_training = reader.among_training(points, worst)
        tables.append(of_training)
    neighbours = _in_order(pd.concat(tables, ignore_index=True), worst)
    standing = standings(neighbours)

    # The map, and how far it can be believed.
    places, explained = _drawn(vectors, options, screen)
    believed = trust(vectors, places, seed=options.seed)
    groups = _groups(run, points)
    info = run.info
    parents = info.superclasses
    names, colour = colour_groups(
        points,
        info.classes.names,
        [parents.name_of(at) for at in range(len(info.classes))] if parents else None,
        most=len(COLOURS),
    )
    outline = outline_of_each(points, groups)
    table = _map_table(points, places, names, colour, outline)
    result = EmbedResult(
        points, Tables(table, neighbours), standing, worst,
        [*sentences_of(neighbours, standing), *trust_sentences(believed)],
        options.method, explained, believed, groups, n_training, points.left_out,
        run.results_folder(KIND),
    )  # fmt: skip
    with renewed_results(run, KIND, options=_decisive(options)) as results:
        results.csv("map.csv", table)
        results.csv("neighbours.csv", neighbours)
        results.tree("parameters.json", {**result.as_tree(), "options": _decisive(options)})
        absent = draw(results, result, places, colour, outline, names, reader)
    return result._replace(absent=absent, files=results.written)


def _check(options: EmbedOptions) -> None:
    """Refuse at once what only takes a look at the options and at what is installed."""
    if options.method == "tsne" and not is_installed():
        raise UnfitOption(
            "--method tsne takes openTSNE, which is not installed",
            hint=f"{EXTRA} installs it; --method pca needs nothing more",
        )


def _require_spread(
    run: RunFolder, points: Points, vectors: NDArray[np.float32], options: EmbedOptions
) -> None:
    """Refuse to draw a map of nothing."""
    n, name = len(points), repr(str(run.path))
    if n < 2:
        left_out = "".join(f"; {counted(k, 'image')} {why}" for why, k in points.left_out.items())
        raise InputError(f"{name} has {counted(n, 'image')} with features: no map{left_out}")
    if float(np.abs(vectors - vectors[0]).max()) <= _SAME:
        raise InputError(
            f"the features of all {counted(n, 'image')} of {name} point the same way: no image "
            "lies nearer to one than to another"
        )
    if options.method == "tsne" and n < LEAST_POINTS:
        raise UnfitOption(
            f"--method tsne takes {LEAST_POINTS} images or more, and {name} has {n}",
            hint="--method pca draws as few as two",
        )


def _worst(run: RunFolder, points: Points, options: EmbedOptions) -> pd.DataFrame:
    """Return the errors on the map, the worst first, with their `place` among the points."""
    images = run.read_predictions((*COLUMNS, "content_hash"))
    ranked = worst_table([images], options.ranking(images))
    place = {int(row): at for at, row in enumerate(points.table["row"])}
    known = ranked[ranked["row"].isin(list(place))].reset_index(drop=True)
    at = known["row"].map(place).astype("int64")
    hashes = points.table["content_hash"].iloc[at].tolist()
    return known.assign(place=at, content_hash=pd.Series(hashes, dtype=object))


def _among_right(points: Points, worst: pd.DataFrame, options: EmbedOptions) -> pd.DataFrame:
    """Return the neighbours of errors among right images."""
    table = points.table[points.right].sort_values("row")
    at = table.index.to_numpy()
    others = Others(
        "right", table["path"].tolist(), table["label_name"].tolist(),
        table["content_hash"].tolist(), table["row"].to_numpy(np.int64),
    )  # fmt: skip
    nearest = nearest_in_parts(
        points.features[worst["place"]],
        in_parts(np.arange(len(at)), points.features[at]),
        most=options.neighbours,
    )
    return neighbour_table(worst, nearest, others)


def _in_order(neighbours: pd.DataFrame, worst: pd.DataFrame) -> pd.DataFrame:
    """Return neighbours error by error, the worst first: among right images, then among others."""
    rank = dict(zip(worst["row"], worst["rank"], strict=True))
    order = np.lexsort(
        [neighbours["rank"], neighbours["among"] == "training", neighbours["row"].map(rank)]
    )
    return neighbours.iloc[order].reset_index(drop=True)[list(NEIGHBOUR_COLUMNS)]


def _drawn(
    vectors: NDArray[np.float32], options: EmbedOptions, screen: Screen
) -> tuple[NDArray[np.float64], tuple[float, float] | None]:
    """Return where images are on the map, shape (n, 2), and the variance along x and y."""
    if options.method == "tsne":
        with screen.progress("drawing the map", total=STEPS) as advance:
            return tsne(vectors, advance=advance), None
    components = principal_components(vectors, most=2)
    across, up = components.shares.tolist()
    return components.coordinates, (across, up)


def _groups(run: RunFolder, points: Points) -> list[list[str]]:
    """Return the confused groups with the most errors inside."""
    judged = points.label >= 0
    if not points.wrong.any():
        return []
    info = run.info
    matrix = confusion_matrix_of_arrays(
        points.label[judged], points.pred[judged], info.classes, info.superclasses
    )
    groups = names_of(group_table(matrix, pair_table(matrix)))
    return [list(names) for names in groups[:MOST_GROUPS]]


def _map_table(
    points: Points,
    places: NDArray[np.float64],
    names: list[str],
    colour: NDArray[np.int64],
    outline: NDArray[np.int64],
) -> pd.DataFrame:
    """Return map.csv."""
    right = pd.Series(points.right, dtype=object).where(points.label >= 0, None)
    table = points.table[["row", "sample_id", "path"]].assign(
        x=places[:, 0],
        y=places[:, 1],
        label_name=points.table["label_name"],
        pred_name=points.table["pred_name"],
        right=right.astype("boolean"),
        colour=pd.Series([names[at] if at >= 0 else None for at in colour], dtype="str"),
        group=np.where(outline > 0, outline, np.nan),
    )
    return table.sort_values("row").reset_index(drop=True)[list(MAP_COLUMNS)]


def _decisive(options: EmbedOptions) -> dict[str, Any]:
    tree = {name: getattr(options, name) for name in ("method", "neighbours", "top", "seed")}
    return {**tree, "train": None if options.train is None else str(options.train)}
