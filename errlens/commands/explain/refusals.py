"""Options of `errlens explain` that mean nothing, or do not fit together."""

from errlens.attribution.methods import load_method
from errlens.commands.explain.options import ExplainOptions
from errlens.errors import UnfitOption, did_you_mean, nearest
from errlens.escapes import shell_line
from errlens.figures.maps.overlay import colormap_names


def refuse_what_does_not_fit(options: ExplainOptions) -> None:
    """Refuse names that mean nothing, and options that say nothing of a run or of photos."""
    for name in options.methods:
        load_method(name)
    if options.colormap is not None and options.colormap not in colormap_names():
        raise UnfitOption(
            f"--colormap {options.colormap!r} is not known",
            hint=did_you_mean(
                nearest(options.colormap, colormap_names()),
                f"there are {', '.join(colormap_names())}",
            ),
        )
    options.seconds()
    if options.list_methods:
        return
    if options.of_photos:
        _refuse_run(options)
    elif options.images or (options.run and options.run.is_file()):
        photos = [*filter(None, [options.run]), *(options.images or ())]
        raise UnfitOption(
            "photos without a run need --model or --checkpoint",
            hint=shell_line(["errlens", "explain", *photos, "--model", "NAME"]),
        )
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
