import pandas as pd
import timm
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from errlens.attribution.explained_model import ExplainedModel
from errlens.network.layers import COLUMNS, find_layers


def layers_of(module, size):
    found = find_layers(ExplainedModel(module, size, torch.zeros(size[0]), torch.ones(size[0])))
    return found, found.table.set_index("layer")


def timm_layers(name):
    module = timm.create_model(name).eval()
    return module, *layers_of(module, module.pretrained_cfg["input_size"])


class Branching(nn.Module):
    """Runs a layer twice, calls an activation as a function, and never runs another layer."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.again = nn.Conv2d(4, 4, 3, padding=1)
        self.idle = nn.Conv2d(4, 4, 3)
        self.up = nn.ConvTranspose2d(4, 2, 3, stride=2)
        self.head = nn.Linear(2, 5)

    def forward(self, images):
        maps = torch.relu(self.first(images))
        maps = nn.functional.silu(self.again(maps), inplace=True) + self.again(maps)
        return self.head(self.up(maps).mean(dim=(2, 3)))


def test_multiply_adds_are_half_the_operations_that_torch_counts():
    for name in ("resnet18", "test_resnet", "tf_efficientnet_lite0"):
        module, found, table = timm_layers(name)
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            module(torch.zeros(1, *found.size))
        assert 2 * found.multiply_adds == counter.get_total_flops()
        by_layer = counter.get_flop_counts()
        for layer in ("layer1", "layer2.0.conv1", "blocks.1.0", "conv_head"):
            if layer in table.index:
                counted = sum(by_layer[f"{type(module).__name__}.{layer}"].values())
                assert 2 * table.loc[layer, "multiply_adds"] == counted


def test_multiply_adds_of_attention_are_those_of_its_two_products():
    _, _, table = timm_layers("test_vit")
    tokens, width = map(int, table.loc["blocks.0.norm1", "output"].split(" x "))
    products = sum(
        table.loc[f"blocks.0.attn.{layer}", "multiply_adds"] for layer in ("qkv", "proj")
    )
    assert table.loc["blocks.0.attn", "multiply_adds"] - products == 2 * tokens**2 * width


def test_each_layer_of_resnet18_is_what_its_paper_says():
    module, found, table = timm_layers("resnet18")
    row = table.loc["layer3"]
    assert (row["output"], row["channels"], row["stride_rows"]) == ("256 x 14 x 14", 256, 16)
    assert (row["field_rows"], row["parameters"]) == (211, 2_099_712)
    assert found.parameters == sum(weight.numel() for weight in module.parameters())
    assert table.loc["layer1.0.conv1", "activation"] == "relu"
    assert table.loc["layer1.0.bn2", "activation"] == "relu of the sum"
    assert table.loc["layer4", "analyses"] == "activations, features, grad-cam, deconvnet"
    assert table.loc["conv1", "analyses"] == "filters, activations, features, grad-cam"
    assert list(found.table.columns) == list(COLUMNS)


def test_an_activation_inside_a_normalization_is_seen():
    _, _, table = timm_layers("tf_efficientnet_lite0")
    assert table.loc["blocks.1.0.bn1", "type"] == "BatchNormAct2d"
    assert table.loc[["conv_stem", "blocks.1.0.bn1"], "activation"].tolist() == ["relu6"] * 2
    assert table["activation"].loc["blocks.1.0.bn3":].isna().iloc[0]


def test_a_network_without_rectifiers_supports_no_deconvnet():
    _, _, table = timm_layers("test_vit")
    assert not table["analyses"].str.contains("deconvnet", na=False).any()
    assert table.loc["blocks.0", "field_whole"]
    assert table.loc["patch_embed.proj", "analyses"].startswith("filters, activations")


def test_functions_idle_layers_and_layers_that_run_twice_are_told_as_they_are():
    found, table = layers_of(Branching(), (3, 8, 8))
    assert "idle" not in table.index
    assert table.loc["again", "runs"] == 2
    assert table.loc["first", "activation"] == "relu"
    assert pd.isna(table.loc["again", "activation"])  # a silu follows its first run, not its last
    assert table.loc["first", "multiply_adds"] == 4 * 8 * 8 * 3 * 9
    assert table.loc["up", "multiply_adds"] == 4 * 8 * 8 * 2 * 9
    assert table.loc["head", "channels"] == 5
    assert found.multiply_adds == table["multiply_adds"].sum()


def test_a_network_under_no_grad_supports_what_needs_no_gradient_and_is_left_as_it_was():
    class Detached(Branching):
        def forward(self, images):
            with torch.no_grad():
                return super().forward(images)

    module = Detached().train()
    found, table = layers_of(module, (3, 8, 8))
    assert found.why_no_gradient == "its scores have no gradient"
    assert table.loc["first", "analyses"] == "filters, activations, features"
    assert module.training
    assert all(weight.requires_grad for weight in module.parameters())
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in module.modules())


def test_no_convolution_at_all_is_a_network_too():
    module = nn.Sequential(nn.Flatten(), nn.Linear(3 * 4 * 4, 6), nn.ReLU(), nn.Linear(6, 2))
    _, table = layers_of(module, (3, 4, 4))
    assert table["analyses"].isna().all()
    assert table["field_rows"].isna().all()
    assert table.loc["1", "activation"] == "relu"
