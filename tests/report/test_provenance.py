import pytest

from errlens.report.provenance import provenance
from tests.report.pages import make


def test_a_run_says_what_made_it_and_no_time():
    run = make(images=False)
    facts = provenance(run)["facts"]
    assert facts["run hash"] == run.info.run_hash
    assert (facts["images"], facts["classes"]) == (48, 4)
    assert "checkpoint" not in facts  # an imported run has none
    assert run.info.started not in str(facts)


@pytest.mark.parametrize(
    "program", ["/opt/venv/bin/errlens", "'/my venv/errlens'", "x/errlens/__main__.py"]
)
def test_the_command_is_as_a_person_would_type_it(program):
    run = make(images=False)

    object.__setattr__(run.info, "command_line", f"{program} import table.csv")
    assert provenance(run)["command"] == "errlens import table.csv"
