"""`errlens check`: is the model good enough, and no worse than it was?"""

from pathlib import Path

from errlens.analysis.comparison.matching import outcomes, read_baseline, spelt_alike
from errlens.analysis.gates import drop
from errlens.analysis.gates.limits import GateResult, judge, read_gates
from errlens.analysis.gates.metrics import metrics_of_run
from errlens.commands.check import view
from errlens.commands.check.options import CheckOptions
from errlens.errors import GateFailed, some
from errlens.report.junit import junit_xml
from errlens.run.folder import RunFolder


def check(options: CheckOptions) -> list[GateResult]:
    """Fail if the model is not as good as asked, or surely worse than it was."""
    screen = options.screen()
    run = options.open_run(screen)
    outcomes = _judge(run, options)
    tree = view.as_tree(run, outcomes)
    run.write_gates(tree, junit_xml(outcomes))
    view.show_outcomes(screen, run, outcomes)
    view.show_next(screen, run, outcomes)
    view.print_json(screen, run, tree)
    failed = [one.gate.name for one in outcomes if not one.passed]
    if failed and not options.exit_zero:
        gates = f"{len(outcomes)} gate{'s' * (len(outcomes) != 1)}"
        raise GateFailed(f"{len(failed)} of {gates} failed: {some(failed)}")
    return outcomes


def _judge(run: RunFolder, options: CheckOptions) -> list[GateResult]:
    """Return what becomes of each gate: limits first, then the comparison."""
    metrics = metrics_of_run(run)
    gates = read_gates(options.fail_under or (), options.fail_over or (), metrics)
    dropped = [_judge_drop(run, options, options.baseline)] if options.baseline else []
    return [judge(gate, metrics) for gate in gates] + dropped


def _judge_drop(run: RunFolder, options: CheckOptions, baseline: Path) -> GateResult:
    """Return what becomes of the gate that compares the run with an earlier one."""
    allowed = drop.read_allowed_drop("0" if options.max_drop is None else str(options.max_drop))
    least_overlap = drop.read_least_overlap(str(options.min_overlap))
    if not baseline.exists():
        passes = options.baseline_missing == "pass"
        return drop.without_baseline(str(baseline), allowed=allowed, passes=passes)
    return drop.judge_drop(
        spelt_alike(read_baseline(baseline), run.info.classes),
        outcomes(run),
        allowed=allowed,
        least_overlap=least_overlap,
        baseline=str(baseline),
    )
