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
