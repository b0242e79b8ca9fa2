import numpy as np
import pytest
import torch
from PIL import Image

from errlens.atlas.icons.colours import RIDGE, colours_of, read_colours
from errlens.data.photos.preprocess import Preprocessing
from errlens.errors import NoImages, UnfitModel
from errlens.model.asking.hiding import AskedImage
from errlens.model.preparation import UserTransform

USED = Preprocessing((32, 32), 1.0, "squash", "bilinear", (0.5,) * 3, (0.5,) * 3)


def pixels(n=4000):
    random = np.random.default_rng(0)
    mixing = np.array([[0.1, 0.05, 0.05], [0.0, 0.05, 0.02], [0.0, 0.0, 0.01]])
    return np.clip(random.normal(size=(n, 3)) @ mixing + (0.4, 0.5, 0.6), 0, 1)


def ridged(values, ridge=RIDGE):
    covariance = np.cov(values.T, bias=True).reshape(values.shape[1], -1)
    added = ridge * np.trace(covariance) / len(covariance) + 1e-4
    return covariance + added * np.eye(len(covariance))


def test_the_root_is_that_of_the_covariance_and_takes_it_out_again():
    values = pixels()
    colours = colours_of(values)
    assert colours.middle == pytest.approx(values.mean(axis=0))
    assert colours.root == pytest.approx(colours.root.T)
    assert colours.root @ colours.root == pytest.approx(ridged(values))
    decorrelated = (values - colours.middle) @ np.linalg.inv(colours_of(values, ridge=0).root)
    inner = np.linalg.inv(colours_of(values, ridge=0).root)
    wanted = inner @ np.cov(values.T, bias=True) @ inner
    assert np.cov(decorrelated.T, bias=True) == pytest.approx(wanted, abs=1e-9)
    assert np.trace(wanted) > 2.2  # next to 3, but for what is added to the variances


def test_noise_is_painted_in_the_colours_of_the_photos():
    values = pixels()
    colours = colours_of(values)
    noise = torch.randn(1, 3, 300, 300, generator=torch.Generator().manual_seed(0))
    painted = colours.painted(0.05 * noise)[0].flatten(1).double().numpy()
    assert painted.mean(axis=1) == pytest.approx(values.mean(axis=0), abs=1e-3)
    assert np.cov(painted) / 0.05**2 == pytest.approx(ridged(values), rel=0.05, abs=1e-4)
    loud = colours.painted(100 * noise)
    assert 0 <= loud.min() < loud.max() <= 1


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_photos_of_one_colour_leave_room_to_either_side(value):
    colours = colours_of(np.full((10, 1), value))
    painted = colours.painted(torch.tensor([-30.0, 0.0, 30.0]).reshape(1, 1, 1, 3)).flatten()
    assert painted.isfinite().all()
    assert painted[0] < painted[1] < painted[2]


def test_colours_are_read_from_photos_as_they_are_fed(tmp_path):
    random = np.random.default_rng(3)
    images = []
    for number in range(3):
        image = random.integers(0, 256, (32, 32, 3), dtype=np.uint8)
        Image.fromarray(image).save(tmp_path / f"{number}.png")
        images.append(AskedImage(tmp_path / f"{number}.png", None))
    files = [np.asarray(Image.open(path)) for path, _ in images]
    values = np.concatenate([file[::4, ::4].reshape(-1, 3) for file in files]) / 255
    missing = AskedImage(tmp_path / "none.png", None)
    read = read_colours([*images, missing], USED)
    assert read.middle == pytest.approx(values.mean(axis=0))
    assert read.root @ read.root == pytest.approx(ridged(values))
    with pytest.raises(NoImages, match="none of the photos"):
        read_colours([missing], USED)


def test_what_a_transform_of_the_user_makes_need_not_be_colours():
    transform = UserTransform("mine:transform", lambda _image: torch.zeros(3, 8, 8))
    with pytest.raises(UnfitModel, match="need not have any"):
        read_colours([], transform)
