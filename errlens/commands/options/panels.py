"""The headings under which help lists options."""

from enum import StrEnum


class Panel(StrEnum):
    """A heading with the options below it. The help of every command has them in this order.

    A class of options says with `PANEL` where its options belong; a single option that belongs
    elsewhere says so itself, with `rich_help_panel`, Typer's name for it.
    """

    CONFIGURATION = "Configuration"
    DATA = "Data"
    COLUMNS = "Columns"
    IMAGES = "Images"
    METHOD = "Method"
    CHECKS = "Comparisons and checks"
    CHANGES = "Changes"
    GATES = "Gates"
    PICTURES = "Pictures"
    MODEL = "Model"
    PREPROCESSING = "Preprocessing"
    RUN = "Run"
    OUTPUT = "Output"
    COMMON = "Common"
