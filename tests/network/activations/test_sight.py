import timm
import torch
from torch import nn

from errlens.model.layers.places import find_layer
from errlens.network.activations.sight import sight_of_middle


def sight(module, size, name):
    image = torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(0))
    return sight_of_middle(module, image, find_layer(module, (3, size, size), name))


def test_of_one_convolution_it_is_the_kernel():
    module = nn.Sequential(nn.Conv2d(3, 4, 5, padding=2), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    assert sight(module, 20, "0") == (8, 8, 13, 13)


def test_two_convolutions_with_strides_see_what_their_kernels_add_up_to():
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3, stride=2), nn.Conv2d(4, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    )
    box = sight(module, 41, "1")
    assert (box.bottom - box.top, box.right - box.left) == (7, 7)


def test_tokens_of_a_transformer_see_everything_after_attention():
    module = timm.create_model("test_vit", img_size=64, patch_size=8, num_classes=4)
    assert sight(module, 64, "blocks.1") == (0, 0, 64, 64)
    assert sight(module, 64, "patch_embed.proj") == (32, 32, 40, 40)


def test_without_a_gradient_nothing_is_said():
    class Detached(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x):
            return self.conv(x.detach()).mean(dim=(2, 3))

    assert sight(Detached(), 16, "conv") is None
