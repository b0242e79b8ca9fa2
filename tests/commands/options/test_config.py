from dataclasses import dataclass, fields
from pathlib import Path

import pytest

import errlens
from errlens.commands.evaluate.options import EvaluateOptions
from errlens.commands.network.invariance.options import InvarianceOptions
from errlens.commands.options.config import read_config
from errlens.commands.options.invocation import OutputOptions
from errlens.errors import BadConfig, ErrlensError, MissingInput, UnfitOption, UsageError

OUTSIDE = {"out", *(field.name for field in fields(OutputOptions))}

CONFIG = """\
out: results/run
evaluate:
  data: photos
  model: resnet18
  img_size: 64
"""


@dataclass(frozen=True, kw_only=True)
class Relaxed:
    top: int = 20
    words: str | None = None


@dataclass(frozen=True, kw_only=True)
class Demanding:
    table: Path
    top: int = 20


@pytest.fixture
def read(tmp_path):
    """Read a text as the configuration `project.yaml`."""

    def read_text(text, *overrides, commands=None):
        (tmp_path / "project.yaml").write_text(text, encoding="utf-8")
        return read_config(
            tmp_path / "project.yaml",
            commands or {"evaluate": EvaluateOptions},
            overrides=overrides,
            outside_blocks=OUTSIDE,
        )

    return read_text


@pytest.fixture
def evaluate(read):
    """Read the configuration with further lines in its block and return the block."""
    return lambda *lines: read("\n  ".join([CONFIG.rstrip(), *lines]) + "\n").blocks["evaluate"]


def test_a_block_becomes_the_options_of_its_command(read, tmp_path):
    config = read(CONFIG)
    assert config.out == tmp_path / "results" / "run"
    expected = EvaluateOptions(data=tmp_path / "photos", model="resnet18", img_size=64)
    assert config.blocks == {"evaluate": expected}


def test_paths_start_at_the_folder_of_the_file(evaluate, tmp_path):
    found = evaluate("root: ../images", "classes: ./names.txt", "checkpoint: /models/a.pt")
    assert found.root == tmp_path.parent / "images"
    assert found.classes == tmp_path / "names.txt"
    assert found.checkpoint == Path("/models/a.pt")


