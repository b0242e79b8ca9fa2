"""Images that are right or wrong, made up for the searches for causes."""

import numpy as np
import pandas as pd

from errlens.analysis.findings.scored import Scored
from errlens.classes.names import ClassNames

NAMES = ("cat", "dog", "<b>horse</b>", "ship")
SIDE = 32  # of a coarse picture


def scored_images(label, pred, *, confidence=None, label_prob=None, content_hash=None, names=NAMES):
    """Return images with these labels and predictions, rows from 100 on."""
    label, pred = np.asarray(label, np.int32), np.asarray(pred, np.int32)
    n = len(label)
    wrong = label != pred
    confidence = np.full(n, 0.8) if confidence is None else confidence
    return Scored(
        row=np.arange(100, 100 + n),
        label=label,
        pred=pred,
        wrong=wrong,
        confidence=confidence,
        label_prob=np.where(wrong, 0.1, confidence) if label_prob is None else label_prob,
        paths=[f"{names[index]}/{at}.jpg" for at, index in enumerate(label)],
        content_hash=content_hash or [at.to_bytes(16, "big") for at in range(n)],
        classes=ClassNames(names),
        sample_id=[f"id {at}" for at in range(n)],
    )


def photos(n, seed=0):
    """Return n coarse pictures that look like nothing else: smooth noise, shape (n, 32, 32)."""
    rng = np.random.default_rng(seed)
    big = np.kron(rng.normal(size=(n, 8, 8)), np.ones((1, 6, 6)))
    up, left = rng.integers(0, 14, (2, n))  # no place is more often an edge than another
    each = np.arange(n)[:, None, None], np.arange(36)[:, None], np.arange(36)
    moved = big[each[0], each[1] + up[:, None, None] % 12, each[2] + left[:, None, None] % 12]
    smooth = sum(moved[:, y : y + SIDE, x : x + SIDE] for y in range(3) for x in range(3)) / 9
    noisy = smooth + rng.normal(scale=0.15, size=smooth.shape)
    return np.clip(127 + 55 * noisy, 0, 255).astype(np.uint8)


def properties_of(coarse, *, content_hash=None):
    """Return the columns that searches read: perceptual hashes as scipy's cosines make them."""
    from scipy.fft import dctn

    hashes = []
    for picture in coarse:
        low = dctn(picture.astype(float), norm="ortho")[:8, :8]
        hashes.append(np.packbits(low > np.median(low.ravel()[1:])).tobytes())
    return pd.DataFrame(
        {
            "phash": hashes,
            "coarse": [picture.tobytes() for picture in coarse],
            "content_hash": content_hash or [at.to_bytes(16, "big") for at in range(len(coarse))],
        }
    )
