from errlens.report import markdown
from tests.report.pages import add_parts, make, report, text_of


def test_the_summary_says_the_most_important_and_is_never_too_long(monkeypatch):
    make()
    report()
    assert "errlens confusion run" in text_of("summary.md")
    add_parts()
    report()
    summary = text_of("summary.md")
    for piece in (
        "# errlens: run",
        "64.6 % right",
        "| top-1 | 64.6 % |",
        "1. cat and lion are taken for",
    ):
        assert piece in summary
    monkeypatch.setattr(markdown, "LARGEST", 300)
    report()
    assert len(text_of("summary.md").encode()) <= 300
