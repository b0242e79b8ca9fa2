"""How numbers are written: once, from the unrounded value, alike on terminal, page and pictures.

A share of images is in percent, with one decimal, and with two where one of more than 1,000 images
is less than the first. A difference of shares is in points, with its sign. Probabilities, p and q
have three decimals, metrics that are no share (NLL, Brier, ECE, F1) four. What is not zero is never
written as zero, and what is not one, or all, never as that. What is not known is a dash.
"""

import math
import re
from typing import Final

NOT_KNOWN: Final = "-"
INFINITE: Final = "infinite"

_FEW: Final = 1_000  # images, of which one is worth the first decimal of a percentage
_A_HAIR_MORE: Final = 1 + 1e-12  # than what is given, which may be the result of a division
_MOST_TIMES: Final = 100
_DIGITS: Final = 4  # of a metric that is no share


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
    ('+2.7 pp', '-12.3 pp', '0.0 pp', '+0.00040 pp', '-0.13 pp')
    """
    if difference is None or math.isnan(difference):
        return NOT_KNOWN
    value = 100 * difference
    return f"{_with_sign(value, _two_that_count(value, _decimals(n)))} pp"


def points_range(low: float | None, high: float | None, n: int | None = None) -> str:
    """Write an interval of a difference of two shares; nothing where there is none.

    >>> points_range(-0.001, 0.05396), points_range(1e-9, 0.1), points_range(0.00017, 0.00047)
    ('-0.1 to +5.4 pp', '>0.0 to +10.0 pp', '+0.017 to +0.047 pp')
    """
    if low is None or high is None or math.isnan(low + high):
        return ""
    digits = _two_that_count(100 * max(abs(low), abs(high)), _decimals(n))
    return f"{_with_sign(100 * low, digits)} to {_with_sign(100 * high, digits)} pp"


def probability(value: float | None) -> str:
    """Write a probability, a p-value or a false discovery rate; zero, too, is less than 0.001.

    None of them is ever zero: one that is was too small for a float.

    >>> probability(0.0312), probability(1e-9), probability(0.99996), probability(1.0)
    ('0.031', '<0.001', '>0.999', '1.000')
    >>> probability(0.0), probability(float("nan"))
    ('<0.001', '-')
    """
    if value is None or math.isnan(value):
        return NOT_KNOWN
    text = _fixed(value, 3)
    if text == _fixed(0, 3):
        return "<0.001"
    return ">0.999" if value < 1 and text == _fixed(1, 3) else text


def number(value: float | None) -> str:
    """Write a metric, or another number, that is no share of images.

    >>> number(1.777172), number(0.00002), number(0.0), number(float("inf")), number(None)
    ('1.7772', '<0.0001', '0.0000', 'infinite', '-')
    """
    if value is None or math.isnan(value):
        return NOT_KNOWN
    if math.isinf(value):
        return INFINITE if value > 0 else f"-{INFINITE}"
    text = _fixed(value, _DIGITS)
    if value and text.lstrip("-") == _fixed(0, _DIGITS):
        return "<0.0001" if value > 0 else ">-0.0001"
    return text


def significant(value: float) -> str:
    """Write a value of any size in three digits: ticks, and ranges of values seen.

    >>> significant(-3.2149), significant(0.0)
    ('\N{MINUS SIGN}3.21', '0')
    """
    return f"{value:.3g}".replace("-", "\N{MINUS SIGN}")


def signed(difference: float | None) -> str:
    """Write a difference of probabilities or of metrics that are no shares, with its sign.

    >>> signed(0.1234), signed(-0.00002), signed(0.0)
    ('+0.123', '-0.000020', '0.000')
    """
    if difference is None or math.isnan(difference):
        return NOT_KNOWN
    return _with_sign(difference, _two_that_count(difference, 3))


def number_range(low: float | None, high: float | None) -> str:
    """Write an interval of a metric that is no share; nothing where there is none.

    >>> number_range(0.61234, 0.7)
    '0.6123 to 0.7000'
    """
    return "" if low is None or high is None else f"{number(low)} to {number(high)}"


def p_value(value: float) -> str:
    """Write a p-value with its name.

    >>> p_value(0.0312), p_value(0.0), p_value(1.0)
    ('p = 0.031', 'p < 0.001', 'p = 1.000')
    """
    text = probability(value)
    return f"p {text[0]} {text[1:]}" if text[0] in "<>" else f"p = {text}"


def told_apart(value: float, limit: float, *, least: int = _DIGITS) -> tuple[str, str]:
    """Write two numbers, at least so many decimals and as many as tell them apart; whole as such.

    >>> told_apart(0.79996, 0.8), told_apart(0.8, 0.8), told_apart(3, 0)
    (('0.79996', '0.80000'), ('0.8000', '0.8000'), ('3', '0'))
    >>> told_apart(2.6365, 0.5, least=1), told_apart(0.5004, 0.5, least=1)
    (('2.6', '0.5'), ('0.5004', '0.5000'))
    """
    if isinstance(value, int) and float(limit).is_integer():
        return f"{value}", f"{limit:.0f}"
    for digits in range(least, 17):
        shown = f"{value:.{digits}f}", f"{limit:.{digits}f}"
        # A limit is shown as it was given, too: 0.93755 is not 0.9375.
        if float(shown[1]) == limit and (value == limit or shown[0] != shown[1]):
            return shown
    return repr(value), repr(limit)


def times(ratio: float | None) -> str:
    """Write how many times as many as expected.

    >>> times(2.54), times(0.02), times(1234.5), times(float("nan"))
    ('2.5', '<0.1', '>100', '-')
    """
    if ratio is None or math.isnan(ratio):
        return NOT_KNOWN
    return f">{_MOST_TIMES}" if ratio > _MOST_TIMES else expected_count(ratio)


def expected_count(n: float) -> str:
    """Write how many would be expected, by chance or in the mean.

    >>> expected_count(2.54), expected_count(0.02), expected_count(0.0)
    ('2.5', '<0.1', '0.0')
    """
    text = _fixed(n, 1)
    return "<0.1" if n > 0 and text == _fixed(0, 1) else text


def seconds(value: float) -> str:
    """Write how many seconds something takes.

    >>> seconds(1.234), seconds(0.001)
    ('1.23', '<0.01')
    """
    text = _fixed(value, 2)
    return "<0.01" if value > 0 and text == _fixed(0, 2) else text


def duration(value: float) -> str:
    """Write roughly how long something will take, of some seconds.

    >>> duration(45), duration(400), duration(5000)
    ('45 s', '7 min', '1 h 23 min')
    """
    if value < 60:
        return f"{round(value)} s"
    hours, minutes = divmod(round(value / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def clock(hour: float) -> str:
    """Write a time of day that is given in hours.

    >>> clock(18.5), clock(0.0), clock(23.999)
    ('18:30', '0:00', '23:59')
    """
    minutes = int(60 * hour * _A_HAIR_MORE)
    return f"{minutes // 60}:{minutes % 60:02d}"


def count(n: float | None) -> str:
    """Write a count; one that comes as a float, for others of its column are missing, is whole.

    >>> count(800), count(8000.0), count(None)
    ('800', '8,000', '-')
    """
    return NOT_KNOWN if n is None or math.isnan(n) else f"{n:,.0f}"


def counted(n: int, noun: str) -> str:
    """Write how many there are of something.

    >>> counted(1, "image"), counted(8000, "image"), counted(0, "class"), counted(2, "gallery")
    ('1 image', '8,000 images', '0 classes', '2 galleries')
    """
    plural = (
        f"{noun[:-1]}ies" if noun.endswith("ry") else noun + ("es" if noun[-2:] == "ss" else "s")
    )
    return f"{count(n)} {noun if n == 1 else plural}"


def are(n: int) -> str:
    """Return the verb of so many: `is` of one, else `are`."""
    return "is" if n == 1 else "are"


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
    kilobytes = _fixed(n_bytes / 1e3, 0)
    return f"{kilobytes} kB" if len(kilobytes) < 4 else f"{_fixed(n_bytes / 1e6, 1)} MB"


def cell_share(value: float) -> str:
    """Write a share in percent as short as a cell of a matrix needs it; nothing for zero.

    >>> [cell_share(rate) for rate in (0, 0.0004, 0.002, 0.08, 0.125, 0.9999, 1)]
    ['', '<.1', '.2', '8', '12.5', '>99.9', '100']
    """
    if value == 0:
        return ""
    text = _percent(value, 1).removesuffix(".0")
    # Without the zero in front of the point: the column is as wide as its longest number.
    return re.sub(r"^(<?)0\.", r"\1.", text)


def _decimals(n: int | None) -> int:
    return 1 if n is None or n <= _FEW else 2


def _percent(value: float, digits: int) -> str:
    percent, text = 100 * value, _fixed(100 * value, digits)
    least = 10.0**-digits
    if percent > 0 and text == _fixed(0, digits):
        return f"<{_fixed(least, digits)}"
    # Sums of floats may miss one by their last digits.
    if percent < 100 - 1e-9 and text == _fixed(100, digits):
        return f">{_fixed(100 - least, digits)}"
    return text


def _with_sign(value: float, digits: int) -> str:
    """Write a number with its sign; one too small for its digits as more, or less, than zero."""
    text = _fixed(abs(value), digits)
    if text == _fixed(0, digits):
        return f"{'>' if value > 0 else '<'}{text}" if value else text
    return f"{'+' if value > 0 else '-'}{text}"


def _two_that_count(value: float, least: int) -> int:
    """Return how many decimals show two digits that count, at least so many and at most six."""
    return max(least, min(6, 1 - math.floor(math.log10(abs(value))))) if value else least


def _fixed(value: float, digits: int) -> str:
    """Write a number with so many decimals; a half goes up, where its float is a hair less too.

    >>> _fixed(6.25, 1), _fixed(12.35, 1), _fixed(12.34999, 1)
    ('6.3', '12.4', '12.3')
    """
    return f"{value * _A_HAIR_MORE:,.{digits}f}"
