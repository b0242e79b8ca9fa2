import base64
import json
import os
import random
import re
import shutil
from contextlib import suppress
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from errlens.analysis.channels.ablation import KIND
from errlens.commands.report.options import ReportOptions
from errlens.errors import OutsideRun
from errlens.report.sections.network import activations, layers
from errlens.report.sections.network.section import KINDS, inside_the_network
from errlens.report.sections.network.told import FEW
from errlens.report.sources import Sources
from errlens.run.folder import open_run
from errlens.run.results import renewed_folder, renewed_results
from tests.attacks import mutations
from tests.conftest import call
from tests.report.pages import EVIL, data_of, make, report, section, text_of
from tests.report.sections.network import made
from tests.report.sections.network.made import (
    ALL,
    LAYER,
    network_files,
    write_activations,
    write_all,
    write_channels,
    write_correspondence,
    write_embed,
    write_evolution,
    write_features,
    write_filters,
    write_invariance,
    write_layers,
    write_occlusion,
    write_severity,
)


@pytest.fixture(scope="session")
def kept_run(tmp_path_factory):
    """Make a run once, for copies of it."""
    folder = tmp_path_factory.mktemp("kept")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return make(images=False).path.absolute()


@pytest.fixture
def with_a_model(monkeypatch):
    """Make a run of which the page says what commands can do that need its model."""

    def made(**how):
        run = make(images=False, **how)
        monkeypatch.setattr("errlens.run.identity.IMPORT_ENGINE", "another")
        return run

    return made


@pytest.fixture
def run(kept_run, monkeypatch):
    """Such a run, without results of the network."""
    shutil.copytree(kept_run, "run")
    monkeypatch.setattr("errlens.run.identity.IMPORT_ENGINE", "another")
    return open_run("run")


def inside(run):
    """Read what a page says of the inside of the network, without making the page."""
    selection = ReportOptions().choose(run)
    sources = Sources(run, selection.images, selection.among, selection.rank, Path())
    return inside_the_network(sources, sources.shots())


def problems(run):
    """Return why some results cannot be shown."""
    return " ".join(problem.what for _, problem in inside(run).problems)


def page():
    report()
    return text_of()


