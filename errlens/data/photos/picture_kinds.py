"""What a picture is: by the suffix of its name, and by its first bytes."""

import re
from typing import Final, NamedTuple

# Of each kind that is read, the suffixes; the formats are Pillow's names for them.
_READ: Final = {
    "PNG": (".png", ".apng"),
    "JPEG": (".jpg", ".jpeg", ".jfif", ".jpe", ".jif", ".jfi", ".mpo"),
    "WEBP": (".webp",),
    "BMP": (".bmp",),
    "DIB": (".dib",),
    "GIF": (".gif",),
    "TIFF": (".tif", ".tiff"),
    "PPM": (".ppm", ".pgm", ".pnm", ".pbm", ".pfm"),
    "AVIF": (".avif",),
    "JPEG2000": (".jp2", ".j2k", ".jpx", ".jpf", ".jpc", ".j2c"),
}
FORMATS: Final = tuple(_READ)
SUFFIXES: Final = tuple(suffix for suffixes in _READ.values() for suffix in suffixes)


class _Foreign(NamedTuple):
    """A kind of picture that is not read: what it is, and what to do about it.

    It is told by the suffixes of its files or by their `starts`, the first bytes.
    """

    what: str
    advice: str
    suffixes: tuple[str, ...] = ()
    starts: tuple[bytes, ...] = ()


