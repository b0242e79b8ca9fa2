"""`errlens diagnose`: why is it wrong?"""

from collections.abc import Iterator, Mapping

import pandas as pd

from errlens.analysis.findings.causes.labels.exports import (
    fiftyone_samples,
    label_studio_tasks,
)
from errlens.analysis.findings.finding import (
    Outcome,
    Search,
    finding_table,
    ranked,
    told_once,
)
from errlens.analysis.findings.known.collecting import known_findings
from errlens.analysis.findings.known.two_classes import read_costs
from errlens.analysis.findings.measured import FILE as PROPERTIES_FILE
from errlens.analysis.findings.reading import FILE, KIND, findings_tree
from errlens.commands.diagnose import view
from errlens.commands.diagnose.case import Case, open_case
from errlens.commands.diagnose.options import DiagnoseOptions
from errlens.commands.diagnose.result import Diagnosis
from errlens.commands.diagnose.searches import looks
from errlens.data.properties.table import as_table
from errlens.errors import ErrlensError, Interrupted, NoModel
from errlens.run.folder import RunFolder
from errlens.run.results import ResultsWriter, renewed_results
from errlens.terminal import Screen, StartProgress


def diagnose(options: DiagnoseOptions, screen: Screen | None = None) -> Diagnosis:
    """Find out why images are wrong."""
    screen = screen or options.screen()
    run = options.open_run(screen)
    diagnosis = find(run, options, progress=screen.progress)
    view.show(screen, run, diagnosis)
    return diagnosis


def find(run: RunFolder, options: DiagnoseOptions, *, progress: StartProgress) -> Diagnosis:
    """Look for every cause and write what was found to RUN/diagnosis."""
    options.seconds()  # what is no time is refused before the work
    case = open_case(run, options, progress)
    costs = read_costs(options.cost or (), run.info.classes)
    try:
        outcomes = list(_outcomes(case))
    except KeyboardInterrupt:
        case.keep_measured()
        raise Interrupted(
            "stopped", hint="the same command goes on where it was: what was measured is kept"
        ) from None
    causes = told_once([finding for outcome in outcomes for finding in outcome.findings])
    diagnosis = Diagnosis(
        findings=ranked([*known_findings(run, costs), *causes]),
        searches=[search for outcome in outcomes for search in outcome.searches],
        tables={name: table for outcome in outcomes for name, table in outcome.tables.items()},
        n_images=len(case.scored),
        n_errors=case.scored.n_errors,
    )
    with renewed_results(run, KIND, options=_decisive(options), keep=_is_measured) as results:
        _write(results, case, diagnosis, costs)
        if not options.no_figures:
            from errlens.commands.diagnose.pictures import draw  # tables need no matplotlib

            diagnosis = diagnosis._replace(absent=draw(results, case, diagnosis))
    return diagnosis._replace(files=results.written)


def _outcomes(case: Case) -> Iterator[Outcome]:
    """Look for one cause after the other; what cannot be looked for is said, and ends nothing."""
    for look in looks(case):
        try:
            yield look.search(case)
        except NoModel:
            yield Outcome([], [Search(look.kind, look.what, absent="the run has no model")])
        except ErrlensError as error:
            yield Outcome([], [Search(look.kind, look.what, absent=str(error))])


def _write(
    results: ResultsWriter, case: Case, diagnosis: Diagnosis, costs: Mapping[str, float]
) -> None:
    """Write the findings, and the tables behind them."""
    results.csv("findings.csv", finding_table(diagnosis.findings, str(case.run.path)))
    tree = findings_tree(diagnosis.findings, diagnosis.searches, case.run.info.run_hash, costs)
    results.tree(FILE, tree)
    for name, table in diagnosis.tables.items():
        results.csv(f"{name}.csv", table)
    _export(results, case, diagnosis.tables["label_issues"])
    properties = case.properties_if_any
    if len(properties.columns):
        by_row = properties.assign(row=case.scored.row)
        results.parquet(PROPERTIES_FILE, as_table(by_row))


def _export(results: ResultsWriter, case: Case, issues: pd.DataFrame) -> None:
    """Write the labels in doubt as another tool takes them in, if that is wanted."""
    if case.options.export == "label-studio":
        results.document("label_studio.json", label_studio_tasks(issues))
    elif case.options.export == "fiftyone":  # it takes a folder that holds nothing else
        samples = fiftyone_samples(issues, data_root=case.root.absolute())
        results.document("fiftyone/samples.json", samples)


def _is_measured(name: str) -> bool:
    return name == PROPERTIES_FILE


def _decisive(options: DiagnoseOptions) -> dict[str, object]:
    """Return the options that decide what the files hold."""
    paths = {name: getattr(options, name) for name in ("train", "masks")}
    return {
        **{name: path and str(path) for name, path in paths.items()},
        **{
            name: getattr(options, name)
            for name in ("no_model", "top", "time_budget", "seed", "cost", "export")
        },
    }