def words(text):
    """Return what a reader reads of some HTML."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<wbr>|<[^>]*>", "", text.replace("<td", " <td"))))


def shown():
    return section("network", page())


def told():
    return words(shown())


def kinds(text):
    return re.findall(r'<article class="about" id="network-(\w+)">', text)


def test_a_run_that_nobody_looked_into_names_the_command_and_has_no_section(run):
    text = page()
    assert '<section id="network">' not in text
    assert "#network" not in re.sub(r"<(style|script).*?</\1>", "", text, flags=re.DOTALL)
    absent = words(section("absent", text))
    assert "Inside the network'run/network' is not there. errlens network features run" in absent
    write_layers(run)
    assert "errlens network" not in section("absent", page())


def test_an_imported_run_has_no_network_to_look_into():
    make()
    assert "errlens network" not in section("absent", page())


def test_each_kind_of_results_is_told_in_the_order_of_the_page(run):
    write_all(run)
    text = page()
    assert kinds(text) == [*KINDS] == [*ALL]
    assert '<li><a href="#network">Inside the network</a></li>' in text


@pytest.mark.parametrize("kind", ALL)
def test_one_kind_alone_is_a_section(run, kind):
    ALL[kind](run)
    found = inside(run)
    assert [*found.told] == [kind]
    assert not found.problems


def test_channels_that_differ_are_counted_and_the_first_is_named(run):
    write_channels(run)
    said = told()
    assert (
        "cat taken for lion (12) against cat, right (8): 2 of 4 channels differ for sure (q at "
        "most 0.05), most of all channel 7 (fires more in cat taken for lion: 90.0 % of all "
        "pairs of images, q <0.001)." in said
    )
    # The other way round where a channel fires less.
    assert "3 cat, right cat taken for lion 80.0 % <0.001" in said


def test_what_silencing_repaired_and_broke_is_said_and_shown(run):
    write_channels(run)
    text = shown()
    said = words(text)
    assert "Silencing channel 7 repairs 6 of 8 errors between cat and lion" in said
    assert "All 2 together repair 7 of 8 and break 4 of 16 right answers" in said
    assert "Of 1 random channel, each alone, the best repairs 1" in said
    assert "Repaired by silencing channel 7: 1 of 1" in said
    assert "Right, and broken by silencing channel 7: 1 of 1" in said
    assert re.findall(r'<figure class="shot \w+" data-row="(\d+)"', text) == ["0", "2"]


def test_without_ablation_nothing_is_said_of_silencing(run):
    write_channels(run, silenced=False)
    assert "ilencing" not in told()


def test_each_of_several_layers_has_its_pictures_and_its_images(run):
    write_channels(run, layers=("a.1", "b.2"))
    text = shown()
    pictures = re.findall(r'data-picture="(network/[^"]+)"', text)
    assert pictures == [
        f"network/channels/{name}-{at}.png" for at in (1, 2) for name in ("channels", "ablation")
    ]
    assert words(text).count("Repaired by") == 2


def test_a_finding_and_the_channels_it_rests_on_lead_to_one_another(run):
    sure = made.ablation()
    sure.loc[0, ["q_value", "p_random"]] = 0.001
    with renewed_results(run, KIND, options={}) as results:
        results.csv("channels.csv", made.firing())
        results.csv("ablation.csv", sure)
        results.csv("changes.csv", made.changes())
    text = page()
    assert '<a href="#network-channels">What tells two classes apart' in section("why", text)
    link = re.search(r'<a href="#(finding-\d+)">Channel 7 of layer', section("network", text))[1]
    assert f'id="{link}"' in section("why", text)


def test_features_name_the_class_that_channels_answer_to(run):
    write_features(run)
    text = shown()
    said = words(text)
    assert "3 of 96 channels over 48 images." in said
    assert "they answer to one class: channel 5 to cat (8 of 9, of the run 25.0 %)." in said
    assert "Never above zero: 1 channel, 9." in said
    assert '<button class="link" type="button" data-row="4">images/004.png</button>' in text


def test_a_class_that_is_most_of_the_run_tells_nothing_of_a_channel(run):
    write_features(run)
    path = run.path / "network/features/firing.csv"
    pd.read_csv(path).assign(share_of_run=0.95).to_csv(path, index=False)
    assert "No channel has mostly one class" in told()


def test_an_evolution_says_what_happened_when(run):
    write_evolution(run)
    said = told()
    assert f"Within 5 % of its last: {LAYER} from e2 on." in said
    assert f"The last to jump to another image, at e2: 1 of 1 channels ({LAYER} 3)." in said
    assert "cat and lion part at e10" in said
    assert "at the last 1 of 12 images of cat are taken for lion, 2 of 11 of lion for cat" in said
    assert "e10 48 75.0 % - 0.1250" in said


def test_an_evolution_without_labels_tells_of_layers_and_channels_alone(run):
    write_evolution(run, labelled=False)
    said = told()
    assert f"{LAYER} from e2 on." in said
    assert "part at" not in said


@pytest.mark.parametrize("name", ["settled.csv", "training.csv", "pairs.csv"])
def test_tables_of_other_checkpoints_are_damaged(run, name):
    write_evolution(run)
    path = run.path / "network/evolution" / name
    path.write_text(path.read_text().replace("net.e2", "net.e3"))
    assert f"'run/network/evolution/{name}' is damaged" in problems(run)


def test_the_newest_activations_are_shown_and_the_others_counted(run):
    for at in range(activations.SHOWN + 2):
        place = f"layer4__{at}_x"
        write_activations(run, place)
        os.utime(run.path / "network/activations" / place / "parameters.json", (at, at))
    text = shown()
    first = re.findall(r'data-picture="network/activations/layer4__(\d)_x/grid.png"', text)
    assert first == ["4", "3", "2"]
    assert "and 2 older results in network/activations" in words(text)
    assert "In images/000.png, taken for lion (p 0.750), channels 1 (3.25), 0 (1.5) fire most." in (
        words(text)
    )


def test_a_photo_of_the_run_leads_to_its_record_and_another_to_none(run):
    write_activations(run)
    assert 'data-row="0"' in shown()
    write_activations(run, image="elsewhere/cat.jpg")
    assert 'data-row="0"' not in shown()


def test_layers_have_totals_and_idle_ones_are_left_out(run):
    write_layers(run)
    said = told()
    assert (
        "tiny: 4 layers, 98,765 parameters, 4,321 multiply-adds for an image of 48 x 32 pixels."
        in said
    )
    assert "That of" not in said
    assert "head: 8 channels of 4 x 4 places, each of which sees 9 x 7 pixels" in said
    assert "stem.idle" not in said
    assert "Good for: A activations, F features. 1 further layer" in said


def test_neighbours_have_sentences_and_a_row_for_the_nearest_of_each_error(run):
    write_embed(run)
    said = told()
    assert "48 errors lie among right images." in said
    assert "a.png" in said
    assert "c.png (a copy)" in said
    assert "b.png" not in said


def test_filters_have_totals_and_what_is_suspicious(run):
    write_filters(run)
    said = told()
    assert "2 convolutions, 48 filters: 1 dead, 2 repeating another." in said
    assert "Nothing is suspicious." in said
    write_filters(run, suspicions=["stem lets too much through."])
    assert "stem lets too much through." in told()


def test_transforms_have_what_they_cost_and_which_classes_break(run):
    write_invariance(run)
    said = told()
    assert "Of 40 images, at the sizes that ordinary photos have" in said
    assert "rotate 20 degrees 0.900 0.700 50.0 %" in said
    assert "cat rotate 45 degrees 10 100.0 % 0.0 % 0.0 to 27.8 %" in said
    write_invariance(run, names=())
    assert "No class loses half of its accuracy at any size for sure." in told()
    write_invariance(run, names=(), labelled=False)
    assert "what each transform costs the class predicted" in told()
    write_invariance(run, transforms=("rotate", "unheard"))
    assert problems(run) == "'run/network/invariance/invariance.csv' is damaged"


def test_parts_have_how_alike_hiding_them_changes_each_layer(run):
    write_correspondence(run)
    said = told()
    assert "Hiding the head of 40 images changes block.0 more alike" in said
    assert "head block.0 channels 40 0.250 0.375 0.350 to 0.400 0.002" in said
    write_correspondence(run, n=61)
    assert "and 1 further row in network/correspondence/correspondence.csv" in told()


def test_corruptions_have_what_they_cost(run):
    write_severity(run)
    said = told()
    assert "Of 40 images, 40.0 % are wrong on average over 2 corruptions" in said
    assert "of the images as they are 10.0 %" in said
    assert "fog weather 50.0 % 40.0 to 60.0 % +40.0 pp +30.0 to +50.0 pp" in said
    write_severity(run, labelled=False)
    assert "Of 40 images, the prediction changes in 40.0 % on average" in told()


def test_a_finding_and_the_transforms_it_rests_on_lead_to_one_another(run):
    write_invariance(run)
    natural = pd.DataFrame(
        {"class_name": ["cat"], "transform": "rotate", "size": 10.0, "n": 12, "right": 12,
         "lost": 12, "right_there": 0, "p_value": 1e-7, "q_value": 1e-4}
    )  # fmt: skip
    lost = natural[["class_name", "transform", "size"]].assign(row=4, pred_name="dog")
    folder = run.results_folder("network/invariance")
    for name, table in {"natural": natural, "lost": lost}.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    text = page()
    assert '<a href="#network-invariance">What transforms of photos do' in section("why", text)
    link = re.search(r'<a href="#(finding-\d+)">cat is lost when', section("network", text))[1]
    assert f'id="{link}"' in section("why", text)


def test_what_falls_in_images_is_told_with_figures_of_the_first(run):
    write_occlusion(run, images=[f"images/{at:03d}.png" for at in range(5)])
    said = told()
    assert "The evidence lies on it." in said
    assert "cat 0.250 0.125 3 12.5 2.5 25.0 % 62.5 % 37.5 %" in said
    assert "and figures of 2 further images in network/occlusion" in said
    write_occlusion(run, images=["another.png"], outlined=False)
    assert "25.0 % - -" in told()


def test_of_a_thousand_layers_those_least_deep_are_listed(run):
    deep = [f"a.{at}.conv" for at in range(1_000)]
    write_layers(run, ("a", "b", *deep))
    text = shown()
    assert text.count("<tr>") == 1 + 2
    write_layers(run, [f"layer{at}" for at in range(1_000)])
    assert shown().count("<tr>") == 1 + layers.SHOWN


def test_long_tables_are_folded_and_can_be_sorted(run):
    write_layers(run, [f"layer{at}" for at in range(FEW + 1)])
    write_features(run)
    text = page()
    assert "<details>" not in re.search(r'id="network-features"(.*?)</article>', text, re.S)[1]
    assert "<details>" in re.search(r'id="network-layers"(.*?)</article>', text, re.S)[1]
    assert section("network", text).count('class="stack sortable"') == 2
    assert '<td class="n" data-head="parameters" data-value="1234">1,234</td>' in text


def test_pictures_are_on_the_page_with_what_they_show(run):
    write_all(run)
    text = page()
    uris = data_of(text, "pictures")["uris"]
    shown = r'<img data-picture="(network/[^"]+)" alt="([^"]+)"(?: src="([^"]+)")?'
    names = re.findall(shown, text)
    assert len(names) == 18
    for name, alt, uri in names:
        assert (uri or uris[name]).startswith("data:image/svg+xml,")  # for a dark page
        assert len(alt) > 20


def test_pictures_take_no_more_than_their_share_of_the_page():
    run = make()
    write_features(run, layers=[f"l{at}" for at in range(6)])
    noise = np.random.default_rng(0).integers(0, 255, (450, 800, 3), np.uint8)
    for path in (run.path / "network/features/sheets").iterdir():
        Image.fromarray(noise).save(path)
    report("run --max-mb 3")
    text = text_of()
    assert len(text.encode()) <= 3e6
    pictures = data_of(text, "pictures")
    drawn = [name for name in pictures["uris"] if name.startswith("network/")]
    assert sum(len(pictures["uris"][name]) for name in drawn) <= 3e6 / 8
    assert pictures["absent"]["network/features/sheets/l5.png"] == "left out: the page is full"
    assert "0" in pictures["uris"]


def test_the_same_page_twice_is_the_same(run):
    write_all(run)
    assert page() == page()


def test_results_of_other_predictions_are_told_with_the_command_that_renews_them(run):
    write_all(run)
    record = run.path / "network/channels/made_from.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "run_hash": "0" * 64}))
    text = page()
    assert kinds(text) == [kind for kind in KINDS if kind != "channels"]
    absent = words(section("absent", text))
    assert "Inside the network: what tells two classes apart" in absent
    assert "'run/network/channels' was made of other predictions" in absent
    assert "errlens network features run --discriminate 'A~B'" in absent


def test_results_elsewhere_are_not_shown(run):
    with renewed_folder(run.path / "network", run_hash="of a model alone", options={}) as results:
        results.csv("layers.csv", pd.DataFrame({"layer": ["a"]}))
    assert problems(run) == "'run/network' was made of other predictions"


def test_unlabelled_photos_have_the_section_too(with_a_model):
    run = with_a_model(label=False, superclasses=False)
    write_features(run)
    record = run.path / "network/channels/made_from.json"
    record.parent.mkdir()
    record.write_text("{}")
    text = page()
    assert kinds(text) == ["features"]
    assert "errlens network features run --discriminate" in section("network", text)


def test_names_that_are_html_stay_text(with_a_model):
    run = with_a_model(classes=EVIL, superclasses=False)
    write_channels(run, layers=("<b>x</b>",), names=EVIL[:2])
    write_features(run, layers=("<i>",), top=EVIL[0])
    write_evolution(run, layer="<i>", names=EVIL[:2])
    write_activations(run, image='"><script>alert(2)</script>')
    write_layers(run, ("<u>", "\x1b[2J", "x" * 10_000))
    text = page()
    assert text.count("<script") == 3
    for tag in ("<b>x", "<i>", "<u>", "<img src", "\x1b", "x" * 300):
        assert tag not in text
    assert '<script>alert(1)</script> or "><img src=x onerror=alert(1)>' in words(
        section("network", text)
    )
    summary = re.sub(r"(`+).*?\1", "", text_of("summary.md"))
    assert "<script" not in summary
    assert "<b>" not in summary


def test_a_class_called_like_a_pair_is_named_as_it_is(with_a_model):
    names = ("A~B", "A", "B", "C")
    run = with_a_model(classes=names, superclasses=False)
    write_channels(run, names=("A~B", "A"))
    assert "errors between A~B and A" in told()


def test_the_summary_says_what_was_found(run):
    write_channels(run)
    page()
    summary = text_of("summary.md")
    assert "## Inside the network" in summary
    assert f"- {LAYER}: cat or lion. lion" in summary
    assert "Silencing channel 7 repairs 6 of 8 errors" in summary


@pytest.mark.parametrize("content", [None, b"no picture", b""])
def test_a_picture_that_cannot_be_shown_is_told_and_nothing_else_is_lost(content):
    run = make()
    write_channels(run)
    path = run.path / "network/channels/channels.png"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    said = report().stderr
    assert "--data-root" not in said  # the photos are where they were
    text = text_of()
    assert "network/channels/channels.png" in data_of(text, "pictures")["absent"]
    assert "network/channels/ablation.png" in data_of(text, "pictures")["uris"]
    assert "network/channels/channels.png: " in section("health", text)


@pytest.mark.parametrize("name", ["channels.csv", "channels.png", "made_from.json"])
def test_a_link_that_leads_out_is_not_followed(run, tmp_path, name):
    write_channels(run)
    path = run.path / "network/channels" / name
    path.rename(tmp_path / name)
    path.symlink_to(tmp_path / name)
    said = call("report run")
    assert said.exit_code == 3
    assert "leads out of" in said.stderr


def test_a_table_that_is_too_large_is_not_read(run):
    write_channels(run)
    path = run.path / "network/channels/channels.csv"
    with path.open("r+b") as file:
        file.truncate(2**40)
    assert problems(run) == "'run/network/channels/channels.csv' has more than 64 MiB"


DAMAGES = {
    "cut": lambda table: table.to_csv(index=False)[:-9].rpartition(",")[0],
    "no column": lambda table: table.iloc[:, 1:].to_csv(index=False),
    "no cell": lambda table: table.mask(table == table).to_csv(index=False),
    "words": lambda table: table.astype(str).map(lambda cell: f"x{cell}").to_csv(index=False),
    "nothing": lambda _table: "",
    "another row": lambda table: table.assign(row=10**6).to_csv(index=False),
}


@pytest.mark.parametrize("damage", ["cut", "no column", "no cell", "words", "nothing"])
@pytest.mark.parametrize(
    "name",
    ["channels/channels.csv", "features/firing.csv", "features/features.csv", "layers.csv",
     "invariance/invariance.csv", "invariance/classes.csv", "correspondence/correspondence.csv",
     "severity/severity.csv",
     "severity/corruptions.csv",
     "activations/layer4__0_000/channels.csv"],
)  # fmt: skip
def test_a_damaged_table_is_told_and_the_other_kinds_are_shown(run, name, damage):
    write_all(run)
    path = run.path / "network" / name
    path.write_text(DAMAGES[damage](pd.read_csv(path)))
    assert len(inside(run).told) == len(KINDS) - 1
    assert problems(run) == f"'run/network/{name}' is damaged"


@pytest.mark.parametrize("name", ["channels/changes.csv", "features/features.csv"])
def test_an_image_that_the_run_has_not_is_damage(run, name):
    write_all(run)
    path = run.path / "network" / name
    path.write_text(DAMAGES["another row"](pd.read_csv(path)))
    assert problems(run) == f"'run/network/{name}' is damaged"


def test_whatever_is_damaged_is_told_or_refused_in_a_sentence(run):
    write_all(run)
    whole = {path: path.read_bytes() for path in network_files(run)}
    chance = random.Random(7)
    for _ in range(25):
        path = chance.choice([*whole])
        mutations.damaged(path, chance)
        with suppress(OutsideRun):
            inside(run)
        renew(path, whole[path])


def renew(path, content):
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    path.unlink(missing_ok=True)
    path.write_bytes(content)


def test_pictures_are_those_of_the_run(run):
    write_channels(run)
    uri = data_of(page(), "pictures")["uris"]["network/channels/channels.png"]
    inner = re.search(r"href='data:image/webp;base64,([^']+)'", unescape(uri))[1]
    assert base64.b64decode(inner)[:4] == b"RIFF"


def test_probed_layers_say_where_two_classes_part(run):
    made.write_probe(run)
    said = told()
    assert "cat and lion are told apart from stem on; lost again at penultimate." in said
    assert "Linear probes, of 48 images of 3 classes" in said
    assert "dog is found best at stem (75 % of 16); lost again at penultimate (25 %)." in said
    assert "12.5 %" in said
    assert "6.3 to 18.8 %" in said
