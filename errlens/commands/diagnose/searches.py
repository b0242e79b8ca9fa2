"""The searches for causes, in the order in which they are believed where they tell the same."""

from collections.abc import Callable
from typing import Final, NamedTuple

from errlens.analysis.findings.causes.clusters import search_clusters
from errlens.analysis.findings.causes.copies.duplicates import search_duplicates
from errlens.analysis.findings.causes.copies.leakage import search_leakage
from errlens.analysis.findings.causes.labels.issues import search_label_issues
from errlens.analysis.findings.causes.patches.search import search_patches
from errlens.analysis.findings.causes.slices.search import search_slices
from errlens.analysis.findings.finding import Outcome
from errlens.commands.diagnose.case import Case
from errlens.data.properties.table import PROPERTIES


class Look(NamedTuple):
    """A search: for what kind of cause, in words, and the function that does it."""

    kind: str
    what: str
    search: Callable[[Case], Outcome]


def looks(case: Case) -> list[Look]:
    """Return the searches there are for a run; some are done on demand, or with the model only."""
    wanted = list(_ALWAYS)
    if case.options.train:
        wanted.insert(0, Look("leakage", "images that were trained on", _leakage))
    if not case.options.no_model:
        wanted += [
            Look("repair", "changes of the input that repair errors", _repairs),
            Look("place", "places that mislead the model", _places),
        ]
    return wanted


def _leakage(case: Case) -> Outcome:
    return search_leakage(case.scored, case.properties, case.trained_on)


def _labels(case: Case) -> Outcome:
    return search_label_issues(case.scored, case.features, case.logits)


def _duplicates(case: Case) -> Outcome:
    return search_duplicates(case.scored, case.properties)


def _patches(case: Case) -> Outcome:
    return search_patches(case.scored, case.properties)


def _slices(case: Case) -> Outcome:
    return search_slices(case.scored, case.properties_if_any, case.extra, known=PROPERTIES)


def _clusters(case: Case) -> Outcome:
    return search_clusters(case.scored, case.features, case.logits)


def _repairs(case: Case) -> Outcome:
    from errlens.commands.diagnose.asking import repairs  # torch takes seconds to import

    return repairs(case)


def _places(case: Case) -> Outcome:
    from errlens.commands.diagnose.asking import places

    return places(case)


_ALWAYS: Final = (
    Look("label_issue", "wrong labels", _labels),
    Look("duplicate", "copies of images", _duplicates),
    Look("patch", "marks that images share", _patches),
    Look("slice", "properties of images, columns of the manifest", _slices),
    Look("cluster", "images that look alike to the network", _clusters),
)
