"""The commands as functions, for notebooks and scripts.

Each takes the options of its command as keyword arguments, with underscores. Paths may be strings,
`pathlib` paths or runs, and may start with `~`; one value may stand for a list of one, and a
mapping for a list of METRIC=X; numbers, arrays and columns may be those of numpy and pandas. Each
returns what the command finds, its tables as frames of pandas, and prints nothing but warnings,
unless it is called with `quiet=False`. Nothing heavy is imported before a function is called.

A result says in a line what was found; a notebook also shows the table that says most, and a
picture. Pictures that were written are in `.figures`, by their names.

Failures that a user can mend are `errlens.errors.ErrlensError`s; their hint is a note below the
traceback.
"""

from errlens.interface.atlas import (
    atlas_class,
    atlas_collect,
    atlas_compare,
    atlas_paste,
    atlas_render,
)
from errlens.interface.commands import (
    analyze,
    check,
    compare,
    confused_pairs,
    confusion,
    diagnose,
    evaluate,
    explain,
    import_predictions,
    misclassified,
    open_run,
    what_if,
    write_report,
)
from errlens.interface.network import (
    network_activations,
    network_correspondence,
    network_embed,
    network_evolution,
    network_features,
    network_filters,
    network_invariance,
    network_layers,
    network_occlusion,
    network_probe,
)

__all__ = [
    "analyze",
    "atlas_class",
    "atlas_collect",
    "atlas_compare",
    "atlas_paste",
    "atlas_render",
    "check",
    "compare",
    "confused_pairs",
    "confusion",
    "diagnose",
    "evaluate",
    "explain",
    "import_predictions",
    "misclassified",
    "network_activations",
    "network_correspondence",
    "network_embed",
    "network_evolution",
    "network_features",
    "network_filters",
    "network_invariance",
    "network_layers",
    "network_occlusion",
    "network_probe",
    "open_run",
    "what_if",
    "write_report",
]
