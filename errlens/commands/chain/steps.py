"""The steps there are, in the order in which they are taken."""

from typing import Final

from errlens.commands.registry import COMMANDS

# By the names of the blocks of a configuration.
STEPS: Final = {
    name.replace(" ", "_"): COMMANDS[name]
    for name in (
        "network probe",
        "evaluate",
        "import",
        "confusion",
        "misclassified",
        "diagnose",
        "explain",
        "network layers",
        "network filters",
        "network activations",
        "network features",
        "network evolution",
        "network embed",
        "network invariance",
        "network correspondence",
        "network occlusion",
        "atlas collect",
        "atlas render",
        "atlas class",
        "atlas compare",
        "atlas paste",
        "compare",
        "check",
        "report",
    )
}
# What a run is made by: where one of these fails, there is nothing for the others to read.
MAKERS: Final = ("network_probe", "evaluate", "import")
