import json
import re

import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

import errlens
from errlens.cli import app
from tests.conftest import REPOSITORY

CONFIGS = sorted((REPOSITORY / "configs").glob("*.yaml"))

CONFIG = """
out: results/run
evaluate:
  data: photos
  model: tiny:colours
  img_size: 8
  crop_pct: 1.0
"""

SPATIAL = """

class Spatial(Colours):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, images):
        return super().forward(self.conv(images))


def spatial():
    torch.manual_seed(0)
    return Spatial()


class Headed(Colours):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(3, 3)

    def forward(self, images):
        return self.head(super().forward(images))


def headed():
    torch.manual_seed(0)
    return Headed()
"""


@pytest.fixture
def config(tiny, photos, tmp_path):
    del tiny, photos
    (tmp_path / "project.yaml").write_text(CONFIG)
    return tmp_path / "project.yaml"


def run_errlens(*arguments):
    return CliRunner().invoke(app, ["run", *map(str, arguments)])


def test_a_configuration_does_what_the_command_does(config, photos, tiny, tmp_path):
    assert run_errlens(config).exit_code == 0
    by_config = errlens.open_run(tmp_path / "results" / "run")
    by_command = errlens.evaluate(photos, model=tiny, out="other", img_size=8, crop_pct=1.0)
    assert by_config.info.run_hash == by_command.info.run_hash
    assert by_config.predictions.table.equals(by_command.predictions.table)


def test_paths_start_at_the_file_wherever_it_is_run_from(config, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert run_errlens(config).exit_code == 0
    assert (tmp_path / "results" / "run" / "metrics.json").exists()


def test_set_wins_over_the_file(config, tmp_path):
    assert run_errlens(config, "--set", "evaluate.img_size=10", "--set", "out=mine").exit_code == 0
    info = errlens.open_run(tmp_path / "mine").info
    assert info.settings.preprocessing["img_size"] == [10, 10]


def test_options_of_the_invocation_reach_every_block(config):
    result = run_errlens(config, "--json")
    assert json.loads(result.stdout)["steps"]["evaluate"]["metrics"]["n"] == 12
    assert run_errlens(config, "--set", "evaluate.img_size=9").exit_code == 3
    assert run_errlens(config, "--set", "evaluate.img_size=9", "--overwrite", "-q").exit_code == 0


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("img_size", "img_sise", "project.yaml:6: unknown key 'evaluate.img_sise'"),
        ("evaluate:", "evalate:", "project.yaml:3: unknown key 'evalate'"),
        ("img_size: 8", "img_size: big", "project.yaml:6: evaluate.img_size"),
        ("img_size: 8", "img_size: 0", "project.yaml:6: evaluate.img_size"),
        ("  data: photos\n", "", "project.yaml:3: evaluate.data"),
        ("model: tiny:colours", "quiet: true", "unknown key 'evaluate.quiet'"),
        ("out: results/run", "", "'out' must name the run folder"),
        ("img_size: 8", "img_size: [8", "cannot be read as YAML"),
    ],
)
def test_a_mistake_ends_with_file_line_and_key(config, before, after, expected):
    config.write_text(CONFIG.replace(before, after))
    result = run_errlens(config)
    assert result.exit_code == 2, result.output
    assert expected in result.stderr


def test_a_missing_configuration_is_bad_input(config):
    result = run_errlens(config.with_name("projct.yaml"))
    assert result.exit_code == 3
    assert "project.yaml" in result.stderr


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_every_configuration_here_is_read_and_printed_whole(path, tmp_path):
    result = run_errlens(path, "--print-config")
    assert result.exit_code == 0, result.output
    assert str(tmp_path) not in result.stdout
    tree = yaml.safe_load(result.stdout)
    assert set(yaml.safe_load(path.read_text())) == set(tree)
    # What is printed can be read again, from anywhere, and says the same.
    (tmp_path / "printed.yaml").write_text(result.stdout)
    assert run_errlens(tmp_path / "printed.yaml", "--print-config").stdout == result.stdout


def test_print_config_fills_in_what_was_left_out_and_runs_nothing(config, tmp_path):
    result = run_errlens(config, "--print-config", "--set", "evaluate.batch_size=2")
    tree = yaml.safe_load(result.stdout)
    assert tree["out"] == str(tmp_path / "results" / "run")
    block = tree["evaluate"]
    assert block["data"] == str(tmp_path / "photos")
    assert (block["batch_size"], block["part_size"], block["max_bad"]) == (2, 4096, "1%")
    assert not {"out", "quiet", "json", "overwrite"} & set(block)
    assert not (tmp_path / "results").exists()


