"""The commands that make and question atlases, as functions."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from errlens.commands.options.calls import hints_as_notes, made
from errlens.interface.commands import Place

if TYPE_CHECKING:
    from errlens.commands.atlas.class_.result import ClassResult
    from errlens.commands.atlas.collect.result import CollectResult
    from errlens.commands.atlas.compare.result import PairResult
    from errlens.commands.atlas.paste.result import PasteResult
    from errlens.commands.atlas.render.result import RenderResult


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


def atlas_class(
    run: Place | None = None, *, classes: str | Sequence[str], **options: Any
) -> "ClassResult":
    """Draw what classes rely on; `.atlases` has the `.suspects` and `.tables` of each.

    Args:
        run: The run folder, whose points were collected; by default the newest below `runs/`.
        classes: What the atlases are of, one each.
        options: Any option of `errlens atlas class`, such as `layer="layer4"` or
            `masks="outlines.json"`.
    """
    with hints_as_notes():
        from errlens.commands.atlas.class_.command import class_atlas as command
        from errlens.commands.atlas.class_.options import ClassOptions

        return command(made(ClassOptions, {"run": run, "classes": classes, **options}))


def atlas_compare(
    run: Place | None = None, *, classes: str | Sequence[str] | None = None, **options: Any
) -> "PairResult":
    """Show what tells two classes apart; `.atlases` has the cells of each pair as a table.

    Args:
        run: The run folder, whose points were collected; by default the newest below `runs/`.
        classes: Two classes, or pairs as `A~B`; or none with `select`.
        options: Any option of `errlens atlas compare`, such as `select="pairs:3"`.
    """
    with hints_as_notes():
        from errlens.commands.atlas.compare.command import compare_classes as command
        from errlens.commands.atlas.compare.options import ComparePairOptions

        return command(made(ComparePairOptions, {"run": run, "classes": classes, **options}))


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
