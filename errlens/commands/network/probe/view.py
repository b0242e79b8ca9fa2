"""How a fitted head looks on the terminal."""

import dataclasses
from pathlib import Path
from typing import Final

from errlens.classes.names import ClassNames
from errlens.commands import showing
from errlens.commands.evaluate.options import EvaluateOptions
from errlens.commands.network.probe.options import ProbeOptions
from errlens.commands.options.model import ComputeOptions, ModelOptions
from errlens.commands.showing import proportion_cells
from errlens.formats import counted
from errlens.network.probe import Head
from errlens.run.places import SPLIT_NAMES, data_set_name
from errlens.terminal import Screen, relative

_OTHERS: Final = Path("DATA")  # where nobody knows of other images


def show_head(screen: Screen, options: ProbeOptions, head: Head) -> None:
    """Print how well the head does, where it is, and how to try it on other images."""
    rows = [("training images", *proportion_cells(head.train))]
    if head.held_out:
        name = f"held out, {counted(head.folds, 'fold')}"
        rows.append((name, *proportion_cells(head.held_out)))
    heads = ("accuracy", ">value", ">95 % interval", ">images")
    screen.table(heads, rows, gives_way=(">95 % interval",))
    if head.chosen:
        screen.remark(
            f"how much large weights are punished (scikit-learn's C, {head.strength:g}) was chosen "
            "by the held-out images, which flatters their accuracy slightly"
        )
    elif not head.held_out:
        screen.remark("a class has one image only: there is nothing to hold out")
    screen.step("network probe", _in_short(options, head))
    screen.say()
    screen.say(f"Wrote {relative(_file(options))}")
    data = _held_out(options.data)
    if data == _OTHERS:
        screen.remark(f"{data} stands for other photos than these, to judge the head by")
    screen.whole(f"Next: {_next_command(options, data)}")


def _in_short(options: ProbeOptions, head: Head) -> str:
    """Say in a line how well the head does, and where it is."""
    kind, accuracy = ("held-out", head.held_out) if head.held_out else ("training", head.train)
    value, _, right = proportion_cells(accuracy)
    return f"{relative(_file(options))}: {value} right ({right} {kind} images)"


def _file(options: ProbeOptions) -> Path:
    assert options.save_head is not None  # noqa: S101 - else no head was fitted
    return options.save_head


def print_json(screen: Screen, options: ProbeOptions, head: Head, classes: ClassNames) -> None:
    """Print the one object that stands for the result, where it was asked for."""
    showing.print_json(
        screen,
        "network probe",
        checkpoint=str(options.save_head),
        classes=list(classes.names),
        train=head.train._asdict(),
        held_out=head.held_out and head.held_out._asdict(),
        folds=head.folds,
        C=head.strength,
    )


def _next_command(options: ProbeOptions, data: Path) -> str:
    """Write the command that evaluates the head on other data."""
    kept = {
        field.name: getattr(options, field.name)
        for group in (ModelOptions, ComputeOptions)
        for field in dataclasses.fields(group)
        if field.name not in {"classes", "use_ema", "num_classes", "head"}
    }
    return EvaluateOptions(data=data, **{**kept, "checkpoint": options.save_head}).again()


def _held_out(data: Path) -> Path:
    """Return the folder of other images beside a training split; the word DATA if none is there."""
    if data_set_name(data) is None and data.name.casefold() in SPLIT_NAMES:
        for name in ("val", "valid", "validation", "test"):
            if name != data.name and data.with_name(name).is_dir():
                return data.with_name(name)
    return _OTHERS
