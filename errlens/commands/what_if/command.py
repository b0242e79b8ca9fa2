"""`errlens what-if`: the metrics of a run with other classes or other labels."""

from collections.abc import Iterator

from errlens.analysis.accuracy.mended_labels import MendedLabels, read_labels
from errlens.analysis.accuracy.regrouping import regroup
from errlens.analysis.accuracy.what_if import COLUMNS, Recount, ScoredPart
from errlens.analysis.accuracy.what_if import what_if as recount
from errlens.analysis.gates.limits import GateResult, judge, read_gates
from errlens.analysis.gates.metrics import metrics_of_matrix
from errlens.classes.names import NO_CLASS
from errlens.commands.what_if import view
from errlens.commands.what_if.options import WhatIfOptions
from errlens.commands.what_if.result import WhatIfResult
from errlens.errors import some
from errlens.run.folder import RunFolder


def what_if(options: WhatIfOptions) -> WhatIfResult:
    """Say what the metrics of RUN would be with classes merged or dropped, or labels mended."""
    screen = options.screen()
    run = options.open_run(screen)
    result = find(run, options)
    if options.relabel and not result.new.relabelled:
        files = some([str(path) for path in options.relabel])
        screen.warn(f"no label is changed: those in {files} are the ones of the run")
    view.show(screen, run, result)
    return result


def find(run: RunFolder, options: WhatIfOptions) -> WhatIfResult:
    """Count the predictions of a run as they are, and among the classes and labels asked for."""
    classes, superclasses = run.info.classes, run.info.superclasses
    regrouping = regroup(
        classes,
        superclasses,
        merge=options.merge or (),
        drop=options.drop or (),
        only=options.only or (),
    )
    mended = _mended_labels(run, options)
    old = recount(_evidence(run), regroup(classes, superclasses))
    new = recount(_evidence(run), regrouping, labels=mended.labels)
    if not (old.matrix.total or new.matrix.total):
        raise run.no_labels()
    return WhatIfResult(old, new, _gates(new, options), mended.n_without_label)


def _mended_labels(run: RunFolder, options: WhatIfOptions) -> MendedLabels:
    """Return the class of each row whose label changes, of all files."""
    if not options.relabel:
        return MendedLabels({}, 0)
    column = run.read_predictions(("label",)).table["label"]
    label = column.fill_null(NO_CLASS).to_numpy()
    files = [read_labels(path, run.plan, run.info.classes, label) for path in options.relabel]
    return MendedLabels(
        {row: new for file in files for row, new in file.labels.items()},
        sum(file.n_without_label for file in files),
    )


def _gates(new: Recount, options: WhatIfOptions) -> list[GateResult]:
    """Return what would become of gates."""
    metrics = metrics_of_matrix(new.matrix, new.metrics)
    gates = read_gates(options.fail_under or (), options.fail_over or (), metrics)
    return [judge(gate, metrics) for gate in gates]


def _evidence(run: RunFolder) -> Iterator[ScoredPart]:
    """Yield the predictions part by part, with the logits where they were kept."""
    parts = run.read_parts(COLUMNS)
    if "logits" in run.info.keep:
        yield from map(ScoredPart, parts, run.read_sidecars("logits"))
    else:
        yield from map(ScoredPart, parts)
