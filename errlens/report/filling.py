"""Templates of pages, and what fills them: text goes in as text, sentences break where they may."""

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from errlens import formats
from errlens.analysis.confusion.pairs import LIKELY, MUTUAL, ONE_WAY
from errlens.escapes import escaped_json, printable

_MARKS: Final = {
    MUTUAL: "mutually confused", LIKELY: "likely (lift below 2)", ONE_WAY: "one way",
}  # fmt: skip
# The images that are the first by each ranking of errors.
RANKED_AS: Final = {
    "loss": "images with the highest loss",
    "margin": "images with the lowest margin",
    "confidence": "wrong images with the highest confidence",
    "entropy": "wrong images with the lowest entropy",
    "superclass": "images most surely taken for another superclass",
}
_BEFORE_UNIT: Final = re.compile(r"(?<=\d) (?=%|pp\b)")
_BETWEEN_LETTERS: Final = re.compile(r"(?<=[^\W\d_][_/-])(?=[^\W\d_])")
_LONG_WORD: Final = 11  # letters: one that may get an ellipsis
_FORMATS: Final = ("share", "points", "probability", "number", "times", "count", "counted")


@cache
def environment() -> Environment:
    """Return what fills templates: everything that is no template itself is escaped."""
    filling = Environment(
        loader=PackageLoader("errlens.report"),
        autoescape=True,
        finalize=_seen,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    filling.filters.update(
        {name: getattr(formats, name) for name in _FORMATS},
        named=named,
        fitted=fitted,
        telling=telling,
    )
    filling.globals.update(
        share_range=formats.share_range,
        mark_kinds=_MARKS,
        ranked_as=RANKED_AS,
        view_address=view_address,
    )
    filling.policies["json.dumps_function"] = _dumps
    filling.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "allow_nan": False}
    return filling


def joined(names: Iterable[str]) -> Markup:
    """Return files beside the templates as one; as a browser reads it, for the sake of its hash."""
    loader = environment().loader
    assert loader is not None  # noqa: S101
    texts = (loader.get_source(environment(), name)[0] for name in names)
    return Markup("\n".join(text.replace("\r\n", "\n") for text in texts))  # noqa: S704 - our own


def policy_of(style: str, script: str, sources: str = "img-src data:") -> str:
    """Return the Content-Security-Policy of a page that runs this script and nothing else."""
    return (
        f"default-src 'none'; {sources}; style-src '{_hash(style)}'; "
        f"script-src '{_hash(script)}'; base-uri 'none'; form-action 'none'"
    )


def _dumps(tree: Any, **how: Any) -> str:
    return escaped_json(json.dumps(tree, **how))


def _seen(value: Any) -> Any:
    """Return what a template shows, with what cannot be seen escaped; our own markup as it is."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def view_address(view: Mapping[str, Any]) -> str:
    """Return the address, on the page, of the view of images that is described.

    A list of classes is any of them; names are those that the page shows.

    >>> view_address({"true": "cat", "pred": ["dog", "red fox"], "side": "wrong"})
    '#images?true=cat&pred=dog&pred=red+fox&side=wrong'
    """
    written = {
        name: [printable(str(each)) for each in (value if isinstance(value, list) else [value])]
        for name, value in view.items()
    }
    return f"#images?{urlencode(written, doseq=True)}"


def named(text: str) -> Markup:
    """Return a name that may break at `_`, `-`, `/` and `.`, and never inside of a word.

    Where a line has no room for a word, `scripts/pictures.js` puts an ellipsis into its middle; it
    has a twin of this, too.

    >>> print(named("tabby_cat"))
    tabby_<wbr>cat
    """
    words = re.findall(r"[^_\-/. ]*[_\-/. ]|[^_\-/. ]+", printable(text))
    return Markup("<wbr>").join(
        escape(word) if len(word) <= _LONG_WORD else fitted(word) for word in words
    )


def telling(sentence: str) -> Markup:
    r"""Return a sentence whose names may break where `named` ones do; numbers keep their units.

    >>> str(telling("tabby_cat taken for dog/fox: 1.5 %"))
    'tabby_<wbr>cat taken for dog/<wbr>fox: 1.5\xa0%'
    """
    parts = _BETWEEN_LETTERS.split(_BEFORE_UNIT.sub("\N{NO-BREAK SPACE}", printable(sentence)))
    return Markup("<wbr>").join(escape(part) for part in parts)


def fitted(text: str) -> Markup:
    """Return a name that does not break, and gets an ellipsis where a line has no room for it.

    >>> print(fitted("tabby_cat.jpeg"))
    <span class="word" title="tabby_cat.jpeg">tabby_cat.jpeg</span>
    """
    text = printable(text)
    return Markup('<span class="word" title="{}">{}</span>').format(text, text)


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
