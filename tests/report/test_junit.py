"""A JUnit file that servers can read: what their schemas agree on, by hand."""

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errlens.analysis.gates.limits import Gate, GateResult
from errlens.analysis.gates.metrics import Measured
from errlens.report.junit import junit_xml

# Jenkins' junit-10.xsd: what may stand in an element, what it must and may be told.
SCHEMA = {
    "testsuites": ({"testsuite"}, set(), {"name", "tests", "failures", "errors"}),
    "testsuite": (
        {"properties", "testcase", "system-out", "system-err"},
        {"name", "tests", "failures", "errors"},
        {"skipped", "hostname", "id", "package"},
    ),
    "testcase": (
        {"skipped", "failure", "error", "system-out", "system-err"},
        {"name", "classname"},
        {"group", "file", "line"},
    ),
    "failure": (set(), set(), {"message", "type"}),
    "system-out": (set(), set(), set()),
}


def outcome(metric="top1", *, passed=True, reason=""):
    return GateResult(Gate(metric, ">=", 0.8, "top1"), Measured(0.5, n=3), passed, reason)


def check(element):
    children, required, optional = SCHEMA[element.tag]
    assert required <= set(element.attrib) <= required | optional
    for child in element:
        assert child.tag in children
        check(child)


reasons = st.text(max_size=20)


@settings(deadline=None)
@given(st.lists(st.tuples(st.text(max_size=10), st.booleans(), reasons), max_size=6))
def test_it_keeps_to_the_schema_whatever_classes_are_called(drawn):
    outcomes = [
        outcome(f"recall:{name}", passed=passed, reason=reason) for name, passed, reason in drawn
    ]
    root = ElementTree.fromstring(junit_xml(outcomes))
    assert root.tag == "testsuites"
    check(root)
    (suite,) = root
    cases = suite.findall("testcase")
    failures = suite.findall("testcase/failure")
    assert suite.get("name") == "errlens check"
    assert int(suite.get("tests")) == len(cases) == len(drawn)
    assert (
        int(suite.get("failures"))
        == len(failures)
        == sum(not outcome.passed for outcome in outcomes)
    )
    assert suite.get("errors") == suite.get("skipped") == "0"


def test_a_failure_says_why_and_nothing_says_when():
    text = junit_xml([outcome(passed=False, reason="top1 is 0.5, under 0.8"), outcome("ece")])
    first, second = ElementTree.fromstring(text).iter("testcase")
    assert first.get("name") == "top1 >= 0.8"
    assert first.find("failure").get("message") == "top1 is 0.5, under 0.8"
    assert first.find("failure").text == "top1 is 0.5, under 0.8"
    assert not list(second)
    assert not re.search(rb"\btime|stamp", text)


@pytest.mark.parametrize("name", ["a\x00b", "\ud800", "\x1b[31m", "<&\"'>", "\ufffe"])
def test_what_no_xml_may_hold_is_written_out(name):
    case = next(ElementTree.fromstring(junit_xml([outcome(name)])).iter("testcase"))
    shown = (
        name if name.startswith("<") else name.encode("unicode_escape", "surrogatepass").decode()
    )
    assert case.get("name") == f"{shown} >= 0.8"


def test_a_remark_on_what_passed_is_kept():
    case = next(ElementTree.fromstring(junit_xml([outcome(reason="no baseline")])).iter("testcase"))
    assert case.find("system-out").text == "no baseline"
