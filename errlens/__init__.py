"""Error analysis for image classifiers: `help(errlens.interface)` lists what there is for Python.

>>> import errlens
>>> errlens.confused_pairs(["cat", "dog"], ["dog", "cat"], ["cat", "dog"])["a_as_b"].tolist()
[1]
"""

from typing import TYPE_CHECKING

from errlens.interface import (
    analyze,
    atlas_class,
    atlas_collect,
    atlas_compare,
    atlas_paste,
    atlas_render,
    check,
    compare,
    confused_pairs,
    confusion,
    diagnose,
    evaluate,
    explain,
    import_predictions,
    misclassified,
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
    open_run,
    what_if,
    write_report,
)

__version__ = "0.1.0"
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

# Commands whose functions are called otherwise: one names a module, the other is a word of Python.
_CALLED = {"report": "write_report", "import_": "import_predictions"}

if not TYPE_CHECKING:  # for a type checker there is nothing but the names above

    def __getattr__(name: str) -> object:
        function = f"; it is errlens.{_CALLED[name]}" if name in _CALLED else ""
        raise AttributeError(f"module 'errlens' has no attribute {name!r}{function}")