def test_a_head_is_fitted_before_it_is_evaluated(config, tmp_path):
    config.write_text(
        CONFIG
        + """
  checkpoint: head.safetensors
network_probe:
  data: photos
  model: tiny:colours
  img_size: 8
  save_head: head.safetensors
"""
    )
    result = run_errlens(config)
    assert result.exit_code == 0, result.output
    assert "named by head.safetensors" in result.stderr
    assert errlens.open_run(tmp_path / "results" / "run").info.checkpoint.endswith(
        "head.safetensors"
    )
    assert run_errlens(config).exit_code == 0  # the same head, the same run


def test_all_steps_are_told_in_short_and_end_with_verdict_and_page(config):
    config.write_text(CONFIG + "report: {}\nconfusion: {}\n")
    said = run_errlens(config)
    assert said.exit_code == 0, said.output
    assert "Next:" not in said.stdout
    steps, verdict, page = said.stdout.split("\n\n")
    assert [line.split()[0] for line in steps.splitlines() if line[:3].isalpha()] == [
        *("evaluate", "top-1", "NLL", "Brier", "ECE", "macro", "confusion", "report")
    ]
    assert verdict.startswith("91.7 % right (11 of 12 images")
    assert page == "The page: results/run/report.html\n"
    assert run_errlens(config, "-q").output == ""


def test_a_step_that_cannot_be_done_does_not_lose_the_others(config):
    config.write_text(CONFIG + "explain: {}\nconfusion: {by: superclass}\nreport: {}\n")
    said = run_errlens(config)
    assert said.exit_code == 2
    assert "confusion      failed: see the error below" in said.stdout
    assert said.stderr.count("the run knows no superclasses") == 1
    assert said.stderr.count("grad-cam cannot explain this network") == 1
    assert "The page: results/run/report.html" in said.stdout
    tree = json.loads(run_errlens(config, "--json").stdout)
    assert [*tree["steps"]] == ["evaluate", "report"]
    assert [*tree["not_done"]] == ["confusion", "explain"]


def test_without_a_run_nothing_follows(config):
    config.write_text(CONFIG.replace("photos", "nowhere") + "report: {}\n")
    said = run_errlens(config)
    assert said.exit_code == 3
    assert said.stdout == ""


def test_no_page_can_be_opened_where_none_is_made(config):
    said = run_errlens(config, "--open")
    assert said.exit_code == 2
    assert "report: {}" in said.stderr


def test_it_reads_as_people_expect(tmp_path, monkeypatch, golden):
    monkeypatch.chdir(tmp_path)
    label = ["cat"] * 20 + ["dog"] * 20 + ["cow"] * 20
    pred = ["dog"] * 6 + ["cat"] * 14 + ["cat"] * 5 + ["dog"] * 15 + ["cow"] * 20
    paths = [f"{number:02}.png" for number in range(60)]
    pd.DataFrame({"path": paths, "label": label, "pred": pred}).to_csv("table.csv", index=False)
    (tmp_path / "project.yaml").write_text(
        "out: run\nimport: {table: table.csv}\nconfusion: {}\n"
        "misclassified: {no_figures: true}\nexplain: {}\n"
        "check: {fail_under: [top1=0.9, recall:cow=0.9]}\nreport: {}\n"
    )
    said = run_errlens("project.yaml")
    assert said.exit_code == 3
    golden("run.txt", re.sub(r"\d+ kB", "... kB", said.stdout))


def test_blocks_that_look_inside_a_network_look_into_the_run_made(config, tmp_path):
    blocks = "network_layers: {}\nnetwork_filters: {scale: layer}\nnetwork_activations: {}\n"
    (tmp_path / "project.yaml").write_text(CONFIG.replace("tiny:colours", "tiny:spatial") + blocks)
    tiny_py = tmp_path / "tiny.py"
    tiny_py.write_text(tiny_py.read_text() + SPATIAL)
    said = run_errlens(config)
    assert said.exit_code == 0, said.output
    inside = tmp_path / "results" / "run" / "network"
    assert (inside / "layers.csv").exists()
    assert (inside / "filters" / "layers.csv").exists()
    assert [*inside.glob("activations/*/grid.png")]
    assert "network filters run: 1 convolution, 3 filters, 0 suspicions" in said.stdout


def test_a_block_maps_the_images_of_the_run_made(config, tmp_path):
    blocks = "network_embed: {neighbours: 2, train: photos}\nreport: {}\n"
    (tmp_path / "project.yaml").write_text(CONFIG.replace("tiny:colours", "tiny:headed") + blocks)
    tiny_py = tmp_path / "tiny.py"
    tiny_py.write_text(tiny_py.read_text() + SPATIAL)
    said = run_errlens(config)
    assert said.exit_code == 0, said.output
    made = tmp_path / "results" / "run" / "network" / "embed"
    neighbours = pd.read_csv(made / "neighbours.csv")
    assert neighbours["rank"].max() == 2
    assert {*neighbours["among"]} == {"right", "training"}
    assert "a map of 12 images" in said.stdout
    assert 'id="scatter"' in (tmp_path / "results" / "run" / "report.html").read_text()
