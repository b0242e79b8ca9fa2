"""How what was collected looks on the terminal."""

from errlens.commands import showing
from errlens.commands.atlas.collect.options import CollectOptions
from errlens.commands.atlas.collect.result import CollectResult
from errlens.commands.showing import and_more, records, show_files
from errlens.errors import some
from errlens.formats import count, counted, of
from errlens.run.folder import RunFolder
from errlens.terminal import Screen


def show(screen: Screen, run: RunFolder, options: CollectOptions, result: CollectResult) -> None:
    """Print a row for each layer, what was left out, and where all is."""
    rows = [
        (
            of_layer.layer.name,
            "{} x {}".format(*of_layer.layer.grid),
            count(of_layer.n_points),
            count(of_layer.n_images),
            of_layer.method,
            of(len(of_layer.dead), of_layer.layer.channels),
        )
        for of_layer in result.layers
    ]
    heads = ("layer", ">places", ">points", ">images", "attribution", ">dead channels")
    screen.table(heads, rows, gives_way=(">dead channels",))
    if repeated := [of.layer.name for of in result.layers if of.layer.calls > 1]:
        screen.remark(
            f"{some(repeated)} runs several times for an image: what it puts out the last time "
            "counts"
        )
    for of_layer in result.layers[:1]:
        if of_layer.unread:
            path, reason = next(iter(of_layer.unread.items()))
            screen.warn(
                f"{counted(len(of_layer.unread), 'image')} left out: {path!r} ({reason})"
                f"{and_more(len(of_layer.unread))}"
            )
    for of_layer in result.layers:
        show_files(screen, of_layer.folder, of_layer.files)
    showing.say_next(screen, ["errlens", "atlas", "render", run.path, *options.images_words()])
    screen.step("atlas collect", result.in_a_line)


def print_json(
    screen: Screen, run: RunFolder, options: CollectOptions, result: CollectResult
) -> None:
    """Print the one object that stands for the result, where it was asked for."""
    showing.print_json(
        screen,
        "atlas collect",
        run,
        per_image=options.per_image,
        seed=options.seed,
        table=records(result.table),
        layers=[
            {**of_layer.as_tree(), "folder": str(of_layer.folder), "files": list(of_layer.files)}
            for of_layer in result.layers
        ],
    )
