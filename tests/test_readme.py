"""Every page: what is generated in it, what it links to, and that it tells of all there is."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
import timm
import torch
import yaml
from cogapp import Cog
from typer.testing import CliRunner

from errlens.cli import app
from errlens.commands.registry import COMMANDS
from errlens.predictions.table import SCHEMA
from tests.conftest import ends

REPOSITORY = Path(__file__).parent.parent
MOST_LINES = 220  # of the README: a newcomer's page

PAGES = sorted(
    str(path.relative_to(REPOSITORY))
    for path in [
        *REPOSITORY.glob("*.md"),
        *(
            page
            for folder in (".github", "configs", "errlens", "sample_data", "tests")
            for page in (REPOSITORY / folder).rglob("*.md")
        ),
    ]
)


def text_of(page):
    return (REPOSITORY / page).read_text(encoding="utf-8")


def prose(page):
    """Return a page without its code and its generated parts."""
    text = re.sub(r"<!--.*?-->", "", text_of(page), flags=re.DOTALL)
    return re.sub(r"^ *```.*?^ *```$", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors(page):
    """Return what GitHub calls the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", prose(page), flags=re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


LINKS = [
    (page, link)
    for page in PAGES
    for link in dict.fromkeys(re.findall(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"", prose(page)))
]
LINKS = [(page, "".join(link)) for page, link in LINKS]
RELATIVE = [(page, link) for page, link in LINKS if not re.match(r"https?:|mailto:", link)]


@pytest.mark.parametrize("page", [page for page in PAGES if "[[[cog" in text_of(page)])
def test_what_cog_generates_is_up_to_date(page, request, monkeypatch, capsys):
    # The README shows what the sample prints, and the sample runs once for all tests.
    printed = request.getfixturevalue("sample").printed if page == "README.md" else ""
    monkeypatch.chdir(REPOSITORY)
    status = Cog().main(["cog", "--check", "--diff", "-D", f"printed={printed}", page])
    assert status == 0, f"python -m cogapp -r {page}\n{capsys.readouterr().out}"


@pytest.mark.parametrize(("page", "link"), RELATIVE)
def test_every_link_leads_somewhere(page, link):
    path, _, anchor = link.partition("#")
    target = (REPOSITORY / page).parent / path if path else REPOSITORY / page
    assert target.exists()
    if anchor:
        assert anchor in anchors(target)


@pytest.mark.parametrize("page", PAGES)
def test_every_module_that_a_page_names_exists(page):
    named = re.findall(r"(?<![\w/])(?:tests|errlens)/[a-z_/]+\.py\b", text_of(page))
    assert [path for path in named if not (REPOSITORY / path).is_file()] == []


def test_the_readme_is_a_page_for_newcomers():
    assert len(text_of("README.md").splitlines()) <= MOST_LINES


def commands(*group):
    """Return the words of each command, those in groups included."""
    said = CliRunner().invoke(app, [*group, "--help"]).output
    names = re.findall(r"^  ([a-z][a-z-]*)  ", said, flags=re.MULTILINE)
    inner = [commands(*group, name) for name in names]
    found = [words or [(*group, name)] for words, name in zip(inner, names, strict=True)]
    return [words for among in found for words in among]


def test_every_command_has_a_page_with_its_help_and_is_in_the_tables():
    found = [" ".join(words) for words in commands()]
    assert {"evaluate", "run", "network probe"} <= set(found)
    for command in found:
        folder = COMMANDS[command].folder
        page = text_of(f"errlens/commands/{folder}/README.md")
        assert re.search(f"^#+ errlens {command}$", page, flags=re.MULTILINE)
        assert f"Usage: errlens {command} " in page
        assert f"[{command}](errlens/commands/{folder}/README.md)" in text_of("README.md")
        assert f"[{command}]({folder}/README.md)" in text_of("errlens/commands/README.md")


def test_the_map_has_every_room():
    rooms = {
        str(path.parent.relative_to(REPOSITORY / "errlens"))
        for path in (REPOSITORY / "errlens").rglob("__init__.py")
    }
    of_commands = {f"commands/{command.folder}" for command in COMMANDS.values()}
    linked = {link for page, link in LINKS if page == "errlens/README.md"}
    assert rooms - {"."} - of_commands <= linked


def test_every_column_is_named_in_order():
    listed = text_of("errlens/run/README.md").partition("columns of the predictions")[2]
    assert re.findall(r"^\| `(\w+)` \|", listed, flags=re.MULTILINE) == SCHEMA.names


def test_the_test_command_of_the_readme_is_the_one_ci_runs():
    command = "pip install --editable '.[test]' && python -m pytest -n 2 --dist loadfile\n"
    assert command in text_of("README.md")
    assert command in (REPOSITORY / ".ci" / "run").read_text().replace(" --quiet", "")


def sample_commands():
    """Return the words of the commands that the README runs on the sample."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text_of("README.md"), re.DOTALL | re.MULTILINE)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [shlex.split(line) for line in lines if re.match("errlens .*(sample|runs/fed)", line)]


def test_what_the_readme_says_of_the_sample_can_be_run(sample, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sample_data").symlink_to(REPOSITORY / "sample_data")
    shutil.copytree(sample.run.path, "runs/sample")
    ran = []
    for _, command, *arguments in sample_commands():
        is_new = command == "evaluate" and "runs/sample" not in arguments
        ends([command, *arguments, *(["--limit", "37"] if is_new else [])])  # to be fast
        ran.append(command)
    assert ran == [
        "evaluate", "confusion", "misclassified", "explain", "evaluate", "compare", "check",
    ]  # fmt: skip


def ci_commands():
    """Return the errlens commands of the examples for GitHub and GitLab."""
    section = text_of("configs/README.md").partition("## In CI\n")[2]
    github, gitlab = map(yaml.safe_load, re.findall(r"```yaml\n(.*?)```", section, re.DOTALL))
    steps = [step.get("run", "") for step in github["jobs"]["model"]["steps"]]
    script = [*gitlab["model"]["script"], *gitlab["model"]["after_script"]]
    return [
        [
            line[line.index("errlens ") :].partition(" #")[0]
            for line in lines
            if "errlens " in line and "pip" not in line
        ]
        for lines in (steps, script)
    ]


def test_what_the_jobs_run_in_ci_ends_in_a_gate_and_its_files(photos, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    on_github, on_gitlab = ci_commands()
    assert on_github == on_gitlab
    commands = [shlex.split(line)[1:] for line in on_github]
    assert [command[0] for command in commands] == [
        "evaluate",
        "diagnose",
        "explain",
        "check",
        "report",
    ]
    photos.rename(tmp_path / "photos_of_val")
    Path("data").mkdir()
    Path("photos_of_val").rename("data/val")
    torch.manual_seed(0)
    module = timm.create_model("test_resnet", num_classes=3)
    torch.save(module.state_dict(), "best.pth")
    codes = []
    for command in commands:
        small = ["test_resnet" if word == "resnet50" else word for word in command]
        said = CliRunner().invoke(app, small)
        codes.append(said.exit_code)
        assert "Traceback" not in said.output
        if command[0] == "evaluate":
            shutil.copy("runs/ci/baseline.parquet", "main.parquet")
    assert codes == [0, 0, 0, 1, 0]  # an untrained network does not pass
    for name in ("report.html", "summary.md", "junit.xml", "gates.json", "explain/index.csv"):
        assert Path("runs/ci", name).is_file()
