"""Which picture `errlens network invariance --severity` draws."""

from matplotlib.figure import Figure

from errlens.commands.network.images import ModelAndImages
from errlens.commands.network.invariance.severity.result import SeverityResult
from errlens.commands.network.invariance.severity.view import errors_of
from errlens.figures.network.transforms.severity import draw_severities
from errlens.figures.paper.letters import shown_name
from errlens.formats import counted, share, share_range


def severity_figure(subject: ModelAndImages, result: SeverityResult) -> Figure:
    """Draw errors by corruption and severity, and their means."""
    errors = errors_of(result)
    clean, corrupted = result.cost.clean, result.cost.corrupted
    wrong = "wrong" if result.answers.labelled else "changed"
    legend = (
        f"Percent {wrong} at each severity, and their mean with its 95 % interval. Of all: "
        f"{share(corrupted.value)} ({share_range(corrupted.low, corrupted.high)})"
    )
    if result.answers.labelled:
        legend += f"; line: the clean images, {share(clean.value)}"
    return draw_severities(
        errors.to_numpy(),
        result.corruptions[["error", "low", "high"]].to_numpy(),
        names=[str(name) for name in errors.index],
        severities=[int(level) for level in errors.columns],
        clean=clean.value,
        title=f"{shown_name(subject.name)}: {counted(len(result.answers), 'image')}, corrupted",
        legend=f"{legend}.",
    )
