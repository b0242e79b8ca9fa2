"""Everything a person sees: results on stdout; progress, remarks and errors on stderr.

The only room that knows rich.
"""

from errlens.terminal.columns import Cell, Names, Verdict
from errlens.terminal.screen import (
    Screen,
    StartProgress,
    StepScreen,
    folder_named,
    relative,
    show_error,
)

__all__ = [
    "Cell",
    "Names",
    "Screen",
    "StartProgress",
    "StepScreen",
    "Verdict",
    "folder_named",
    "relative",
    "show_error",
]
