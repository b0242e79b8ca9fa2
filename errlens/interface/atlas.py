"""The commands that make and test activation atlases, as functions."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from errlens.commands.options.calls import hints_as_notes, made
from errlens.interface.commands import Place

if TYPE_CHECKING:
    from errlens.commands.atlas.paste.result import PasteResult


def atlas_paste(images: Place | Sequence[Place] | None = None, **options: Any) -> "PasteResult":
    """Paste a patch into photos; `.verdicts` has a row a suspect, `.images` what becomes of each.

    Args:
        images: A run folder, by default the newest below `runs/`, or photos, with `model` or
            `checkpoint`; or a run folder and photos for its model.
        options: Any option of `errlens atlas paste`, such as `patch="ball.png"`, `to="cat"` or
            `from_class="dog"`.
    """
    with hints_as_notes():
        from errlens.commands.atlas.paste.command import paste as command
        from errlens.commands.atlas.paste.options import PasteOptions

        return command(made(PasteOptions, {"images": images, **options}))
