"""Error analysis for image classifiers: `help(errlens.interface)` lists what there is for Python.

>>> import errlens
>>> errlens.confused_pairs(["cat", "dog"], ["dog", "cat"], ["cat", "dog"])["a_as_b"].tolist()
[1]
"""

from errlens.interface import (
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

__version__ = "0.1.0"
__all__ = [
    "analyze",
    "check",
    "compare",
    "confused_pairs",
    "confusion",
    "diagnose",
    "evaluate",
    "explain",
    "import_predictions",
    "misclassified",
    "open_run",
    "what_if",
    "write_report",
]
