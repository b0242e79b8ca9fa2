"""Look at a pickled checkpoint before torch reads it: what it would import, and what it would take.

torch's unpickler runs no code of a file, but it believes the file about sizes: a megabyte of
compressed zeros becomes a gigabyte, a hundred bytes ask for a copy of a tensor that is none.
"""

import pickletools
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from encodings import normalize_encoding
from pathlib import Path
from typing import IO, Final

from errlens.errors import BadCheckpoint, shortened

MOST_BYTES: Final = 64 * 2**20  # of pickled objects; the numbers of tensors lie beside them
MOST_STEPS: Final = 3_000_000  # a tensor takes about 20, and three more in an optimizer
MOST_IN_TUPLE: Final = 100_000  # values, or a hundred levels
_LEVEL: Final = 1_000  # what a level of tuples counts as
_PICKLES: Final = 5  # of the format before torch 1.6: number, protocol, system, objects, keys

# What torch makes tensors and plain values of, and what does not copy at a file's word.
_OF_TENSORS: Final = re.compile(
    r"torch\._utils\._rebuild_(tensor|tensor_v2|tensor_v3|qtensor|parameter|parameter_with_state)|"
    r"torch\._tensor\._rebuild_from_type_v2|torch\.nn\.parameter\.Parameter|"
    r"torch\.(cuda\.)?\w*Storage|torch\.storage\.(Typed|Untyped)Storage|"
    r"torch\.(Size|Tensor|device|serialization\._get_layout)|"
    r"torch\.(b?float|b?complex|u?int|bits|q?u?int)\w*|torch\.bool|torch\.per_\w+|"
    r"collections\.(OrderedDict|Counter)|_codecs\.encode|builtins\.(set|complex)"
)
# What torch would call though it is not one of these.
_COPIES: Final = re.compile(
    r"torch\._utils\..*|torch\._tensor\..*|torch\.(cuda\.)?(sparse\.)?\w*Tensor|builtins\.bytearray"
)
# Codecs that make more bytes of bytes: one after the other they make gigabytes of a letter.
_TRANSFORMS: Final = re.compile(r"(hex|base_?64|uu|quopri|quoted_?printable)(_codec)?")


def foreign_globals(path: Path) -> list[str]:
    """Return what a pickled checkpoint would import that is not part of its tensors, sorted.

    Raises:
        BadCheckpoint: It would take more memory than it has bytes, or is beyond the limits.
        ValueError, OSError, zipfile.BadZipFile: It is damaged, or none.
    """
    names: set[str] = set()
    words: set[str] = set()
    steps = 0
    with _pickled(path) as (file, count):
        for _ in range(count):
            sizes = _TupleSizes()
            for opcode, argument, position in pickletools.genops(file):
                steps += 1
                if sizes.after(opcode, argument) > MOST_IN_TUPLE:
                    raise BadCheckpoint(
                        f"checkpoint {str(path)!r} holds tuples of tuples that do not end"
                    )
                if steps > MOST_STEPS or (position or 0) > MOST_BYTES:
                    raise BadCheckpoint(
                        f"checkpoint {str(path)!r} holds more than {MOST_STEPS:,} objects, or "
                        f"{MOST_BYTES // 2**20} MiB of them beside its tensors",
                        hint="save the weights alone: torch.save(model.state_dict(), PATH)",
                    )
                if opcode.name == "GLOBAL":
                    names.add(_modern(str(argument)))
                elif isinstance(argument, str) and len(argument) <= 40:
                    words.add(normalize_encoding(argument.lower()))
    _refuse_copies(path, names, words)
    return sorted(name for name in names if not _OF_TENSORS.fullmatch(name))


@contextmanager
def _pickled(path: Path) -> Iterator[tuple[IO[bytes], int]]:
    """Open what is pickled in a checkpoint, and tell how many pickles follow one another."""
    with path.open("rb") as file:
        if file.read(4) != b"PK\x03\x04":
            file.seek(0)
            yield file, _PICKLES
            return
    with zipfile.ZipFile(path) as archive:
        inside = [name for name in archive.namelist() if name.endswith("data.pkl")]
        if len(inside) != 1 or any(name.endswith("constants.pkl") for name in archive.namelist()):
            raise ValueError("its archive is none of torch.save")
        _check_archive(path, archive)
        with archive.open(inside[0]) as file:
            yield file, 1


def _check_archive(path: Path, archive: zipfile.ZipFile) -> None:
    """Refuse an archive whose files unpack to more than it has, or hide behind one another."""
    entries = archive.infolist()
    if sum(entry.file_size for entry in entries) > path.stat().st_size:
        raise BadCheckpoint(
            f"checkpoint {str(path)!r} is compressed, or its parts overlap: it would unpack to "
            "more bytes than it has",
            hint="torch.save does not compress: save it again",
        )
    if len({entry.filename.casefold() for entry in entries}) < len(entries):
        raise BadCheckpoint(f"checkpoint {str(path)!r} holds several files of the same name")


class _TupleSizes:
    """Follows the stack of a pickle to know how many values a tuple has, those inside counted.

    Python looks at all of them where a tuple is the key of a dict: at a thousand levels it falls
    over, and fifty levels that each hold the one below twice keep it busy for years.
    """

    def __init__(self) -> None:
        self._stack: list[int] = []
        self._marks: list[int] = []
        self._memo: dict[object, int] = {}

    def after(self, opcode: pickletools.OpcodeInfo, argument: object) -> int:
        """Do what an opcode does; return the size of what is on top of the stack then."""
        name = opcode.name
        if name == "MARK":
            self._marks.append(len(self._stack))
        elif name in ("BINPUT", "LONG_BINPUT", "PUT"):
            self._memo[argument] = self._top
        elif name in ("BINGET", "LONG_BINGET", "GET"):
            self._stack.append(self._memo.get(argument, 1))
        else:
            inner = self._popped(opcode)
            nested = _LEVEL + sum(inner) if name.startswith("TUPLE") else 1
            self._stack.extend([nested] * len(opcode.stack_after))
        return self._top

    @property
    def _top(self) -> int:
        return self._stack[-1] if self._stack else 0

    def _popped(self, opcode: pickletools.OpcodeInfo) -> list[int]:
        """Take from the stack what an opcode takes, and return that."""
        before = opcode.stack_before
        if pickletools.markobject in before:
            at = self._marks.pop() if self._marks else 0
            at = max(0, at - before.index(pickletools.markobject))
        else:
            at = max(0, len(self._stack) - len(before))
        taken = self._stack[at:]
        del self._stack[at:]
        return taken


def _refuse_copies(path: Path, names: set[str], words: set[str]) -> None:
    """Refuse what torch would call, and what makes much of little."""
    copying = [
        name for name in names if _COPIES.fullmatch(name) and not _OF_TENSORS.fullmatch(name)
    ]
    if "_codecs.encode" in names:
        copying += [f"_codecs.{word}" for word in words if _TRANSFORMS.fullmatch(word)]
    if copying:
        raise BadCheckpoint(
            f"checkpoint {str(path)!r} would build its tensors by {shortened(min(copying))}, "
            "which is not done for a file",
            hint="where you trust it, save dense tensors on the CPU: "
            "torch.save({name: one.cpu() for name, one in model.state_dict().items()}, PATH)",
        )


def _modern(argument: str) -> str:
    """Return the name of a global as Python 3 calls it.

    >>> _modern("__builtin__ set")
    'builtins.set'
    """
    module, _, name = argument.partition(" ")
    return f"{module.replace('__builtin__', 'builtins')}.{name}"
