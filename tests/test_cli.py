import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

import errlens
from errlens.cli import app
from errlens.commands.registry import COMMANDS
from errlens.errors import Interrupted
from tests.conftest import call, signals_as

SCRIPT = Path(sys.executable).parent / "errlens"
# What --help may not import.
HEAVY = {
    "torch",
    "torchvision",
    "timm",
    "pandas",
    "pyarrow",
    "scipy",
    "pydantic",
    "matplotlib",
    "rich",
    "sklearn",
}
EVALUATE = ["--model", "tiny:colours", "--img-size", "8", "--crop-pct", "1.0"]


def script(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    """Run the installed console script, as a user would."""
    command = [str(SCRIPT), *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, **options
    )


def loaded_after(code: str) -> set[str]:
    ending = "import sys; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", f"{code}\n{ending}"], capture_output=True, text=True, check=True
    )
    return set(result.stdout.splitlines()[-1].split())


def test_help_of_the_program_and_of_every_command_imports_nothing_heavy():
    code = (
        "from errlens.cli import app\n"
        f"for name in {['', *COMMANDS]!r}:\n"
        "    try: app([*name.split(), '--help'])\n"
        "    except SystemExit as end: assert end.code == 0"
    )
    assert loaded_after(code).isdisjoint(HEAVY)


def test_importing_errlens_is_light_and_reading_a_run_needs_no_torch(tiny, photos):
    errlens.evaluate(photos, model=tiny, out="run", img_size=8)
    assert loaded_after("import errlens").isdisjoint(HEAVY)
    loaded = loaded_after("import errlens; errlens.open_run('run').predictions.frame")
    assert loaded.isdisjoint({"torch", "torchvision", "timm", "matplotlib", "typer", "rich"})


def test_diagnosing_without_the_model_needs_no_torch(tiny, photos):
    errlens.evaluate(photos, model=tiny, out="run", img_size=8)
    code = "import errlens; assert errlens.diagnose('run', no_model=True, workers=1).files"
    assert loaded_after(code).isdisjoint({"torch", "torchvision", "timm"})


@pytest.mark.parametrize("command", [[], ["explain"]])
def test_help_takes_less_than_a_quarter_of_a_second_beyond_python(command):
    def seconds(*words: str) -> float:
        """Return the least time on a processor, for others may be at work here, too."""
        times = []
        for _ in range(5):
            start = spent_by_children()
            subprocess.run(words, check=True, capture_output=True)
            times.append(spent_by_children() - start)
        return min(times)

    def spent_by_children() -> float:
        spent = resource.getrusage(resource.RUSAGE_CHILDREN)
        return spent.ru_utime + spent.ru_stime

    python = seconds(sys.executable, "-c", "pass")
    assert seconds(str(SCRIPT), *command, "--help") < python + 0.25


def test_the_script_and_the_module_are_the_same_program():
    for option, told in [("--version", f"errlens {errlens.__version__}\n"), ("-h", "errlens [OP")]:
        module = subprocess.run(
            [sys.executable, "-m", "errlens", option], capture_output=True, text=True, check=True
        )
        assert module.stdout == script(option).stdout
        assert told in module.stdout


def test_exit_codes_through_the_real_script(tiny, photos):
    del tiny
    assert script("evaluate", photos, *EVALUATE, "-o", "run").returncode == 0
    assert script("evaluate", photos, "--modle", "x").returncode == 2


def test_bad_usage_and_bad_input_have_codes_of_their_own(tiny, photos, tmp_path, warm):
    del tiny
    usage = warm.run(f"evaluate {photos} --model resnet_50 -o other", tmp_path)
    assert usage.returncode == 2
    assert "did you mean resnet50" in usage.stderr
    bad_input = warm.run(f"evaluate {tmp_path / 'phtoos'} {' '.join(EVALUATE)}", tmp_path)
    assert bad_input.returncode == 3
    assert bad_input.stderr.split()[:2] == ["error:", "DATA"]
    assert "Traceback" not in bad_input.stderr


BUGGY = """
import sys
import errlens.run.folder
from errlens.cli import main

errlens.run.folder.open_run = lambda *_, **__: {}["no such key"]
sys.argv = ["errlens", "check", "run", "--fail-under", "top1=1"]
main()
"""


def test_a_bug_keeps_its_traceback_and_exits_70():
    command = [sys.executable, "-c", BUGGY]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 70
    assert "KeyError: 'no such key'" in result.stderr
    assert "Traceback" in result.stderr


def test_a_bug_of_the_users_own_factory_is_bad_input_in_its_words(tiny, photos, tmp_path, warm):
    del tiny
    (tmp_path / "buggy.py").write_text("def make():\n    return {}['no such key']\n")
    result = warm.run(f"evaluate {photos} --model buggy:make -o run", tmp_path)
    assert result.returncode == 3
    words = "raised KeyError: 'no such key' (buggy.py, line 2)"
    assert f"error: the factory buggy:make {words}\n" in result.stderr


