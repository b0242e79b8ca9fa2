from dataclasses import replace

import numpy as np
import pytest
import timm
import torch
from torch import nn

from errlens.analysis.atlas.fidelity import fidelity
from errlens.analysis.atlas.whitening import second_moments, whitened
from errlens.atlas.icons.colours import Colours
from errlens.atlas.icons.objective import Wanted, around_centre, objective
from errlens.atlas.icons.optimising import IconMaker
from errlens.atlas.icons.painting import painter_for
from errlens.atlas.icons.recipe import Recipe
from errlens.errors import UnfitModel, UserCodeFailed
from errlens.model.layers.places import find_layer
from errlens.model.preparation import UserTransform
from tests.network.units.networks import classifier_of

SIDE = 16
COLOURS = Colours(np.full(3, 0.5), np.eye(3) * 0.2)
QUICK = Recipe(size=SIDE, steps=30, seed=1)


class Palette(nn.Module):
    """A layer of 12 channels, each firing at a colour of its own: icons of it are plain."""

    def __init__(self, channels=3):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.blur = nn.AvgPool2d(3, stride=2, padding=1)
        self.layer = nn.Conv2d(channels, 12, 1, bias=False)
        self.fire = nn.ReLU(inplace=True)
        self.head = nn.Linear(12, 3)
        directions = torch.randn(12, channels, 1, 1, generator=generator)
        self.layer.weight.data = directions / directions.norm(dim=1, keepdim=True)

    def forward(self, images):
        maps = self.fire(self.layer(self.blur(images)))
        return self.head(maps.mean(dim=(2, 3)))


def layer_of(module, name, channels=3):
    return find_layer(module, (channels, SIDE, SIDE), name)


def maker_of(module, *, name="fire", channels=3, side=SIDE, layer=None, moments=None, **how):
    """Make icons of a layer whose activations were those of random colours."""
    how = {"recipe": QUICK, "workers": 1, "colours": COLOURS, **how}
    return IconMaker(
        classifier=classifier_of(module, side=side, channels=channels),
        layer=layer or layer_of(module, name, channels),
        moments=np.eye(12) if moments is None else moments,
        **how,
    )


def cells_of(module):
    """Return what the network makes of six plain colours, shape (6, 12)."""
    colours = torch.cat([torch.eye(3), -torch.eye(3)])[:, :, None, None]
    with torch.no_grad():
        return torch.relu(module.layer(colours)).flatten(1).numpy()


@pytest.fixture
def module():
    return Palette().eval()


@pytest.fixture
def cells(module):
    return cells_of(module)


def test_icons_are_nearest_to_their_own_cells_and_noise_is_not(module, cells):
    maker = maker_of(module, moments=second_moments(cells))
    icons = maker.make(cells)
    assert icons.pixels.shape == (6, SIDE, SIDE, 3)
    assert icons.pixels.dtype == np.uint8
    assert fidelity(icons.encoded, cells).value == 1
    assert fidelity(icons.encoded, cells).similarity.min() > 0.9
    noise = replace(maker, recipe=replace(QUICK, rate=0.0)).make(cells)
    assert fidelity(noise.encoded, cells).value == pytest.approx(1 / 6)  # all are the same noise


def test_the_objective_rises_above_its_start_and_above_noise(module, cells):
    maker = maker_of(module)
    wanted = Wanted(
        torch.from_numpy(cells), torch.from_numpy(whitened(cells, np.eye(12), ridge=1.0))
    )

    def reached(pixels):
        with painter_for(maker.classifier, maker.layer, COLOURS, QUICK) as painter:
            with torch.no_grad():
                maps = around_centre(painter.answers(pixels), reach=QUICK.reach)
            return objective(maps, wanted, power=QUICK.power).numpy()

    icons = torch.from_numpy(maker.make(cells).pixels).permute(0, 3, 1, 2) / 255
    start = maker_of(module, recipe=replace(QUICK, rate=0.0)).make(cells)
    begun = torch.from_numpy(start.pixels).permute(0, 3, 1, 2) / 255
    random = torch.Generator().manual_seed(0)
    noises = [torch.rand(begun.shape, generator=random) for _ in range(20)]
    assert (reached(icons) > reached(begun)).all()
    assert (reached(icons) > np.max([reached(noise) for noise in noises], axis=0)).all()


