"""Attention relevance against its equations, written out with hooks on named layers of timm."""

import pytest
import timm
import torch
import torchvision
from torch import nn
from torch.nn import functional

from errlens.attribution.explained_model import MethodSettings, borrowed
from errlens.attribution.methods import attention_relevance
from tests.attribution.networks import Patches, Tokens, explained, model_of, planted, targets


def vit(**options):
    torch.manual_seed(0)
    options = {"img_size": (40, 56), "patch_size": 4, "num_classes": 5} | options
    module = timm.create_model("test_vit", **options).eval()
    with torch.no_grad():  # attention of random weights is nearly even
        for name, weight in module.named_parameters():
            if "qkv" in name or "pos_embed" in name:
                weight.mul_(5)
    return module


def maps_of(module, images, wanted, **options):
    size = tuple(images.shape[1:])
    return explained(
        attention_relevance, module, images, wanted, MethodSettings(), size=size, **options
    )


def written_out(module, image, target):
    """Return equation 6 of the paper, all tokens by all tokens."""
    kept = []
    for block in module.blocks:
        block.attn.fused_attn = False
        block.attn.attn_drop = nn.Identity()
        block.attn.attn_drop.register_forward_hook(lambda _layer, _given, out: kept.append(out))
    with torch.enable_grad():
        score = module(image)[0, target]
        slopes = torch.autograd.grad(score, kept)
    tokens = kept[0].shape[-1]
    relevance = torch.eye(tokens)
    for attention, slope in zip(kept, slopes, strict=True):
        relevance = relevance + (slope * attention).clamp(min=0)[0].mean(dim=0) @ relevance
    return relevance.detach()


@pytest.mark.parametrize("registers", [0, 4])
def test_it_is_the_row_of_the_class_token(registers):
    module, images = vit(reg_tokens=registers), torch.randn(2, 3, 40, 56)
    maps = maps_of(module, images, targets([0, 3], [1, 2]))
    assert maps.values.shape == (2, 2, 10, 14)
    for at, classes in enumerate(([0, 3], [1, 2])):
        for place, one in enumerate(classes):
            known = written_out(module, images[at : at + 1], one)[0, 1 + registers :]
            torch.testing.assert_close(maps.values[at, place], known.reshape(10, 14))


@pytest.mark.parametrize("prefix", [0, 1])
def test_of_averaged_tokens_it_is_the_mean_of_their_rows(prefix):
    module = vit(global_pool="avg", class_token=bool(prefix))
    images = torch.randn(1, 3, 40, 56)
    maps = maps_of(module, images, targets([2]))
    known = written_out(module, images, 2) - torch.eye(140 + prefix)
    known = known[prefix:, prefix:].mean(dim=0)
    torch.testing.assert_close(maps.values[0, 0], known.reshape(10, 14))


def test_tokens_may_be_pooled_by_attention():
    module = vit(global_pool="map", class_token=False)
    images = torch.randn(2, 3, 40, 56)
    found = maps_of(module, images, targets([2], [0]))
    assert found.values.shape == (2, 1, 10, 14)
    assert found.values.gt(0).any()


def test_of_one_attention_it_is_attention_times_what_a_place_adds():
    module, (images, _, colours) = Tokens(), planted(3)
    maps = maps_of(module, images, targets(*[[one] for one in colours]))
    with torch.no_grad():
        seen = functional.adaptive_avg_pool2d(module.relu(module.see(images)), (8, 8))
        tokens = torch.cat([torch.zeros(3, 1, 3), seen.flatten(2).transpose(1, 2)], dim=1)
        attention = module.attention(tokens)[:, 0, 0]
        adds = (tokens @ module.head.weight.T)[torch.arange(3), :, colours]
    known = (attention * adds).clamp(min=0)[:, 1:].reshape(3, 1, 8, 8)
    torch.testing.assert_close(maps.values, known)


def test_neither_the_layer_asked_for_nor_fused_attention_matters():
    module, images = vit(), torch.randn(1, 3, 40, 56)
    expected = maps_of(module, images, targets([1])).values
    elsewhere = maps_of(module, images, targets([1]), layer="patch_embed")
    torch.testing.assert_close(elsewhere.values, expected)
    assert elsewhere.layer is None
    for block in module.blocks:
        block.attn.fused_attn = False
    torch.testing.assert_close(maps_of(module, images, targets([1])).values, expected)


def test_transformers_of_torchvision_have_maps():
    module = torchvision.models.VisionTransformer(
        image_size=32, patch_size=8, num_layers=2, num_heads=2, hidden_dim=16, mlp_dim=16,
        num_classes=5,
    )  # fmt: skip
    nn.init.normal_(module.heads.head.weight)
    maps = maps_of(module, torch.randn(2, 3, 32, 32), targets([0], [1]))
    assert maps.values.shape == (2, 1, 4, 4)
    assert maps.values.gt(0).any()


def test_a_score_that_reads_no_token_has_no_map():
    class Deaf(Tokens):
        def forward(self, images):
            return super().forward(images) * 0 + images.mean(dim=(1, 2, 3))[:, None]

    images, _, _ = planted(1)
    maps = maps_of(Deaf(), images, targets([0]))
    assert maps.values.isnan().all()
    assert "gradient is zero" in maps.why_none


class Changed(Tokens):
    def attention(self, tokens):
        return super().attention(tokens) * 0.5


class Local(Tokens):
    """Attends within the halves of its tokens alone."""

    def forward(self, images):
        seen = functional.adaptive_avg_pool2d(self.relu(self.see(images)), self.grid)
        places = self.tokens(seen.flatten(2).transpose(1, 2))
        halves = places.reshape(-1, 32, 3)
        return self.head((self.attention(halves) @ halves[:, None]).reshape(-1, 64, 3).mean(dim=1))


class Without(Tokens):
    def forward(self, images):
        seen = functional.adaptive_avg_pool2d(self.relu(self.see(images)), self.grid)
        return self.head(self.tokens(seen.flatten(2).transpose(1, 2)).mean(dim=1))


@pytest.mark.parametrize(
    ("module", "why"),
    [
        (Changed(), "changes its attention"),
        (Local(prefix=0), "from 32 to 32 of what it has, not from all 64 tokens"),
        (Without(prefix=0), "no attention"),
        (Patches(), "no tokens that all attend to one another"),
    ],
)
def test_other_networks_are_refused_by_what_they_compute(module, why):
    assert why in attention_relevance.unsupported(model_of(module))


def test_windows_are_refused():
    module = timm.create_model("swin_tiny_patch4_window7_224", depths=(1, 1), embed_dim=24,
                               num_heads=(1, 2), img_size=56)  # fmt: skip
    with borrowed(module):
        assert "grad-cam" in attention_relevance.unsupported(model_of(module, size=(3, 56, 56)))