def test_errors_go_to_stderr_with_their_hint_and_without_markup(monkeypatch):
    def stopped(*_args, **_kwargs):
        raise Interrupted("stopped at [bold]", hint="go [on]")

    monkeypatch.setattr("errlens.data.samples.find_samples", stopped)
    result = CliRunner().invoke(app, ["evaluate", ".", "--model", "x"])
    assert result.exit_code == 130
    assert result.stdout == ""
    assert result.stderr == "error: stopped at [bold]\nhint: go [on]\n"


SLOW_MODEL = """
import time
from tiny import Colours

class Slow(Colours):
    def forward(self, images):
        time.sleep(0.05)
        return super().forward(images)
"""


@pytest.fixture
def slow(tiny, photos, tmp_path):
    """Options of an evaluation that takes its time: a second for six parts."""
    del tiny
    (tmp_path / "slow.py").write_text(SLOW_MODEL)
    options = {"img_size": 8, "part_size": 2, "batch_size": 1, "workers": 1}
    return {"data": photos, "model": "slow:Slow", "out": "run", **options}


def words_of(options: dict) -> list[str]:
    """Return the command line of an evaluation."""
    named = [
        f"--{key.replace('_', '-')}={value}" for key, value in options.items() if key != "data"
    ]
    return ["evaluate", str(options["data"]), *named]


def wait_for_parts(number: int) -> None:
    deadline = time.monotonic() + 60
    while len(list(Path("run/predictions").glob("part-*.parquet"))) < number:
        assert time.monotonic() < deadline, "no part was written in time"
        time.sleep(0.005)


@pytest.mark.parametrize(("parts", "delay"), [(0, 0.0), (1, 0.03), (2, 0.06), (4, 0.09)])
def test_a_killed_run_resumes_to_the_table_of_an_uninterrupted_one(
    slow, parts, delay, tmp_path, warm
):
    process = warm.start(" ".join(words_of(slow)), tmp_path)
    try:
        wait_for_parts(parts)
        time.sleep(delay)
    finally:
        process.send_signal(signal.SIGKILL)
        killed = process.end()
    assert killed.returncode == -signal.SIGKILL
    survivors = {path: path.stat().st_mtime_ns for path in Path("run").rglob("part-*.parquet")}
    assert parts <= len(survivors) < 6
    resumed = errlens.evaluate(**slow)
    assert all(path.stat().st_mtime_ns == before for path, before in survivors.items())
    whole = errlens.evaluate(**{**slow, "out": "whole"})
    assert resumed.predictions.table.equals(whole.predictions.table)
    assert resumed.metrics == whole.metrics


def test_ctrl_c_leaves_a_resumable_run_and_says_so(slow):
    with signals_as(signal.SIG_DFL, signal.SIGINT):
        process = subprocess.Popen(
            [SCRIPT, *words_of(slow)], text=True, stderr=subprocess.PIPE, stdout=subprocess.PIPE
        )
    wait_for_parts(2)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command goes on from there" in stderr
    assert "Traceback" not in stderr
    assert errlens.open_run("run").info.status == "interrupted"
    assert errlens.evaluate(**slow).info.status == "complete"


@pytest.mark.parametrize("arguments", [[], ["network"]])
def test_without_a_command_the_help_is_shown(arguments):
    said = CliRunner().invoke(app, arguments)
    assert said.exit_code == 2
    shown = CliRunner().invoke(app, [*arguments, "--help"]).stdout
    assert said.stderr.strip() == shown.strip()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("--img-size 64x64", "it should be a whole number"),
        ("--img-size 0", "it should be greater than or equal to 1"),
        ("--crop-pct wide", "it should be a valid number"),
        ("--mean 0.5 --std 0.5", "R G B are 3 values with blanks between them"),
        ("--interpolation bicubc", "did you mean bicubic?"),
        ("--device gpu", "'gpu' is not one of 'auto', 'cpu', 'cuda', 'mps'."),
    ],
)
def test_a_value_that_does_not_fit_is_told_in_plain_words(given, says):
    said = CliRunner().invoke(app, ["evaluate", "photos", "--model", "resnet18", *given.split()])
    assert said.exit_code == 2
    assert says in said.stderr
    assert "Input should" not in said.stderr
    assert "Value error" not in said.stderr


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("help", "--help"),
        ("help evaluate", "evaluate --help"),
        ("help network probe", "network probe --help"),
        ("network help probe", "network probe --help"),
    ],
)
def test_help_is_also_a_word(typed, meant):
    said = call(typed)
    assert said.exit_code == 0
    assert said.stdout == call(meant).stdout


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("hlep", "no such command 'hlep'"),
        ("help hlep", "no such command 'hlep'"),
        ("evaluate photos --modle x", "no such option: --modle"),
        ("evaluate", "missing argument 'DATA'"),
        ("evaluate a b c", "got unexpected extra arguments (b c)"),
        ("misclassified run --top abc", "invalid value for '--top': it should be a whole number"),
    ],
)
def test_usage_mistakes_look_like_all_other_failures(typed, message):
    said = call(typed)
    assert said.exit_code == 2
    first, hint = said.stderr.splitlines()
    assert first.startswith(f"error: {message}")
    assert hint.startswith("hint: errlens ")
    assert hint.endswith(" --help says how it is used")


def test_the_help_of_explain_says_that_other_maps_stay():
    assert "Make the maps asked for anew; all others stay." in call("explain --help").stdout
