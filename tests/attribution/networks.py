"""Small networks whose explanations are known, and what tests of attribution share."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from errlens.attribution.explained_model import ExplainedModel, MethodSettings, borrowed
from errlens.attribution.methods import load_method
from errlens.maps import Target

SIDE = 24
CLASSES = 4
QUICK = MethodSettings(steps=8, samples=80, mask="6", batch_size=8)


class Patches(nn.Module):
    """Sees red, green and blue patches: a class is how much of its colour there is, GAP and linear.

    A convolution is positive where one channel is far above the others, all else is cut by the
    ReLU, so that grey and noise say nothing.
    """

    def __init__(self, pooling="mean"):
        super().__init__()
        self.pooling = pooling
        self.see = nn.Conv2d(3, 3, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(3, CLASSES)
        with torch.no_grad():
            self.see.weight.fill_(-0.25)
            for channel in range(3):
                self.see.weight[channel, channel] = 1.0
            self.see.bias.fill_(-6.0)
            self.head.weight.zero_()
            self.head.weight[:3] = 4 * torch.eye(3)
            self.head.weight[3] = -1.0
            self.head.bias.copy_(torch.tensor([0.1, 0.2, 0.3, 0.4]))

    def forward(self, images):
        seen = self.relu(self.see(images))
        pooled = seen.mean(dim=(2, 3)) if self.pooling == "mean" else seen.amax(dim=(2, 3))
        return self.head(self.drop(pooled))


class Tokens(Patches):
    """Sees the same patches as tokens: a class token attends to them, and its values are pooled.

    The class token looks at all places alike, except that there is more to see in some: keys are
    how much of any colour a place has. Values are colours, so that the relevance of a place is
    its attention times what its colour adds to the score, where that is above zero.
    """

    def __init__(self, pooling="token", prefix=1, grid=(8, 8)):
        super().__init__()
        self.pooling = pooling if pooling == "mean" else "token"
        self.grid = grid
        self.num_prefix_tokens = prefix
        self.patch_embed = nn.Module()
        self.patch_embed.grid_size = grid
        self.tokens = nn.Identity()
        self.first = nn.Parameter(torch.zeros(1, prefix, 3))

    def attention(self, tokens):
        keys = tokens.sum(dim=2, keepdim=True).transpose(1, 2)
        return (0.1 * keys.expand(-1, tokens.shape[1], -1)).unsqueeze(1).softmax(dim=-1)

    def forward(self, images):
        seen = functional.adaptive_avg_pool2d(self.relu(self.see(images)), self.grid)
        places = seen.flatten(2).transpose(1, 2)
        tokens = self.tokens(torch.cat([self.first.expand(len(images), -1, -1), places], dim=1))
        given = (self.attention(tokens) @ tokens.unsqueeze(1)).squeeze(1)
        prefix = self.num_prefix_tokens
        pooled = given[:, prefix:].mean(dim=1) if self.pooling == "mean" else given[:, 0]
        return self.head(self.drop(pooled))


def fitting(name, *poolings):
    """Return a network that a method is tried on: the first of some that it accepts."""
    found = [*map(Patches, poolings or ("mean", "max")), Tokens()]
    return next(one for one in found if load_method(name).unsupported(model_of(one)) is None)


def model_of(module, *, size=(3, SIDE, SIDE), layer=None):
    """Return a network to explain whose pixels run from -1 to 1; it is not borrowed yet."""
    channels = size[0]
    return ExplainedModel(module, size, -torch.ones(channels), torch.ones(channels), layer)


def planted(n, *, seed=0, side=SIDE):
    """Return noisy grey images, each with one square patch of a colour, and where it is.

    The boxes are (top, left, bottom, right); the colours class indices.
    """
    random = np.random.default_rng(seed)
    images = torch.tensor(random.normal(0, 0.1, (n, 3, side, side)), dtype=torch.float32)
    boxes, colours = [], []
    for image in images:
        top, left = (int(one) for one in random.integers(1, side - 7, 2))
        colour = int(random.integers(0, 3))
        image[:, top : top + 6, left : left + 6] = -0.5
        image[colour, top : top + 6, left : left + 6] = 1.0
        boxes.append((top, left, top + 6, left + 6))
        colours.append(colour)
    return images, boxes, colours


def targets(*of_images):
    """Return targets from (wanted, against) pairs, one list an image."""
    return [
        [Target("some", *(pair if isinstance(pair, tuple) else (pair,))) for pair in one]
        for one in of_images
    ]


def explained(method, module, images, wanted, settings=QUICK, **options):
    with borrowed(module):
        return method.explain(model_of(module, **options), images, wanted, settings)