def test_what_is_encoded_is_the_picture_that_is_shown(module, cells):
    icons = maker_of(module).make(cells)
    fed = torch.from_numpy(icons.pixels).permute(0, 3, 1, 2).float() / 255
    with torch.no_grad():
        maps = torch.relu(module.layer(module.blur((fed - 0.5) / 0.5)))
    centre = maps[:, :, SIDE // 4, SIDE // 4].numpy()
    assert icons.encoded == pytest.approx(centre, abs=1e-5)


def test_the_same_seed_makes_the_same_bytes_however_many_work(module, cells):
    icons = [
        maker_of(module, batch_size=2, workers=workers).make(cells).pixels for workers in (1, 1, 3)
    ]
    assert icons[0].tobytes() == icons[1].tobytes() == icons[2].tobytes()
    other = maker_of(module, recipe=replace(QUICK, seed=2)).make(cells).pixels
    assert other.tobytes() != icons[0].tobytes()


def test_an_icon_hardly_depends_on_those_made_with_it(module, cells):
    together = maker_of(module, batch_size=6).make(cells).pixels.astype(int)
    alone = maker_of(module, batch_size=1).make(cells).pixels.astype(int)
    assert np.abs(together - alone).max() <= 2
    backwards = maker_of(module, batch_size=6).make(cells[::-1]).pixels[::-1].astype(int)
    assert np.abs(together - backwards).max() <= 2


def test_icons_made_before_ctrl_c_are_taken_again(module, cells, tmp_path):
    kept = tmp_path / "icons"
    maker = maker_of(module, batch_size=2, kept_in=kept)
    whole = maker_of(module, batch_size=2).make(cells)

    def interrupt(_steps):
        if kept.is_dir() and any(kept.glob("*.npz")):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        maker.make(cells, advance=interrupt)
    made = sorted(kept.iterdir())
    assert 1 <= len(made) <= 3
    assert all(file.suffix == ".npz" for file in made)
    dates = [file.stat().st_mtime_ns for file in made]
    again = maker.make(cells)
    assert [file.stat().st_mtime_ns for file in made] == dates
    assert again.pixels.tobytes() == whole.pixels.tobytes()
    assert again.encoded.tobytes() == whole.encoded.tobytes()
    assert maker.estimate(cells) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"recipe": replace(QUICK, seed=9)},
        {"recipe": replace(QUICK, power=2.0)},
        {"colours": Colours(np.full(3, 0.4), np.eye(3) * 0.2)},
        {"moments": np.diag(np.arange(1.0, 13))},
    ],
    ids=["seed", "recipe", "colours", "moments"],
)
def test_icons_of_other_settings_are_not_taken(module, cells, tmp_path, change):
    maker_of(module, kept_in=tmp_path).make(cells)
    assert maker_of(module, kept_in=tmp_path).estimate(cells) == 0
    assert maker_of(module, kept_in=tmp_path, **change).estimate(cells) > 0


def test_icons_of_other_weights_and_cells_are_not_taken(module, cells, tmp_path):
    maker_of(module, kept_in=tmp_path).make(cells)
    assert maker_of(module, kept_in=tmp_path).estimate(2 * cells) > 0
    with torch.no_grad():
        module.head.bias += 1
    assert maker_of(module, kept_in=tmp_path).estimate(cells) > 0


@pytest.mark.parametrize("damaged", [b"", b"PK\x03\x04 no archive", b"\x93NUMPY"])
def test_damaged_icons_are_made_anew(module, cells, tmp_path, damaged):
    whole = maker_of(module, kept_in=tmp_path).make(cells)
    (file,) = tmp_path.iterdir()
    file.write_bytes(damaged)
    again = maker_of(module, kept_in=tmp_path).make(cells)
    assert again.pixels.tobytes() == whole.pixels.tobytes()
    assert file.read_bytes() != damaged


def test_progress_adds_up(module, cells, tmp_path):
    for _ in range(2):  # made, then taken again
        told = []
        maker_of(module, batch_size=4, kept_in=tmp_path).make(cells, advance=told.append)
        assert sum(told) == len(cells) * QUICK.steps


def test_the_network_is_given_back_as_it_was_also_after_a_failure(module, cells):
    module.train()
    maker = maker_of(module)

    def interrupt(_steps):
        raise KeyboardInterrupt

    maker.make(cells)
    with pytest.raises(KeyboardInterrupt):
        maker.make(cells, advance=interrupt)
    assert module.training
    assert all(weight.requires_grad and weight.grad is None for weight in module.parameters())
    assert not any(part._forward_hooks for part in module.modules())


