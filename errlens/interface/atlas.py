"""The commands that map what layers see, as functions."""

from typing import TYPE_CHECKING, Any

from errlens.commands.options.calls import hints_as_notes, made
from errlens.interface.commands import Place

if TYPE_CHECKING:
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
