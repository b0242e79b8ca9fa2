"""The commands that make and question atlases, as functions."""

from typing import TYPE_CHECKING, Any

from errlens.commands.options.calls import hints_as_notes, made
from errlens.interface.commands import Place

if TYPE_CHECKING:
    from errlens.commands.atlas.collect.result import CollectResult


def atlas_collect(run: Place | None = None, **options: Any) -> "CollectResult":
    """Collect what layers see at single places of photos; `.table` has a row a layer.

    Args:
        run: The run folder; by default the newest below `runs/`.
        options: Any option of `errlens atlas collect`, such as `layer="layer3"` or `per_image=1`.
    """
    with hints_as_notes():
        from errlens.commands.atlas.collect.command import collect as command
        from errlens.commands.atlas.collect.options import CollectOptions

        return command(made(CollectOptions, {"run": run, **options}))
    from errlens.commands.atlas.render.result import RenderResult


def atlas_render(run: Place | None = None, **options: Any) -> "RenderResult":
    """Draw the atlas of a layer; `.layers` has its cells as a table, `.figures` the pictures.

    Args:
        run: The run folder, whose points were collected; by default the newest below `runs/`.
        options: Any option of `errlens atlas render`, such as `layer="layer4"`, `grid=20` or
            `opacity="great white shark"`.
    """
    with hints_as_notes():
        from errlens.commands.atlas.render.command import render as command
        from errlens.commands.atlas.render.options import RenderOptions

        return command(made(RenderOptions, {"run": run, **options}))
