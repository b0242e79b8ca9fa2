"""Gates as a JUnit file, which CI servers show as tests. It holds no times."""

from collections.abc import Sequence

from junitparser import Failure, JUnitXml, TestCase, TestSuite

from errlens.analysis.gates.limits import GateResult
from errlens.escapes import printable

SUITE = "errlens check"
_CLASS = "errlens.check"  # servers group cases by it


def junit_xml(outcomes: Sequence[GateResult]) -> bytes:
    """Return a test suite with a case for each gate."""
    suite = TestSuite(SUITE)
    # The library would count for us, and add up times.
    suite.tests, suite.errors, suite.skipped = len(outcomes), 0, 0
    suite.failures = sum(not outcome.passed for outcome in outcomes)
    suite.extend([_case(outcome) for outcome in outcomes])
    tree = JUnitXml()
    tree.append(suite)
    text: bytes = tree.tostring()
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + text + b"\n"


def _case(outcome: GateResult) -> TestCase:
    case = TestCase(printable(outcome.gate.name), classname=_CLASS)
    reason = printable(outcome.reason)
    if not outcome.passed:
        failure = Failure(reason, "GateFailed")
        failure.text = reason  # GitLab shows this one, others the message
        case.append(failure)
    elif reason:
        case.system_out = reason
    return case