_HEIC: Final = _Foreign(
    "HEIC",
    "convert it to JPEG first, for example with: magick mogrify -format jpg",
    (".heic", ".heif", ".hif", ".heics", ".heifs"),
)
_RAW: Final = _Foreign(
    "a camera's raw file",
    "develop it to JPEG or PNG first, for example with darktable-cli",
    (
        ".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".fff", ".iiq",
        ".kdc", ".mef", ".mos", ".mrw", ".nef", ".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2",
        ".rwl", ".sr2", ".srf", ".srw", ".x3f",
    ),
    (b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FOVb", b"\0MRM"),
)  # fmt: skip
_FOREIGN: Final = (
    _HEIC,
    _RAW,
    _Foreign(
        "JPEG XL",
        "convert it to JPEG or PNG first, for example with djxl",
        (".jxl",),
        (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"),
    ),
    _Foreign(
        "a document of an image editor",
        "export it as PNG first",
        (".psd", ".psb", ".xcf", ".kra", ".afphoto"),
        (b"8BPS", b"gimp xcf"),
    ),
    _Foreign("PostScript", "draw it as PNG first", (".eps", ".ps"), (b"%!PS", b"\xc5\xd0\xd3\xc6")),
    _Foreign("a vector drawing", "draw it as PNG first", (".svg", ".svgz", ".wmf", ".emf")),
    _Foreign(
        "a picture of high dynamic range",
        "bring it to 8 bits a channel first",
        (".exr", ".hdr", ".rgbe"),
        (b"\x76\x2f\x31\x01", b"#?RADIANCE", b"#?RGBE"),
    ),
    _Foreign("DICOM", "export it as PNG of 8 bits first", (".dcm", ".dicom")),
    _Foreign("FITS", "export it as PNG of 8 bits first", (".fits", ".fit"), (b"SIMPLE  =",)),
    _Foreign("icons", "export it as PNG first", (".ico", ".cur", ".icns"), (b"icns",)),
    _Foreign("DDS", "export it as PNG first", (".dds",), (b"DDS ",)),
    _Foreign("QOI", "export it as PNG first", (".qoi",), (b"qoif",)),
    _Foreign(
        "a picture of a kind that is not read",
        "export it as PNG first",
        (".tga", ".pcx", ".sgi", ".ras", ".xbm", ".xpm", ".pcd", ".blp", ".ktx", ".ktx2", ".bpg"),
    ),
)
# No pictures, but sometimes named like them, by their first bytes.
_NO_PICTURES: Final = {
    b"%PDF": "not an image but a PDF",
    b"PK\x03\x04": "not an image but a zip archive",
    b"\x1f\x8b": "not an image but a gzip archive",
    b"version https://git-lfs": "not an image but a pointer of Git LFS: git lfs pull fetches it",
}
_STARTS: Final = (
    b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*",
    b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51",
)  # fmt: skip
_TIFF: Final = (b"II*\0", b"MM\0*")
_BMP_HEADERS: Final = (12, 40, 52, 56, 64, 108, 124)  # bytes
_NETPBM: Final = re.compile(rb"P[456]\s+(?:#[^\n]*\n\s*)*\d{1,6}\s+\d{1,6}\s")
_HEIC_BRANDS: Final = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
START: Final = 256  # bytes that tell what a file is


def suffix_of(name: str) -> str:
    """Return the suffix of a file's name in lower case, without what programs append to it.

    >>> [suffix_of(name) for name in ("a.JPG", "a.jpg_original", "a.jpg?width=300", "a.b.png~")]
    ['.jpg', '.jpg', '.jpg', '.png']
    """
    dot = name.rfind(".")
    suffix = re.match(r"\.[a-z0-9]+", name[dot:].lower()) if dot > 0 else None
    return suffix.group() if suffix else ""


def is_picture_suffix(suffix: str) -> bool:
    """Tell whether files of this suffix are pictures, whether they can be read or not."""
    return suffix in _PICTURE_SUFFIXES


def is_picture_start(start: bytes) -> bool:
    """Tell whether a file with these first `START` bytes is a picture, readable or not."""
    return (
        start.startswith((*_STARTS, *_FOREIGN_STARTS))
        or (start[:4] == b"RIFF" and start[8:12] == b"WEBP")
        or (start[:2] == b"BM" and int.from_bytes(start[14:18], "little") in _BMP_HEADERS)
        or start[128:132] == b"DICM"
        or _brand(start) in (*_HEIC_BRANDS, b"avif", b"avis", b"crx ")
        or bool(_NETPBM.match(start))
    )


def is_raw(content: bytes, suffix: str) -> bool:
    """Tell whether a TIFF is a camera's raw file: what Pillow would read of it is a thumbnail."""
    return content.startswith(_TIFF) and (suffix in _RAW.suffixes or content[8:10] == b"CR")


def why_unread(content: bytes, suffix: str) -> str:
    """Say what a file is that is no image of a kind that is read; `suffix` as of `suffix_of`."""
    kind = _foreign_kind(content) or _no_picture(content)
    if kind is None and suffix not in SUFFIXES:
        kind = next((foreign for foreign in _FOREIGN if suffix in foreign.suffixes), None)
    if kind is None:
        return "not an image that Pillow knows"
    return kind if isinstance(kind, str) else f"{kind.what}: {kind.advice}"


def why_raw() -> str:
    """Say what a camera's raw file is, and what to do about it."""
    return f"{_RAW.what}: {_RAW.advice}"


def _foreign_kind(content: bytes) -> _Foreign | None:
    if _brand(content) in _HEIC_BRANDS:
        return _HEIC
    if _brand(content) == b"crx ":
        return _RAW
    if content[128:132] == b"DICM":
        return next(kind for kind in _FOREIGN if kind.what == "DICOM")
    return next(
        (kind for kind in _FOREIGN if kind.starts and content.startswith(kind.starts)), None
    )


def _no_picture(content: bytes) -> str | None:
    start = content[:START].lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "not an image but an HTML page"
    if start.startswith(b"<svg") or (start.startswith(b"<?xml") and b"<svg" in content[:4096]):
        return "a vector drawing: draw it as PNG first"
    if _brand(content) not in (b"", b"avif", b"avis"):
        return "not an image but a video"
    return next((what for begin, what in _NO_PICTURES.items() if content.startswith(begin)), None)


def _brand(content: bytes) -> bytes:
    """Return what the container of HEIC, AVIF and videos says that it holds; else nothing."""
    return content[8:12] if content[4:8] == b"ftyp" else b""


_PICTURE_SUFFIXES: Final = frozenset(SUFFIXES).union(*(kind.suffixes for kind in _FOREIGN))
_FOREIGN_STARTS: Final = tuple(start for kind in _FOREIGN for start in kind.starts)
