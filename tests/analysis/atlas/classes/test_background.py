from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from errlens.analysis.atlas.classes.background import background_shares, place_means
from errlens.data.objects.outlines import Regions
from errlens.data.photos.preprocess import Preprocessing

FED = Preprocessing((4, 4), 1.0, "squash", "bilinear", (0.5,) * 3, (0.5,) * 3)


@dataclass(frozen=True)
class LeftHalf:
    """The object is the left half of every photo but `none.jpg`."""

    def regions(self, path: str, _preprocessing: Preprocessing) -> Regions | None:
        if path == "none.jpg":
            return None
        return Regions(np.repeat([[1.0, 1.0, 0.0, 0.0]], 4, axis=0).astype(np.float32), None)


def test_the_share_of_a_place_is_that_outside_of_the_object():
    points = pd.DataFrame(
        {"row": [5, 9, 5, 5], "place_row": [0, 0, 1, 2], "place_column": [0, 0, 1, 2]},
        index=[3, 2, 1, 0],
    )
    done = []
    shares = background_shares(
        points, (4, 3), {5: "a.jpg", 9: "none.jpg"}, LeftHalf(), FED, advance=done.append
    )
    assert shares[[0, 3]].tolist() == [0, 1]
    assert np.isnan(shares[1])
    assert sum(done) == 2


@pytest.mark.parametrize("grid", [(1, 1), (3, 5), (8, 6), (16, 12)])
def test_means_of_places_are_those_of_their_pixels(grid):
    values = np.random.default_rng(0).uniform(size=(16, 12))
    means = place_means(values, grid)
    assert means.shape == grid
    rows, columns = (
        np.linspace(0, n, k + 1).round().astype(int) for n, k in zip((16, 12), grid, strict=True)
    )
    for row in range(grid[0]):
        for column in range(grid[1]):
            part = values[rows[row] : rows[row + 1], columns[column] : columns[column + 1]]
            assert means[row, column] == pytest.approx(part.mean())
