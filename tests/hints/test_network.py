"""Hints of the commands that look inside a network."""

import pytest

from tests.hints.test_next import next_words
from tests.hints.walking import IN_PHOTOS, Row, Walk

pytestmark = IN_PHOTOS

ROWS = [
    Row(
        "commands.network.subject.SubjectOptions.find_subject:hint",
        "network layers test_vit --model test_resnet -q",
        "leave one of them out",
        "network layers test_vit -q",
    ),
    Row(
        "commands.network.subject.SubjectOptions._of_run:hint",
        "network layers seen --img-size 32 -q",
        "leave that out",
        "network layers seen -q",
    ),
    Row(
        "commands.network.filters.command._subjects:hint",
        "network filters seen seen -q",
        "leave the second out",
        "network filters seen -q",
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_what_is_proposed_works(row, walk: Walk):
    row.follow(walk)


def test_where_there_are_too_few_images_for_t_sne_there_are_enough_for_components(walk: Walk):
    walk.ends("evaluate photos --limit 6 --model tiny:spatial -o few -q")
    said = walk.refused(
        "network embed few -q --method tsne", "commands.network.embed.command._require_spread:hint"
    )
    assert "--method pca draws as few as two" in said.hint
    walk.ends("network embed few -q --method pca")


def test_without_t_sne_there_are_components(walk: Walk, monkeypatch):
    monkeypatch.setattr("errlens.analysis.embedding.tsne.find_spec", lambda _name: None)
    said = walk.refused(
        "network embed seen -q --method tsne", "commands.network.embed.command._check:hint"
    )
    assert "pip install 'errlens[map]' installs it; --method pca" in said.hint
    walk.ends("network embed seen -q --method pca")


def test_where_the_network_looked_in_the_worst_error_of_the_map(walk: Walk):
    words = next_words(walk.ends("network embed seen"))
    assert words[:2] == ["explain", "seen"], "commands.network.embed.view.show:next"
    walk.ends(words)
