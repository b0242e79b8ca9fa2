"""Networks that Grad-CAM fails on elsewhere: a true map here, or a sentence and what works."""

from pathlib import Path

import numpy as np
import timm
from safetensors.torch import save_model

from tests.conftest import ends


def saved_maps(run: Path):
    """Return the maps of the one picture of a run."""
    (path,) = (run / "explain").rglob("*.npz")
    return [values for values in np.load(path).values() if values.ndim == 2]


def shapes_of_maps(run: Path):
    return {values.shape for values in saved_maps(run)}


def test_frozen_weights_hinder_no_map(photos, users):
    """jacobgil/pytorch-grad-cam#80: "element 0 of tensors does not require grad"."""
    ends(f"evaluate {photos} --model {users}:Frozen --img-size 8 --trust-labels -o run")
    ends("explain run --method gradient --top 1 --save-maps")
    assert all(values.any() for values in saved_maps(Path("run")))


def test_a_network_without_gradients_is_told_and_occlusion_explains_it(photos, users):
    """jacobgil/pytorch-grad-cam#511: the forward pass runs under no_grad."""
    ends(f"evaluate {photos} --model {users}:WithoutGradients --img-size 8 --trust-labels -o run")
    said = ends("explain run --method grad-cam --top 1", 2)
    assert "gradient" in said.stderr
    assert "occlusion" in said.stderr
    ends("explain run --method occlusion --mask 50% --top 1")


def test_vision_transformers_of_timm_need_no_reshaping(photos, tmp_path):
    """jacobgil/pytorch-grad-cam#76: the shape that a `reshape_transform` has to know."""
    network = timm.create_model("test_vit", num_classes=3, img_size=64, patch_size=8)
    save_model(network, str(tmp_path / "vit.safetensors"))
    ends(
        f"evaluate {photos} --model test_vit --checkpoint {tmp_path}/vit.safetensors "
        f"--model-kwargs img_size=64 --model-kwargs patch_size=8 --img-size 64 "
        f"--trust-labels -o {tmp_path}/run"
    )
    ends(f"explain {tmp_path}/run --method grad-cam --top 1 --save-maps")
    assert shapes_of_maps(tmp_path / "run") == {(8, 8)}


def test_vision_transformers_of_others_need_none_either(photos, users):
    """jacobgil/pytorch-grad-cam#503: axis errors on a vision transformer that is not timm's."""
    ends(f"evaluate {photos} --model {users}:transformer --img-size 32 --trust-labels -o run")
    ends("explain run --method grad-cam --top 1 --save-maps")
    assert shapes_of_maps(Path("run")) == {(4, 4)}
