"""Why it is wrong, as the page tells it: sentence, figures, images and the next command."""

from dataclasses import replace

from errlens.analysis.findings.finding import FIRST_TOLD, RUN, Finding, Gain, Search
from errlens.analysis.findings.reading import Findings
from errlens.errors import NoResults
from errlens.report.sections.why import BESIDE, IMAGES, MOST, why

SLICE = Finding(
    kind="slice",
    statement="Dark images are wrong.",
    rows=tuple(range(30)),
    n_errors=20,
    excess_errors=12.0,
    gain=Gain(0.04, 0.01, 0.062),
    q_value=0.002,
    evidence="20 wrong, 8 expected",
    beside=tuple(range(50, 70)),
)
GENERAL = Finding(
    kind="calibration", statement="The model is too cautious.", command=("report", RUN)
)


class Wanted:
    """Takes note of the images that a page asks for; those of odd rows are gone."""

    def __init__(self):
        self.rows = []

    def want(self, rows):
        self.rows += rows
        return [row for row in rows if row % 2 == 0]


def told(*findings, **how):
    return why(Findings([*findings], **how), "runs/first", Wanted())


def test_a_finding_is_told_with_its_figures_its_images_and_a_command():
    (finding,) = told(SLICE).findings
    assert finding.statement == SLICE.statement
    assert finding.numbers == (
        "20 wrong, 8 expected · gain if solved +4.0 pp (+1.0 to +6.2 pp) · false alarm 0.002"
    )
    assert finding.command == "errlens misclassified runs/first --select finding:1"
    assert finding.rows == [*range(0, IMAGES, 2)]
    assert finding.beside == [*range(50, 50 + BESIDE, 2)]
    assert finding.total == 30


def test_evidence_that_the_sentence_holds_is_not_said_again():
    twice = replace(SLICE, statement="Of dark images 20 wrong, 8 expected are told.")
    (finding,) = told(twice).findings
    assert finding.numbers == "gain if solved +4.0 pp (+1.0 to +6.2 pp) · false alarm 0.002"


def test_what_is_about_the_run_has_no_command_that_makes_the_page_at_hand():
    (finding,) = told(GENERAL).findings
    assert (finding.command, finding.numbers, finding.rows) == ("", "", [])


def test_the_first_are_few_and_keep_their_ranks():
    page = told(*[SLICE] * 40, GENERAL)
    assert [finding.rank for finding in page.first] == [*range(1, FIRST_TOLD), 41]
    assert len(page.findings) == MOST
    assert page.n_findings == 41


def test_what_was_looked_for_in_vain_is_said():
    (sentence,) = told(searches=[Search("slice", "dark images")]).nothing
    assert sentence == "Looked for and not found: dark images."


def test_where_nobody_looked_the_command_that_does_is_named():
    unread = NoResults("'run/diagnosis' is not there", command="errlens diagnose run")
    assert told(unread=unread).problem.command == "errlens diagnose run"
    assert told().problem is None
