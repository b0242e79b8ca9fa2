r"""Names that may hold anything, written so that they cannot do anything.

A file, a class or a model may be called by a sequence that clears the screen, turns the line round
or ends it. Whatever is shown or written as text passes one of these functions at the door, and such
characters become visible: `\x1b`, `\n`, `\u202e`. Parquet files keep names as they are.
"""

import json
import math
import re
import shlex
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any, Final

# Printable by the letter of Unicode, yet blank or without width: fillers, joiners, variation
# selectors, the empty Braille cell.
_UNSEEN: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_SHORT: Final = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
_OPEN, _CLOSE = "$'", "'"  # around what the shells bash and zsh read with escapes
_ESCAPE: Final = re.compile(r"\\(x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}|.)")


def is_printable(text: str) -> bool:
    r"""Tell whether a text is seen as it is, on one line.

    >>> is_printable("Müller, 猫"), is_printable("a\u202eb"), is_printable("a\nb")
    (True, False, False)
    """
    return text.isprintable() and not _UNSEEN.search(text)


def printable(text: str) -> str:
    r"""Return a text with everything escaped that cannot be seen, or moves what can.

    >>> print(printable("two\nlines \x1b[31m \u202e"))
    two\nlines \x1b[31m \u202e
    """
    return text if is_printable(text) else "".join(map(_shown, text))


def shell_line(words: Iterable[str | PurePath]) -> str:
    r"""Join words to a command that bash and zsh read as these, and that is safe to show.

    Words that are paths are no options, whatever they begin with.

    >>> print(shell_line(["errlens", "confusion", "my run", "a\x1bé\u202e"]))
    errlens confusion 'my run' $'a\x1bé\xe2\x80\xae'
    >>> print(shell_line(["errlens", "confusion", PurePath("-run")]))
    errlens confusion ./-run
    """
    texts = [_word(word) for word in words]
    return " ".join(shlex.quote(text) if is_printable(text) else _ansi_c(text) for text in texts)


def cell(text: str) -> str:
    r"""Return a text for a cell of a table in a file: as it is, or in `$'...'` with escapes.

    >>> print(cell("a\x1b'b"), cell("it's \\ fine"), sep=", ")
    $'a\x1b\'b', it's \ fine
    """
    if is_printable(text):
        return text
    escaped = text.replace("\\", r"\\").replace("'", r"\'")
    return f"{_OPEN}{printable(escaped)}{_CLOSE}"


def is_escaped(written: str) -> bool:
    """Tell whether a cell reads as one that `cell` had to escape."""
    return written.startswith(_OPEN)


def text_of(written: str) -> str:
    r"""Return the text of a cell that `cell` wrote.

    >>> text_of(cell("a\x1b'\\\u202e")) == "a\x1b'\\\u202e"
    True
    """
    if not (is_escaped(written) and written.endswith(_CLOSE) and len(written) > len(_OPEN)):
        return written
    return _ESCAPE.sub(_meant, written[len(_OPEN) : -len(_CLOSE)])


def json_text(tree: Any, *, indent: int | None = None) -> str:
    r"""Return a tree as JSON whose text can be shown; what is infinite becomes null.

    >>> print(json_text({"name": "é\x9b\u202e", "loss": float("inf")}))
    {"name": "é\u009b\u202e", "loss": null}
    """
    text = json.dumps(_finite(tree), indent=indent, ensure_ascii=False, allow_nan=False)
    return escaped_json(text)


def escaped_json(text: str) -> str:
    """Return JSON with what cannot be seen escaped; line breaks between values stay."""
    return "\n".join(
        line if is_printable(line) else "".join(map(_in_json, line)) for line in text.split("\n")
    )


def _word(word: str | PurePath) -> str:
    text = str(word)
    return f"./{text}" if isinstance(word, PurePath) and text.startswith("-") else text


def _shown(letter: str) -> str:
    if is_printable(letter):
        return letter
    code = ord(letter)
    if code < 0x100:
        return _SHORT.get(letter, f"\\x{code:02x}")
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _meant(match: re.Match[str]) -> str:
    escape = match[1]
    if len(escape) > 1:
        return chr(int(escape[1:], 16))
    return {short[1]: letter for letter, short in _SHORT.items()}.get(escape, escape)


def _ansi_c(word: str) -> str:
    """Quote a word for a shell, byte by byte where it cannot be seen, whatever its locale is."""
    letters = []
    for letter in word:
        if letter in "\\'":
            letters.append(f"\\{letter}")
        elif is_printable(letter):
            letters.append(letter)
        else:
            letters += [f"\\x{byte:02x}" for byte in _bytes(letter)]
    return f"{_OPEN}{''.join(letters)}{_CLOSE}"


def _bytes(letter: str) -> bytes:
    """Return a letter as a file name has it: a byte that is no UTF-8 comes as half a pair."""
    escaped = 0xDC80 <= ord(letter) <= 0xDCFF
    return letter.encode("utf-8", "surrogateescape" if escaped else "surrogatepass")


def _in_json(letter: str) -> str:
    if is_printable(letter):
        return letter
    units = letter.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def _finite(tree: Any) -> Any:
    if isinstance(tree, float) and math.isinf(tree):
        return None
    if isinstance(tree, Mapping):
        return {key: _finite(value) for key, value in tree.items()}
    return [_finite(value) for value in tree] if isinstance(tree, list | tuple) else tree
