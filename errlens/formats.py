"""How numbers are written: once, from the unrounded value, alike on terminal, page and pictures.

A share of images is in percent, with one decimal, and with two where one of more than 1,000 images
is less than the first. A difference of shares is in points, with its sign. Probabilities, p and q
have three decimals, figures that are no share (NLL, Brier, ECE, F1) four. What is not zero is never
written as zero, and what is not one, or all, never as that. What is not known is a dash.
"""

import math
import re
from typing import Final

NOT_KNOWN: Final = "-"
INFINITE: Final = "infinite"

_FEW: Final = 1_000  # images, of which one is worth the first decimal of a percentage
_MOST_TIMES: Final = 100
_PLURALS: Final = {"class": "classes"}


def share(value: float | None, n: int | None = None) -> str:
    """Write a share in percent; `n` is of how many images.

    >>> share(0.69189), share(0.125), share(1.0), share(None)
    ('69.2 %', '12.5 %', '100.0 %', '-')
    >>> share(0.00004), share(0.99996), share(0.69189, n=8000)
    ('<0.1 %', '>99.9 %', '69.19 %')
    """
    if value is None or math.isnan(value):
        return NOT_KNOWN
    return f"{_percent(value, _decimals(n))} %"


def share_range(low: float | None, high: float | None, n: int | None = None) -> str:
    """Write an interval of a share in percent; nothing where there is none.

    >>> share_range(0.62202, 0.75396), share_range(None, None)
    ('62.2 to 75.4 %', '')
    """
    if low is None or high is None or math.isnan(low + high):
        return ""
    digits = _decimals(n)
    return f"{_percent(low, digits)} to {_percent(high, digits)} %"


def points(difference: float | None, n: int | None = None) -> str:
    """Write a difference of two shares in points, with its sign and two digits that count.

    >>> points(0.027), points(-0.12345), points(0.0), points(0.000004), points(-0.00125, n=8000)
    ('+2.7 pp', '-12.3 pp', '0.0 pp', '+0.00040 pp', '-0.12 pp')
    """
    if difference is None or math.isnan(difference):
        return NOT_KNOWN
    return f"{_signed(difference, n)} pp"


def points_range(low: float | None, high: float | None, n: int | None = None) -> str:
    """Write an interval of a difference of two shares; nothing where there is none.

    >>> points_range(-0.001, 0.05396)
    '-0.10 to +5.4 pp'
    """
    if low is None or high is None or math.isnan(low + high):
        return ""
    return f"{_signed(low, n)} to {_signed(high, n)} pp"


def probability(value: float | None) -> str:
    """Write a probability, a p-value or a false discovery rate.

    >>> probability(0.0312), probability(1e-9), probability(0.99996), probability(1.0)
    ('0.031', '<0.001', '>0.999', '1.000')
    >>> probability(0.0), probability(float("nan"))
    ('0.000', '-')
    """
    if value is None or math.isnan(value):
        return NOT_KNOWN
    text = f"{value:.3f}"
    if value > 0 and float(text) == 0:
        return "<0.001"
    return ">0.999" if value < 1 and float(text) == 1 else text


def figure(value: float | None) -> str:
    """Write a figure that is no share of images.

    >>> figure(1.777172), figure(0.00002), figure(0.0), figure(float("inf")), figure(None)
    ('1.7772', '<0.0001', '0.0000', 'infinite', '-')
    """
    if value is None or math.isnan(value):
        return NOT_KNOWN
    if math.isinf(value):
        return INFINITE if value > 0 else f"-{INFINITE}"
    text = f"{value:,.4f}"
    if value and not float(text.replace(",", "")):
        return "<0.0001" if value > 0 else ">-0.0001"
    return text


def times(ratio: float | None) -> str:
    """Write how many times as many as expected.

    >>> times(2.54), times(0.02), times(1234.5), times(float("nan"))
    ('2.5', '<0.1', '>100', '-')
    """
    if ratio is None or math.isnan(ratio):
        return NOT_KNOWN
    if ratio > _MOST_TIMES:
        return f">{_MOST_TIMES}"
    text = f"{ratio:.1f}"
    return "<0.1" if ratio > 0 and float(text) == 0 else text


def count(n: float | None) -> str:
    """Write a count; one that comes as a float, for others of its column are missing, is whole.

    >>> count(800), count(8000.0), count(None)
    ('800', '8,000', '-')
    """
    return NOT_KNOWN if n is None or math.isnan(n) else f"{n:,.0f}"


def counted(n: int, noun: str) -> str:
    """Write how many there are of something.

    >>> counted(1, "image"), counted(8000, "image"), counted(0, "class")
    ('1 image', '8,000 images', '0 classes')
    """
    return f"{count(n)} {noun if n == 1 else _PLURALS.get(noun, f'{noun}s')}"


def of(part: int, whole: int) -> str:
    """Write how many of how many.

    >>> of(11, 8000)
    '11 of 8,000'
    """
    return f"{count(part)} of {count(whole)}"


def file_size(n_bytes: int) -> str:
    """Write how large a file is.

    >>> file_size(1), file_size(999), file_size(45_678), file_size(999_999), file_size(2_340_000)
    ('1 byte', '999 bytes', '46 kB', '1.0 MB', '2.3 MB')
    """
    if n_bytes < 1_000:
        return counted(n_bytes, "byte")
    kilobytes = f"{n_bytes / 1e3:.0f}"
    return f"{kilobytes} kB" if len(kilobytes) < 4 else f"{n_bytes / 1e6:.1f} MB"


def cell_share(value: float) -> str:
    """Write a share in percent as short as a cell of a matrix needs it; nothing for zero.

    >>> [cell_share(one) for one in (0, 0.0004, 0.002, 0.08, 0.125, 0.9999, 1)]
    ['', '<.1', '.2', '8', '12.5', '>99.9', '100']
    """
    if value == 0:
        return ""
    text = _percent(value, 1).removesuffix(".0")
    # Without the zero in front of the point: the column is as wide as its longest number.
    return re.sub(r"^(<?)0\.", r"\1.", text)


def cell_count(n: float) -> str:
    """Write a count, or a mean of counts, into a cell of a matrix; nothing for zero.

    >>> cell_count(0), cell_count(12), cell_count(2.5)
    ('', '12', '2.5')
    """
    if n == 0:
        return ""
    return f"{n:.0f}" if float(n).is_integer() else f"{n:.3g}"


def _decimals(n: int | None) -> int:
    return 1 if n is None or n <= _FEW else 2


def _percent(value: float, digits: int) -> str:
    percent, text = 100 * value, f"{100 * value:.{digits}f}"
    least = 10.0**-digits
    if percent > 0 and float(text) == 0:
        return f"<{least:.{digits}f}"
    # Sums of floats may miss one by their last digits.
    if percent < 100 - 1e-9 and float(text) == 100:
        return f">{100 - least:.{digits}f}"
    return text


def _signed(difference: float, n: int | None) -> str:
    value, digits = 100 * difference, _decimals(n)
    if value == 0:
        return f"{0:.{digits}f}"
    digits = max(digits, 1 - math.floor(math.log10(abs(value))))
    return f"{value:+.{digits}f}"