def test_grey_networks_have_grey_icons():
    module = Palette(channels=1).eval()
    colours = Colours(np.array([0.5]), np.array([[0.2]]))
    cells = np.stack([module.layer.weight.relu().flatten().detach().numpy()] * 2)
    cells[1] = (-module.layer.weight).relu().flatten().detach().numpy()
    maker = maker_of(module, channels=1, colours=colours)
    icons = maker.make(cells)
    assert (icons.pixels == icons.pixels[..., :1]).all()
    assert fidelity(icons.encoded, cells).value == 1
    light, dark = icons.pixels[:, SIDE // 2, SIDE // 2, 0]
    assert light > 128 > dark


def test_icons_of_networks_fed_blue_first_are_shown_red_first(module, cells):
    maker = maker_of(module)
    used = replace(maker.classifier.preparation, bgr=True)
    fed = replace(maker, classifier=replace(maker.classifier, preparation=used))
    assert (fed.make(cells).pixels == maker.make(cells).pixels[..., ::-1]).all()


class Fixed(Palette):
    def forward(self, images):
        if images.shape[2] != SIDE:
            raise ValueError(f"only {SIDE} pixels")
        return super().forward(images)


def test_networks_of_one_input_size_have_icons_of_that(cells):
    recipe = replace(QUICK, size=12, steps=2)
    assert maker_of(Palette().eval(), recipe=recipe).make(cells).pixels.shape[1:3] == (12, 12)
    assert maker_of(Fixed().eval(), recipe=recipe).make(cells).pixels.shape[1:3] == (SIDE, SIDE)
    large = replace(recipe, size=500)
    assert maker_of(Palette().eval(), recipe=large).make(cells).pixels.shape[1:3] == (SIDE, SIDE)


def test_transformers_have_icons_of_their_input_size():
    torch.manual_seed(0)
    module = timm.create_model("test_vit", img_size=32, patch_size=8, num_classes=3).eval()
    layer = find_layer(module, (3, 32, 32), "blocks.2")
    assert layer.layout == "tokens"
    cells = np.random.default_rng(0).normal(size=(3, module.embed_dim)).astype(np.float32)
    maker = maker_of(
        module, side=32, layer=layer, moments=np.eye(module.embed_dim),
        recipe=replace(QUICK, steps=40),
    )  # fmt: skip
    icons = maker.make(cells)
    assert icons.pixels.shape == (3, 32, 32, 3)
    start = replace(maker, recipe=replace(QUICK, rate=0.0, steps=1)).make(cells)
    after, before = (fidelity(made.encoded, cells).similarity for made in (icons, start))
    assert (after > before).all()


def test_a_transform_of_the_user_is_refused(module, cells):
    maker = maker_of(module)
    transform = UserTransform("mine:transform", lambda _image: torch.zeros(3, SIDE, SIDE))
    with pytest.raises(UnfitModel, match="need not have any"):
        replace(maker, classifier=replace(maker.classifier, preparation=transform)).make(cells)


class Detached(Palette):
    def forward(self, images):
        with torch.no_grad():
            return super().forward(images)


def test_what_has_no_gradient_or_is_not_finite_is_said(module, cells):
    with pytest.raises(UnfitModel, match="has none"):
        maker_of(Detached().eval()).make(cells)
    with torch.no_grad():
        module.layer.weight[0] = float("nan")
    with pytest.raises(UnfitModel, match="not finite"):
        maker_of(module).make(cells)


class Lonely(Palette):
    def forward(self, images):
        assert len(images) == 1
        return super().forward(images)


def test_a_network_that_takes_one_image_at_a_time_gets_one(cells):
    maker = maker_of(Lonely().eval())
    interface = maker.classifier.interface._replace(one_at_a_time=True)
    alone = replace(maker, classifier=replace(maker.classifier, interface=interface))
    assert alone.make(cells).pixels.shape == (6, SIDE, SIDE, 3)


class Failing(Palette):
    def forward(self, images):
        if len(images) > 2:
            raise ValueError("too many")
        return super().forward(images)


def test_a_network_that_fails_ends_it_at_once(cells):
    module = Failing().eval()
    with pytest.raises(UserCodeFailed, match="too many"):
        maker_of(module, workers=2).make(np.repeat(cells, 20, axis=0))
    assert not any(part._forward_hooks for part in module.modules())


def test_dead_channels_and_a_single_cell_are_no_trouble(module, cells):
    cells[:, :4] = 0
    icons = maker_of(module, moments=second_moments(cells)).make(cells[:1])
    assert icons.pixels.shape[0] == 1
    assert np.isfinite(icons.encoded).all()
