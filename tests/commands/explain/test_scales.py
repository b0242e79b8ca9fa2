"""The colour bars of every kind of picture: none ends below what it shows without saying so."""

import numpy as np
import pytest

from errlens.commands.explain import pictures as _explain_pictures
from errlens.commands.explain import study_pictures as _explain_study_pictures
from tests.commands.explain.test_explain import QUICK, explain, index, old  # noqa: F401 - a fixture
from tests.figures.maps.test_heatmaps import numbers_of, value_of


@pytest.fixture
def drawn(monkeypatch):
    """The panels, the unit, and the numbers on the bars of each picture that is drawn."""
    found = []
    real = _explain_pictures.draw_heatmaps

    def draw(image, panels, **options):
        figure = real(image, panels, **options)
        found.append((panels, options["unit"], options.get("signed", True), numbers_of(figure)))
        return figure

    for module in (_explain_pictures, _explain_study_pictures):
        monkeypatch.setattr(module, "draw_heatmaps", draw)
    return found


@pytest.mark.parametrize(
    "options",
    [
        "--top 4 --method grad-cam --method integrated-gradients --method saliency",
        "--top 4 --method occlusion --style matlab",
        "--top 2 --compare",
        "--top 2 --sweep --winners --colormap viridis",
        "--top 2 --method gradient --against old --on original",
        "--top 3 --target predicted --method occlusion --probability",
    ],
)
def test_bars_end_at_or_above_what_they_show_or_say_so(drawn, old, options):  # noqa: F811
    del old
    explain(f"run {options} {QUICK}")
    assert drawn
    for panels, unit, signed, numbers in drawn:
        maps = [
            (panel.values, signed and panel.signed) for panel in panels if panel.values is not None
        ]
        groups = [maps] if unit is not None and maps else [[one] for one in maps]
        for group in groups:
            most = max(float(values.max()) for values, _ in group)
            least = min(float(values.min()) for values, _ in group)
            within = [
                text
                for text in numbers
                if text.startswith("≥") or value_of(text) * (1 + 1e-6) >= most
            ]
            assert within, (most, numbers)
            if any(signed for _, signed in group):
                below = [text for text in numbers if value_of(text) < 0]
                assert any(
                    text.startswith("≤") or value_of(text) * (1 + 1e-6) <= least for text in below
                )
            if all(values.size < 64 * 64 for values, _ in group) and unit is not None:
                assert not any("≥" in text for text in numbers)


def test_a_map_of_occlusion_is_signed_whatever_it_found(drawn, monkeypatch):
    """Of this photo nothing speaks against the class; the colours are those of all other photos."""
    import errlens.attribution.masks as masks

    real = masks.Sweep.drops
    monkeypatch.setattr(masks.Sweep, "drops", lambda *args, **kwargs: real(*args, **kwargs).abs())
    explain("run --top 1 --method occlusion --target predicted --mask 50%")
    assert index()["raw_min"].ge(0).all()
    ((_, _, signed, numbers),) = drawn
    assert signed
    assert np.sign([value_of(text) for text in numbers]).tolist().count(-1) == 2
