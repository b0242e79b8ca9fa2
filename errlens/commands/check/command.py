"""`errlens check`: is the model good enough, and no worse than it was?"""

from pathlib import Path

from errlens.analysis.comparison.matching import outcomes, read_baseline, spelt_alike
from errlens.analysis.findings.reading import counts_by_kind
from errlens.analysis.gates import drop
from errlens.analysis.gates.limits import GateResult, judge, read_gates
from errlens.analysis.gates.metrics import metrics_of_run
from errlens.commands.check import view
from errlens.commands.check.options import CheckOptions
from errlens.commands.check.result import CheckResult
from errlens.errors import GateFailed, some
from errlens.formats import counted
from errlens.predictions.table import SCHEMA_VERSION
from errlens.report.junit import junit_xml
from errlens.run.folder import RunFolder
from errlens.terminal import Screen


def check(options: CheckOptions, screen: Screen | None = None) -> CheckResult:
    """Fail if the model is not as good as asked, or surely worse than it was."""
    screen = screen or options.screen()
    run = options.open_run(screen)
    gates = CheckResult(judge_gates(run, options))
    view.show(screen, run, gates, is_verdict=options.exit_zero)
    failed = [gate.gate.name for gate in gates if not gate.passed]
    if failed and not options.exit_zero:
        which = "" if screen.shows_results else f": {some(failed)}"
        raise GateFailed(f"{len(failed)} of {counted(len(gates), 'gate')} failed{which}")
    return gates


def judge_gates(run: RunFolder, options: CheckOptions) -> list[GateResult]:
    """Return what becomes of each gate, limits first, and write it to the run."""
    metrics = metrics_of_run(run, findings=lambda: counts_by_kind(run))
    limits = read_gates(options.fail_under or (), options.fail_over or (), metrics)
    gates = [judge(limit, metrics) for limit in limits]
    if options.baseline:
        gates.append(_judge_drop(run, options, options.baseline))
    tree = {
        "schema_version": SCHEMA_VERSION,
        "run_hash": run.info.run_hash,
        **view.as_tree(gates),
    }
    run.write_gates(tree, junit_xml(gates))
    return gates


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
