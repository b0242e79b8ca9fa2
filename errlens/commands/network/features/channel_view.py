"""How channels that tell two classes apart look on the terminal."""

from typing import Any, Final

from errlens.analysis.channels.firing import CLASSES
from errlens.analysis.findings.finding import as_tree
from errlens.commands import showing
from errlens.commands.network.features.discriminating import Discriminated
from errlens.formats import count, counted, probability, share
from errlens.terminal import Screen

FIRST: Final = 5  # channels of a layer


def show_discriminated(screen: Screen, found: Discriminated) -> None:
    """Print the first channels of each layer, and what silencing suspects did."""
    for layer in found.layers:
        groups = layer.groups
        a, b = found.pair
        screen.say(
            f"{layer.layer.name}, {counted(layer.firing.channels, 'channel')}, on "
            f"{count(int(groups.of_a.sum()))} {a} ({count(int(groups.a_as_b.sum()))} taken for "
            f"{b}) and {count(int(groups.of_b.sum()))} {b} ({count(int(groups.b_as_a.sum()))} "
            f"taken for {a})"
        )
        best = layer.channels.sort_values(["rank", "p_value"], kind="stable")
        errors = best[best["comparison"] != CLASSES] if groups.taken_for_other.any() else best
        first = (errors if len(errors) else best).drop_duplicates("channel").head(FIRST)
        screen.table(
            (">channel", "fires in", "more than in", ">how often", ">q"),
            [_cells(row) for row in showing.first_rows(first)],
            gives_way=("more than in",),
        )
    for remark in found.remarks:
        screen.remark(remark)
    for sentence in found.sentences:
        screen.say(sentence)
    for finding in found.findings:
        screen.say(finding.statement)
    showing.show_files(screen, found.folder, found.written)
    screen.say()


def discriminated_tree(found: Discriminated) -> dict[str, Any]:
    """Return the result as JSON has it."""
    return {
        "pair": list(found.pair),
        "channels": showing.records(found.channels),
        "ablation": showing.records(found.ablation) if found.ablation is not None else None,
        "sentences": found.sentences,
        "remarks": list(found.remarks),
        "findings": [as_tree(finding) for finding in found.findings],
        "files": list(found.written),
    }


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    """Write a comparison, the way round in which it fires more."""
    more, less, auc = row["group"], row["against"], row["auc"]
    if auc < 0.5:
        more, less, auc = less, more, 1 - auc
    return str(row["channel"]), more, less, share(auc), probability(row["q_value"])
