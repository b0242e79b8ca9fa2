"""Networks as users write them: copied beside a test, and imported there as `nets`."""

import random
import sys
import time

import numpy
import torch
from tiny import Colours
from torch import nn


class Own(Exception):
    pass


class Soft(Colours):
    def forward(self, images):
        return super().forward(images).softmax(dim=1)


class Both(Colours):
    def forward(self, images):
        logits = super().forward(images)
        return images.mean(dim=(2, 3)).repeat(1, 5), logits


class Alone(Colours):
    def forward(self, images):
        assert len(images) == 1, "one at a time"
        return super().forward(images)


class Dropped(Colours):
    def forward(self, images):
        return nn.functional.dropout(super().forward(images), 0.5)


class Red(nn.Module):
    def __init__(self, squashed=False):
        super().__init__()
        self.squashed = squashed
        self.see = nn.Conv2d(3, 4, 1)
        self.head = nn.Linear(4, 1)
        with torch.no_grad():
            self.see.weight.fill_(0.3)
            self.see.bias.fill_(1.0)
            self.see.weight[0, 0], self.see.weight[1, 2] = 2.0, 2.0
            self.head.weight.copy_(torch.tensor([[1.0, -1.0, 0.1, 0.1]]))
            self.head.bias.zero_()

    def forward(self, images):
        found = self.head(self.see(images).relu().mean(dim=(2, 3)))
        return found.sigmoid() if self.squashed else found


class Later(Colours):
    seen = 0

    def forward(self, images):
        Later.seen += len(images)
        if Later.seen > 24:
            raise Own("no more of these")
        return super().forward(images)


class Fewer(Later):
    def forward(self, images):
        logits = Colours.forward(self, images)
        Fewer.seen += len(images)
        return logits[:, :2] if Fewer.seen > 24 else logits


class NoGrad(Colours):
    @torch.no_grad()
    def forward(self, images):
        return super().forward(images)


class Inference(Colours):
    @torch.inference_mode()
    def forward(self, images):
        return super().forward(images)


class Detached(Colours):
    def forward(self, images):
        return super().forward(images).detach()


class Numpy(Colours):
    def forward(self, images):
        return super().forward(torch.from_numpy(numpy.array(images.numpy())))


class Arrays(Colours):
    def forward(self, images):
        return super().forward(images).detach().numpy()


class InPlace(Colours):
    def forward(self, images):
        images.mul_(2.0).add_(0.1)
        return super().forward(images)


class Ready(Colours):
    def forward(self, images):
        return super().forward(images * 2.0 + 0.1)


class Spoilt(Colours):  # changes in place what the gradient of its sigmoid takes
    def forward(self, images):
        return super().forward(images.sigmoid().mul_(2.0))


class Backwards(torch.autograd.Function):
    @staticmethod
    def forward(_context, images):
        return images.clone()

    @staticmethod
    def backward(_context, _slope):
        raise Own("no way back")


class OneWay(Colours):
    def forward(self, images):
        return super().forward(Backwards.apply(images))


class Table(Colours):
    table = None

    def forward(self, images):
        if self.table is None:
            self.table = torch.full((3,), 1.5)
        return super().forward(images) * self.table


class Aside(Colours):
    def forward(self, images):
        self.images = images
        time.sleep(0.01)
        return super().forward(self.images)


def red():
    return Red()


def squashed():
    return Red(squashed=True)


def failing():
    raise Own("no weights today")


def leaving():
    sys.exit(0)


def transform(image):
    if image.size != (256, 256):
        raise Own("no photos today")
    return torch.zeros(3, 8, 8)


def shaken(image):
    pixels = torch.from_numpy(numpy.array(image.resize((8, 8)))).float() / 255
    return pixels.permute(2, 0, 1) + random.random()


def uneven(image):
    return torch.zeros(3, image.height, image.width)