def test_a_path_may_start_at_home(evaluate, read, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert evaluate("root: ~/images").root == tmp_path / "home" / "images"
    assert read(CONFIG, "out=~/run").out == tmp_path / "home" / "run"


def test_text_that_is_no_path_stays_as_it_is(evaluate):
    assert evaluate("split: ../val").split == "../val"


@pytest.mark.parametrize(
    "value", ["5", "007", "1.50", "1e3", "true", "No", "2024-01-02", "1_000", "0x1F", "on", "1:30"]
)
def test_what_is_a_text_in_a_shell_needs_no_quotes(evaluate, read, value, tmp_path):
    found = evaluate(f"split: {value}", f"root: {value}", f"model_kwargs: [{value}, a=b]")
    assert found.split == value
    assert found.root == tmp_path / value
    assert found.model_kwargs == [value, "a=b"]
    overridden = read(CONFIG, f"evaluate.split={value}", f"out={value}")
    assert overridden.blocks["evaluate"].split == value
    assert overridden.out == tmp_path / value
    assert read(CONFIG.replace("results/run", value)).out == tmp_path / value


def test_a_count_of_bad_inputs_needs_no_quotes_and_nothing_stays_nothing(evaluate):
    assert evaluate("max_bad: 5").max_bad == "5"
    assert evaluate("split: null").split is None
    assert evaluate("split: ~").split is None


def test_a_text_may_come_from_an_anchor_or_be_merged(read):
    text = "out: run\nevaluate: &first\n  data: &place 2024\n  split: *place\n  model: m\n"
    block = read(text).blocks["evaluate"]
    assert (block.data.name, block.split) == ("2024", "2024")
    merged = "shared: &all\n  data: 2024\n  model: m\nout: 7\nevaluate:\n  <<: *all\n  split: no\n"
    with pytest.raises(BadConfig, match="unknown key 'shared'"):
        read(merged)
    anchored = "out: 7\nevaluate: {data: a, model: m, <<: {split: 2024, max_bad: 5}}\n"
    config = read(anchored)
    assert config.out.name == "7"
    assert (config.blocks["evaluate"].split, config.blocks["evaluate"].max_bad) == ("2024", "5")
    assert read("<<: {out: run, evaluate: {data: a, model: m}}\n").out.name == "run"


def test_overrides_win_over_the_file_and_the_last_over_the_others(read, tmp_path):
    config = read(CONFIG, "evaluate.img_size=32", "evaluate.img_size=16", "out=other")
    assert config.blocks["evaluate"].img_size == 16
    assert config.out == tmp_path / "other"


def test_overrides_may_add_what_the_file_leaves_out(read, tmp_path):
    config = read("out: a\n", "evaluate.data=photos", "evaluate.model=m", "evaluate.exif=true")
    assert config.blocks["evaluate"] == EvaluateOptions(
        data=tmp_path / "photos", model="m", exif=True
    )


def test_overrides_may_fill_a_block_that_is_empty(read):
    config = read("out: a\nevaluate:\n", "evaluate.data=photos", "evaluate.model=m")
    assert config.blocks["evaluate"].model == "m"


def test_overrides_reach_into_mappings(read):
    text = CONFIG + "  model_kwargs: {a: 1, b: 2}\n"
    config = read(text, "evaluate.model_kwargs.b=3")
    assert config.blocks["evaluate"].model_kwargs == ["a=1", "b=3"]


@pytest.mark.parametrize("text", ["evaluate", "evaluate.=1", "=1", ""])
def test_an_override_of_another_form_is_refused(read, text):
    with pytest.raises(BadConfig, match=r"--set .* is not of the form"):
        read(CONFIG, text)


def test_an_override_below_a_value_is_refused(read):
    with pytest.raises(BadConfig, match="'img_size' holds a value"):
        read(CONFIG, "evaluate.img_size.big=1")


@pytest.mark.parametrize("value", ["[8", "{a", "2023-13-45"])
def test_an_override_that_is_not_yaml_is_refused(read, value):
    with pytest.raises(BadConfig, match="--set"):
        read(CONFIG, f"evaluate.split={value}")


def test_a_mistake_of_an_override_is_not_blamed_on_a_line_of_the_file(read):
    with pytest.raises(BadConfig, match=r"evaluate\.img_size") as failure:
        read(CONFIG, "evaluate.img_size=big")
    assert "project.yaml:5" not in str(failure.value)


@pytest.mark.parametrize(
    ("text", "where", "near"),
    [
        (CONFIG + "  bach_size: 8\n", "project.yaml:6: unknown key 'evaluate.bach_size'", "batch"),
        (CONFIG + "evalute:\n", "project.yaml:6: unknown key 'evalute'", "evaluate"),
        ("oit: x\n" + CONFIG, "project.yaml:1: unknown key 'oit'", "out"),
        (CONFIG + "  zzzzzz: 8\n", "project.yaml:6: unknown key 'evaluate.zzzzzz'", "known keys"),
    ],
)
def test_an_unknown_key_ends_with_file_line_and_the_nearest_key(read, text, where, near):
    with pytest.raises(BadConfig) as failure:
        read(text)
    assert where in str(failure.value)
    assert near in failure.value.hint
    assert failure.value.exit_code == 2


@pytest.mark.parametrize("key", ["1", "1.5", "on", "null"])
def test_a_key_that_is_no_text_is_an_unknown_key(read, key):
    with pytest.raises(BadConfig, match=r"project\.yaml"):
        read(CONFIG + f"{key}: 2\n")
    with pytest.raises(BadConfig, match=r"project\.yaml"):
        read(CONFIG + f"  {key}: 2\n")


def test_a_misspelt_key_is_told_of_before_the_one_it_makes_seem_missing(read):
    with pytest.raises(BadConfig, match=r"project\.yaml:4: unknown key 'evaluate\.modl'"):
        read(CONFIG.replace("model:", "modl:"))


@pytest.mark.parametrize("key", sorted(OUTSIDE))
def test_what_the_whole_configuration_decides_is_no_key_of_a_block(read, key):
    with pytest.raises(BadConfig, match=f"project.yaml:6: unknown key 'evaluate.{key}'"):
        read(CONFIG + f"  {key}: true\n")


@pytest.mark.parametrize(
    "line",
    [
        "batch_size: many",
        "batch_size: 1.5",
        "batch_size: [1]",
        "crop_pct: wide",
        "crop_mode: round",
        "device: tpu",
        "exif: perhaps",
        "split: [a]",
        "split: {a: 1}",
        "mean: 0.5",
        "mean: [0.5, 0.5]",
        "mean: [0.5, 0.5, red]",
        "model_kwargs: a=1",
        "threads: null",
    ],
)
def test_a_value_of_the_wrong_type_ends_with_file_line_and_key(evaluate, line):
    key, _, _ = line.partition(":")
    with pytest.raises(BadConfig, match=rf"project\.yaml:6: evaluate\.{key}\b"):
        evaluate(line)


@pytest.mark.parametrize(
    ("key", "least"),
    [
        ("limit", 1),
        ("num_classes", 1),
        ("crop_pct", 0.01),
        ("batch_size", 1),
        ("workers", 1),
        ("threads", 1),
        ("part_size", 1),
    ],
)
def test_the_limits_of_the_command_line_hold_in_a_configuration(evaluate, key, least):
    assert getattr(evaluate(f"{key}: {least}"), key) == least
    with pytest.raises(BadConfig, match=f"project.yaml:6: evaluate.{key}: .*{least}"):
        evaluate(f"{key}: 0")


def test_a_tuple_is_written_as_a_list(evaluate):
    assert evaluate("mean: [0.5, 0, 1]").mean == (0.5, 0.0, 1.0)


@pytest.mark.parametrize(
    ("written", "severity"), [("3", "3"), ("[1, 3]", "1,3"), ('"1,3"', "1,3"), ("[5]", "5")]
)
def test_a_text_of_several_things_may_be_a_list(read, written, severity):
    text = f"out: run\nb:\n  severity: {written}\n  transform: [fog, snow]\n  images: [seen]\n"
    options = read(text, commands={"b": InvarianceOptions}).blocks["b"]
    assert (options.severity, options.transform) == (severity, "fog,snow")


def test_none_is_a_value_where_an_option_may_be_left_out(evaluate):
    assert evaluate("limit: null").limit is None


def test_arguments_of_the_model_may_be_a_list_or_a_mapping(evaluate):
    assert evaluate("model_kwargs: [a=1, b=avg]").model_kwargs == ["a=1", "b=avg"]
    assert evaluate("model_kwargs: {a: 1, b: avg, c: [1, 2]}").model_kwargs == [
        "a=1",
        "b='avg'",
        "c=[1, 2]",
    ]


def test_a_value_that_only_the_options_understand_is_a_mistake_of_usage(evaluate):
    with pytest.raises(UsageError, match="max-bad 'lots'"):
        evaluate("max_bad: lots")


def test_an_empty_block_means_the_defaults(read):
    config = read("out: a\nrelaxed:\n", commands={"relaxed": Relaxed})
    assert config.blocks == {"relaxed": Relaxed()}
    assert read("out: a\nrelaxed: {}\n", commands={"relaxed": Relaxed}).blocks == config.blocks


def test_an_empty_block_of_a_command_that_needs_something_says_what(read):
    with pytest.raises(BadConfig, match=r"project\.yaml:2: demanding\.table: Field required"):
        read("out: a\ndemanding:\n", commands={"demanding": Demanding})


def test_a_data_set_keeps_its_name_and_its_root_starts_at_the_file(read, tmp_path):
    text = CONFIG.replace("photos", "torchvision:MNIST\n  root: data")
    block = read(text).blocks["evaluate"]
    assert (block.data, block.root) == (Path("torchvision:MNIST"), tmp_path / "data")


def test_a_block_that_is_not_there_makes_no_options(read):
    commands = {"relaxed": Relaxed, "demanding": Demanding}
    assert list(read("out: a\nrelaxed:\n", commands=commands).blocks) == ["relaxed"]


def test_blocks_come_in_the_order_of_the_commands_not_of_the_file(read):
    commands = {"demanding": Demanding, "relaxed": Relaxed}
    config = read("relaxed:\ndemanding: {table: t.csv}\nout: a\n", commands=commands)
    assert list(config.blocks) == ["demanding", "relaxed"]


@pytest.mark.parametrize("block", ["[1]", "text", "3", "false"])
def test_a_block_that_holds_no_settings_is_refused(read, block):
    with pytest.raises(BadConfig, match=r"project\.yaml:2: 'relaxed' must hold settings"):
        read(f"out: a\nrelaxed: {block}\n", commands={"relaxed": Relaxed})


@pytest.mark.parametrize("text", ["evaluate:\n", "out:\n", "out: null\n", "out: [a]\n"])
def test_the_run_folder_must_be_named(read, text):
    with pytest.raises(BadConfig, match="'out' must name the run folder"):
        read(text)


@pytest.mark.parametrize("text", ["", "# nothing\n", "- out\n", "out\n", "3\n"])
def test_a_file_that_is_no_mapping_is_refused(read, text):
    with pytest.raises(BadConfig, match=r"project\.yaml must be a mapping"):
        read(text)


@pytest.mark.parametrize(
    "text", ["out: [a\n", "out: a\n\tb: c\n", "out: a\n---\nout: b\n", "out: !!python/none\n"]
)
def test_a_file_that_is_not_yaml_is_refused_in_one_line(read, text):
    with pytest.raises(BadConfig, match=r"project\.yaml cannot be read as YAML") as failure:
        read(text)
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize("value", ["2023-13-45", "2023-02-30"])
def test_a_date_that_does_not_exist_is_refused(evaluate, value):
    with pytest.raises(BadConfig, match=r"project\.yaml"):
        evaluate(f"split: {value}")


def test_a_file_in_another_encoding_is_refused(tmp_path):
    (tmp_path / "project.yaml").write_bytes("out: Bär".encode("latin-1"))
    with pytest.raises(BadConfig, match="cannot be read as YAML"):
        read_config(tmp_path / "project.yaml", {})


def test_a_file_that_is_not_there_is_missing_input(tmp_path):
    (tmp_path / "project.yaml").touch()
    with pytest.raises(MissingInput) as failure:
        read_config(tmp_path / "projct.yaml", {})
    assert "project.yaml" in failure.value.hint
    assert isinstance(failure.value, ErrlensError)
    assert failure.value.exit_code == 3


def test_a_near_name_is_proposed_for_a_choice_in_python_too():
    with pytest.raises(UnfitOption, match="or 'mps'; did you mean auto"):
        errlens.evaluate("photos", model="x", device="atuo")


def test_a_near_name_is_proposed_for_a_choice_in_a_configuration(read):
    with pytest.raises(BadConfig, match=r"evaluate.device: .* or 'mps'; did you mean auto"):
        read(CONFIG + "  device: atuo\n")
