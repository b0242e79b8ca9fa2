"""Texts, tables and pictures as HTML. Whatever comes from data is text in it, and nothing else.

Colours are those of the notebook, so that it looks as well in the dark.
"""

import base64
from collections.abc import Iterable, Sequence
from typing import Any, Final

import pandas as pd
from markupsafe import Markup

from errlens import formats
from errlens.commands.notebook.pictures import Picture, Pictures
from errlens.escapes import printable

ROWS: Final = 10  # shown of a table
_LONGEST: Final = 200  # letters of a cell
_CARD: Final = Markup(
    '<div style="border: 1px solid rgba(128, 128, 128, 0.5); border-radius: 6px; padding: 0.6em '
    '1em; max-width: 60em; color: inherit; background: transparent; overflow-wrap: anywhere">'
    "{}</div>"
)
_LIST: Final = Markup('<ol style="margin: 0.4em 0; padding-left: 1.6em">{}</ol>')
_NAME: Final = Markup('<span style="opacity: 0.7">{}</span> {}')


def text(value: object) -> Markup:
    r"""Return a text as HTML, with what cannot be seen escaped.

    >>> text("<b>" + chr(27))
    Markup('&lt;b&gt;\\x1b')
    """
    return Markup("{}").format(printable(str(value)))


def card(
    title: str,
    facts: Iterable[tuple[str, str]],
    sentences: Iterable[str],
    findings: Iterable[str],
    last: Markup,
) -> str:
    """Return a small card: a title, facts by their names, sentences, a numbered list, a last line.

    All but the last line, which may hold a link, is text.
    """
    lines = [
        Markup("<strong>{}</strong>").format(text(title)),
        *(_NAME.format(name, text(fact)) for name, fact in facts),
        *map(text, sentences),
    ]
    listed = Markup().join(Markup("<li>{}</li>").format(text(finding)) for finding in findings)
    parts = [Markup("<div>{}</div>").format(line) for line in lines]
    parts += [_LIST.format(listed)] if listed else []
    parts += [Markup("<div>{}</div>").format(last)]
    return str(_CARD.format(Markup().join(parts)))


def shown(
    line: str,
    table: pd.DataFrame | None = None,
    *,
    columns: Sequence[str] = (),
    pictures: Pictures | None = None,
) -> str:
    """Return what a notebook shows of a result.

    Args:
        line: What was found, in a line or a few.
        table: The table that says most; its first rows are shown.
        columns: Those of its columns that are shown; by default all.
        pictures: Those written; the first that is small enough is shown.
    """
    lines = (text(part) for part in line.splitlines())
    parts = [Markup("<div>{}</div>").format(Markup("<br>").join(lines))]
    if table is not None and len(table):
        names = [name for name in columns if name in table] or [*table.columns]
        parts.append(_rows(table[names]))
    parts += [image for image in map(_image, (pictures or {}).values()) if image][:1]
    return str(Markup().join(parts))


def _rows(table: pd.DataFrame) -> Markup:
    """Return the first rows of a table."""
    first = table.head(ROWS)
    written = pd.DataFrame(
        {name: first[name].astype("object").map(_written) for name in first}, dtype="object"
    )
    with pd.option_context("display.max_colwidth", None):
        html = Markup(written.to_html(index=False, border=0))  # noqa: S704 - it escapes the cells
    more = len(table) - len(first)
    rest = f"and {formats.counted(more, 'more row')}" if more else ""
    return html + Markup('<div style="opacity: 0.7">{}</div>').format(rest)


def _written(value: Any) -> str:
    """Return a cell as it is shown."""
    if value is None or value is pd.NA or value is pd.NaT:
        return formats.NOT_KNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float) and float(value).is_integer():
        return formats.count(int(value))
    written = formats.number(value) if isinstance(value, float) else printable(str(value))
    return written if len(written) <= _LONGEST else written[:_LONGEST] + " ..."


def _image(picture: Picture) -> Markup | None:
    """Return a picture as a part of the HTML."""
    png = picture._repr_png_()
    if png is None:
        return None
    uri = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    return Markup('<img src="{}" alt="{}" style="max-width: 100%">').format(
        uri, text(picture.path.name)
    )
