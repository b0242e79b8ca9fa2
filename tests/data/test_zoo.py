"""A zoo of image files: from each, the network is fed what timm's own loader makes of it."""

import io
import struct
import zlib
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms, features
from timm.data import create_dataset, create_loader

from errlens.data.photos import picture_kinds
from errlens.data.photos.images import Unread
from errlens.data.photos.loading import Input, load_input
from errlens.data.photos.preprocess import Preprocessing
from errlens.model.classifier import stack

# timm's own loader lets Pillow's remarks through.
pytestmark = pytest.mark.filterwarnings(r"ignore:::PIL\..*")

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
WIDTH, HEIGHT = 37, 29


class Kind(NamedTuple):
    """A kind of file: its suffix, how its bytes come about, and the codec it needs."""

    suffix: str
    content: Callable[[], bytes]
    codec: str | None = None


def picture(mode: str = "RGB", width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    """Draw a slope with some noise in any of Pillow's modes."""
    noise = np.random.default_rng(7).integers(0, 60, (height, width, 4))
    down, across = np.mgrid[0:height, 0:width]
    slope = np.stack([4 * down, 4 * across, down + across, 250 - 5 * down], axis=2)
    pixels = np.clip(slope + noise, 0, 255).astype(np.uint8)
    if mode in ("RGBA", "CMYK"):
        return Image.fromarray(pixels).convert("RGBA") if mode == "RGBA" else as_cmyk(pixels)
    if mode == "LA":
        return Image.merge("LA", [Image.fromarray(pixels[:, :, band]) for band in (0, 3)])
    if mode.startswith("I;16"):
        wide = pixels[:, :, 0].astype(np.uint16) * 257
        return Image.frombytes(mode, (width, height), wide.astype(ENDIAN[mode]).tobytes())
    if mode == "I":
        return Image.fromarray(pixels[:, :, 0].astype(np.int32) * 200 - 9000)
    if mode == "F":
        return Image.fromarray(pixels[:, :, 0].astype(np.float32) * 1.5 - 40)
    if mode == "LAB":
        return Image.frombytes("LAB", (width, height), pixels[:, :, :3].tobytes())
    return Image.fromarray(pixels[:, :, :3]).convert(mode)


ENDIAN = {"I;16": "<u2", "I;16B": ">u2"}


def as_cmyk(pixels: np.ndarray) -> Image.Image:
    return Image.frombytes("CMYK", pixels.shape[1::-1], pixels.tobytes())


def encoded(image: Image.Image, file_format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


FORMATS = {"jpg": "JPEG", "tif": "TIFF", "jp2": "JPEG2000", "ppm": "PPM", "pgm": "PPM"}


def saved(
    suffix: str, mode: str = "RGB", *, as_: str = "", codec: str | None = None, **options: Any
) -> Kind:
    """A picture as Pillow writes it, perhaps in another format than its name says."""
    file_format = as_ or FORMATS.get(suffix, suffix.upper())
    return Kind(suffix, lambda: encoded(picture(mode), file_format, **options), codec)


def sized(suffix: str, mode: str, width: int, height: int) -> Kind:
    file_format = FORMATS.get(suffix, suffix.upper())
    return Kind(suffix, lambda: encoded(Image.new(mode, (width, height), 77), file_format))


def noisy(width: int, height: int) -> Kind:
    return Kind("png", lambda: encoded(picture("RGB", width, height), "PNG"))


def animated(suffix: str, mode: str = "RGB", codec: str | None = None, **options: Any) -> Kind:
    """Four frames; timm's loader sees the first."""

    def content() -> bytes:
        first, *others = (picture(mode).rotate(90 * turn) for turn in range(4))
        file_format = FORMATS.get(suffix, suffix.upper())
        return encoded(first, file_format, save_all=True, append_images=others, **options)

    return Kind(suffix, content, codec)


def transparent(suffix: str, transparency: int | bytes, **options: Any) -> Kind:
    def content() -> bytes:
        image = picture().quantize(32)
        return encoded(image, suffix.upper(), transparency=transparency, **options)

    return Kind(suffix, content)


def oriented(suffix: str, orientation: int, codec: str | None = None) -> Kind:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(suffix, exif=exif, codec=codec)


def of_bytes(suffix: str, content: bytes) -> Kind:
    return Kind(suffix, lambda: content)


def changed(kind: Kind, change: Callable[[bytes], bytes]) -> Kind:
    return kind._replace(content=lambda: change(kind.content()))


def halved(kind: Kind) -> Kind:
    return changed(kind, lambda content: content[: len(content) // 2])


# PNG files that Pillow reads but does not write


def chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)


GREY, TRUE_COLOUR, GREY_ALPHA, TRUE_COLOUR_ALPHA = 0, 2, 4, 6
CHANNELS = {GREY: 1, TRUE_COLOUR: 3, GREY_ALPHA: 2, TRUE_COLOUR_ALPHA: 4}


def raw_png(colour: int, depth: int, *, between: bytes = b"", interlaced: bool = False) -> bytes:
    """Write noise of this colour type and bit depth, line by line without a filter."""
    rng = np.random.default_rng(8)
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, colour, 0, 0, interlaced)
    passes = ADAM7 if interlaced else ((0, 0, 1, 1),)
    lines = b""
    for left, top, across, down in passes:
        columns, rows = len(range(left, WIDTH, across)), len(range(top, HEIGHT, down))
        line_length = (columns * CHANNELS[colour] * depth + 7) // 8
        lines += b"".join(b"\0" + rng.bytes(line_length) for _ in range(rows))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + between
        + chunk(b"IDAT", zlib.compress(lines))
        + chunk(b"IEND", b"")
    )


# First column and row, and steps, of the seven passes of an interlaced PNG.
ADAM7 = (
    (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
    (0, 1, 1, 2),
)  # fmt: skip


def png(colour: int, depth: int, *, between: bytes = b"", interlaced: bool = False) -> Kind:
    return Kind("png", lambda: raw_png(colour, depth, between=between, interlaced=interlaced))


def with_wrong_checksum(name: bytes) -> Callable[[bytes], bytes]:
    def change(content: bytes) -> bytes:
        start = content.index(name)
        (length,) = struct.unpack(">I", content[start - 4 : start])
        end = start + 4 + length
        return content[:end] + b"\0\0\0\0" + content[end + 4 :]

    return change


# JPEG


def without_adobe_marker(content: bytes) -> bytes:
    """Leave out the segment that says how the four channels are meant."""
    start = content.index(b"\xff\xee")
    (length,) = struct.unpack(">H", content[start + 2 : start + 4])
    return content[:start] + content[start + 2 + length :]


def as_ycck(content: bytes) -> bytes:
    """Call the four channels YCCK; this is the last byte of Adobe's segment."""
    last = content.index(b"\xff\xee") + 2 + 13
    return content[:last] + b"\x02" + content[last + 1 :]


def icc_profile(name: str) -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(name)).tobytes()


# TIFF


def with_samples_per_pixel(content: bytes) -> bytes:
    """Claim a hundred channels instead of three."""
    entry = struct.pack("<HHIH", 277, 3, 1, 3)
    assert entry in content
    return content.replace(entry, struct.pack("<HHIH", 277, 3, 1, 100))


# Bitmaps


def bitmap(bits: int, compression: int, pixels: bytes, *, height: int, between: bytes) -> bytes:
    """A BMP four pixels wide; a negative height counts from the top."""
    start = 14 + 40 + len(between)
    file_header = b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start)
    info = struct.pack(
        "<IiiHHIIiiII", 40, 4, height, 1, bits, compression, len(pixels), 0, 0, 256 * (bits == 8), 0
    )
    return file_header + info + between + pixels


GREYS = b"".join(bytes((grey, grey, 255 - grey, 0)) for grey in range(256))
RUNS = b"\x04\x10\0\0" + b"\x02\x80\x02\xf0\0\0" + b"\0\x04\x01\x50\xa0\xf0\0\x01"
BGR = bytes(range(0, 240, 5))  # four lines of four pixels
SHORT = struct.pack("<16H", *range(0, 2**15, 2**11))
PIXELS_565 = struct.pack("<III", 0xF800, 0x07E0, 0x001F)

# All kinds

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>'
DAMAGED_EXIF = b"Exif\0\0MM\0*\0\0\0\x08\0\xff\xff\xff"

ZOO = {
    **{f"png {mode}": saved("png", mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")},
    "png I": saved("png", "I;16B"),
    **{f"png P of {bits} bits": saved("png", "P", bits=bits) for bits in (1, 2, 4)},
    "png P with a transparent index": transparent("png", 3),
    "png P with transparency in bytes": transparent("png", bytes(range(0, 256, 8))),
    "png P all transparent": transparent("png", bytes(256)),
    **{f"png grey of {bits} bits": png(GREY, bits) for bits in (1, 2, 4, 8, 16)},
    "png grey and alpha of 8 bits": png(GREY_ALPHA, 8),
    "png grey and alpha of 16 bits": png(GREY_ALPHA, 16),
    "png RGB of 16 bits": png(TRUE_COLOUR, 16),
    "png RGBA of 16 bits": png(TRUE_COLOUR_ALPHA, 16),
    "png RGB with a transparent colour": png(TRUE_COLOUR, 8, between=chunk(b"tRNS", bytes(6))),
    "png grey with a transparent grey": png(GREY, 8, between=chunk(b"tRNS", b"\0\x50")),
    "png 16 bits with a transparent grey": png(GREY, 16, between=chunk(b"tRNS", b"\x50\0")),
    "png 1 bit with a transparent grey": png(GREY, 1, between=chunk(b"tRNS", b"\0\0")),
    "png RGB interlaced": png(TRUE_COLOUR, 8, interlaced=True),
    "png 16 bits interlaced": png(GREY, 16, interlaced=True),
    "png 1 bit interlaced": png(GREY, 1, interlaced=True),
    "png with gamma": png(TRUE_COLOUR, 8, between=chunk(b"gAMA", struct.pack(">I", 10_000))),
    "png with text": png(TRUE_COLOUR, 8, between=chunk(b"tEXt", b"Comment\0" + b"word " * 99)),
    "png with much compressed text": png(
        TRUE_COLOUR, 8, between=chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(2**21)))
    ),
    "png with an unknown chunk": png(TRUE_COLOUR, 8, between=chunk(b"quUx", bytes(100))),
    "png with an unknown critical chunk": png(TRUE_COLOUR, 8, between=chunk(b"QUUX", bytes(100))),
    "png with a profile": saved("png", icc_profile=icc_profile("sRGB")),
    "png with a profile in Lab": saved("png", icc_profile=icc_profile("LAB")),
    "png with a wrong checksum beside the pixels": changed(
        png(TRUE_COLOUR, 8, between=chunk(b"gAMA", bytes(4))), with_wrong_checksum(b"gAMA")
    ),
    "png with a wrong checksum of the pixels": changed(saved("png"), with_wrong_checksum(b"IDAT")),
    "png with a wrong checksum of the header": changed(saved("png"), with_wrong_checksum(b"IHDR")),
    "png without an end": changed(saved("png"), lambda content: content[:-12]),
    "png with more behind its end": changed(saved("png"), lambda content: content + bytes(500)),
    "png with no pixels": of_bytes("png", raw_png(GREY, 8)[:16] + bytes(8) + raw_png(GREY, 8)[24:]),
    "png halved": halved(saved("png")),
    "png animated": animated("png"),
    "png animated in RGBA": animated("png", "RGBA"),
    "png animated, its first picture apart": animated("png", default_image=True),
    "png with frames that are wrong": png(TRUE_COLOUR, 8, between=chunk(b"acTL", bytes(8))),
    **{f"png turned by {turn}": oriented("png", turn) for turn in (3, 6)},
    **{f"jpg {mode}": saved("jpg", mode) for mode in ("1", "L", "RGB", "YCbCr", "CMYK")},
    "jpg CMYK as Adobe inverts it": saved("jpg", "CMYK", quality=95),
    "jpg CMYK not inverted": changed(saved("jpg", "CMYK"), without_adobe_marker),
    "jpg YCCK": changed(saved("jpg", "CMYK"), as_ycck),
    "jpg not converted to YCbCr": saved("jpg", keep_rgb=True),
    "jpg progressive": saved("jpg", progressive=True),
    "jpg progressive grey": saved("jpg", "L", progressive=True),
    "jpg progressive CMYK": saved("jpg", "CMYK", progressive=True),
    **{f"jpg subsampled {by}": saved("jpg", subsampling=by) for by in ("4:4:4", "4:2:2", "4:2:0")},
    "jpg of poor quality": saved("jpg", quality=1),
    "jpg of best quality": saved("jpg", quality=100, optimize=True),
    "jpg with restart markers": saved("jpg", restart_marker_blocks=1),
    "jpg with a comment": saved("jpg", comment=b"a comment\xff\xfe"),
    "jpg with a profile": saved("jpg", icc_profile=icc_profile("sRGB")),
    "jpg with a profile that is none": saved("jpg", icc_profile=b"no profile"),
    "jpg with damaged EXIF": saved("jpg", exif=DAMAGED_EXIF),
    "jpg with XMP": saved("jpg", xmp=b"<x:xmpmeta/>"),
    **{f"jpg turned by {turn}": oriented("jpg", turn) for turn in range(10)},
    "jpg with more behind its end": changed(saved("jpg"), lambda content: content + bytes(500)),
    "jpg without an end": changed(saved("jpg"), lambda content: content[:-2]),
    "jpg halved": halved(saved("jpg")),
    "jpg of its first bytes": changed(saved("jpg"), lambda content: content[:30]),
    "mpo": saved("jpg", as_="MPO"),
    "mpo of four frames": Kind(
        "jpg",
        lambda: encoded(picture(), "MPO", save_all=True, append_images=[picture().rotate(90)] * 3),
    ),
    **{f"gif {mode}": saved("gif", mode) for mode in ("1", "L", "P", "RGB", "RGBA")},
    "gif not interlaced": saved("gif", interlace=0),
    "gif with a transparent index": transparent("gif", 5),
    "gif animated": animated("gif"),
    "gif animated in RGBA": animated("gif", "RGBA", disposal=2),
    "gif animated in grey": animated("gif", "L", disposal=3),
    "gif halved": halved(saved("gif")),
    "webp": saved("webp", codec="webp"),
    "webp lossless": saved("webp", lossless=True, codec="webp"),
    "webp RGBA": saved("webp", "RGBA", codec="webp"),
    "webp RGBA lossless": saved("webp", "RGBA", lossless=True, codec="webp"),
    "webp turned by 6": oriented("webp", 6, codec="webp"),
    "webp animated": animated("webp", codec="webp"),
    "webp halved": halved(saved("webp", codec="webp")),
    **{
        f"tif {mode}": saved("tif", mode)
        for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "F", "I")
    },
    "tif I;16": saved("tif", "I;16"),
    "tif I;16 of the other endian": saved("tif", "I;16B"),
    **{
        f"tif compressed by {name}": saved("tif", compression=name, codec="libtiff")
        for name in ("tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits", "jpeg")
    },
    **{
        f"tif 1 compressed by {name}": saved("tif", "1", compression=name, codec="libtiff")
        for name in ("group3", "group4", "tiff_ccitt", "packbits")
    },
    "tif CMYK compressed by lzw": saved("tif", "CMYK", compression="tiff_lzw", codec="libtiff"),
    "tif I;16 compressed by lzw": saved("tif", "I;16", compression="tiff_lzw", codec="libtiff"),
    "tif F compressed by deflate": saved("tif", "F", compression="tiff_deflate", codec="libtiff"),
    "tif of many strips": saved("tif", tiffinfo={278: 3}, compression="tiff_lzw", codec="libtiff"),
    "tif with 64-bit offsets": saved("tif", big_tiff=True),
    "tif with a profile": saved("tif", icc_profile=icc_profile("sRGB")),
    **{f"tif turned by {turn}": oriented("tif", turn) for turn in (2, 3, 5, 6, 8)},
    "tif of four pages": animated("tif"),
    "tif of four CMYK pages": animated("tif", "CMYK"),
    "tif with more channels than there are": changed(saved("tif"), with_samples_per_pixel),
    "tif halved": halved(saved("tif")),
    "tif halved and compressed": halved(saved("tif", compression="tiff_lzw", codec="libtiff")),
    **{f"bmp {mode}": saved("bmp", mode) for mode in ("1", "L", "P", "RGB", "RGBA")},
    "bmp of runs": of_bytes("bmp", bitmap(8, 1, RUNS, height=3, between=GREYS)),
    "bmp of 16 bits": of_bytes("bmp", bitmap(16, 0, SHORT, height=4, between=b"")),
    "bmp with masks": of_bytes("bmp", bitmap(16, 3, SHORT, height=4, between=PIXELS_565)),
    "bmp from the top": of_bytes("bmp", bitmap(24, 0, BGR, height=-4, between=b"")),
    "bmp of unknown compression": of_bytes("bmp", bitmap(24, 9, BGR, height=4, between=b"")),
    "bmp without a file header": saved("bmp", as_="DIB"),
    "bmp halved": halved(saved("bmp")),
    "pbm in words": of_bytes("ppm", b"P1\n# a comment\n4 2\n1 0 1 0\n0 1 1 1\n"),
    "pgm in words": of_bytes("pgm", b"P2 3 2 15\n0 5 10\n15 1 2\n"),
    "pgm in words up to 65535": of_bytes("pgm", b"P2 3 1 65535\n0 500 65535\n"),
    "ppm in words": of_bytes("ppm", b"P3 2 2 255\n255 0 0  0 255 0\n0 0 255  9 8 7\n"),
    "pbm": saved("ppm", "1"),
    "pgm": saved("pgm", "L"),
    "pgm of 16 bits": saved("pgm", "I;16"),
    "ppm": saved("ppm"),
    "ppm of 16 bits": of_bytes("ppm", b"P6 2 1 65535\n" + bytes(range(0, 240, 20))),
    "ppm up to 100": of_bytes("ppm", b"P6 2 1 100\n" + bytes(range(0, 96, 16))),
    "pfm": saved("ppm", "F"),
    "pam": of_bytes("ppm", b"P7\nWIDTH 2\nHEIGHT 1\nDEPTH 3\nMAXVAL 255\nENDHDR\n" + bytes(6)),
    "ppm halved": halved(saved("ppm")),
    "ppm with words for pixels": of_bytes("ppm", b"P3 2 2 255\n255 0 zero\n"),
    "avif": saved("avif", codec="avif"),
    "avif RGBA": saved("avif", "RGBA", codec="avif"),
    "avif turned by 6": oriented("avif", 6, codec="avif"),
    "avif animated": animated("avif", codec="avif"),
    "avif halved": halved(saved("avif", codec="avif")),
    **{
        f"jp2 {mode}": saved("jp2", mode, codec="jpg_2000")
        for mode in ("L", "LA", "RGB", "RGBA", "I;16", "YCbCr")
    },
    "jp2 with losses": saved("jp2", irreversible=True, quality_layers=[40], codec="jpg_2000"),
    "jp2 as a bare stream": saved("jp2", no_jp2=True, codec="jpg_2000"),
    "jp2 halved": halved(saved("jp2", codec="jpg_2000")),
    "jpg called png": saved("png", as_="JPEG"),
    "png called jpg": saved("jpg", as_="PNG"),
    "webp called jpg": saved("jpg", as_="WEBP", codec="webp"),
    "gif called png": animated("png")._replace(content=animated("gif").content),
    "ico called png": saved("png", "RGBA", as_="ICO", sizes=[(16, 16), (29, 29)]),
    "icns called png": saved("png", "RGBA", as_="ICNS"),
    "tga called png": saved("png", "RGBA", as_="TGA"),
    "pcx called png": saved("png", "P", as_="PCX"),
    "sgi called png": saved("png", as_="SGI"),
    "dds called png": saved("png", as_="DDS"),
    "im called png": saved("png", "YCbCr", as_="IM"),
    "xbm called png": saved("png", "1", as_="XBM"),
    "spider called png": saved("png", "F", as_="SPIDER"),
    "pdf called png": saved("png", as_="PDF"),
    "svg called png": of_bytes("png", SVG),
    "html called jpg": of_bytes("jpg", b"<!DOCTYPE html><title>404</title>"),
    "nothing called png": of_bytes("png", b""),
    "nulls called jpg": of_bytes("jpg", bytes(1000)),
    "heic called jpg": of_bytes("jpg", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200)),
    "one pixel": sized("png", "RGB", 1, 1),
    "one pixel jpg": sized("jpg", "L", 1, 1),
    "two pixels": noisy(2, 1),
    "one pixel wide": noisy(1, 5000),
    "one pixel high": noisy(5000, 1),
    "one pixel wide in grey": sized("png", "L", 1, 700),
    "three pixels wide": noisy(3, 2000),
    "three pixels high": noisy(3001, 3),
    "wide": noisy(900, 20),
    "as large as the network": noisy(24, 24),
    "large": sized("jpg", "L", 6000, 4000),
    "large png": sized("png", "1", 6000, 4000),
    "beyond what Pillow warns of": sized("png", "1", 10_000, 9_000),
    "beyond what Pillow opens": sized("png", "1", 20_000, 9_000),
}  # fmt: skip


@pytest.fixture
def cage(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A class folder that holds one file of a kind."""
    kind = ZOO[request.param]
    if kind.codec and not features.check(kind.codec):
        pytest.skip(f"this Pillow has no {kind.codec}")
    path = tmp_path / "a class" / f"file.{kind.suffix}"
    path.parent.mkdir()
    path.write_bytes(kind.content())
    return path


class ClosingReader:
    """timm's reader of a folder; it leaves files open when it fails, so we keep track of them."""

    def __init__(self, reader: Any, opened: ExitStack):
        self.reader, self.opened = reader, opened

    def __getitem__(self, index: int):
        file, target = self.reader[index]
        return self.opened.enter_context(file), target

    def __len__(self):
        return len(self.reader)


def timms_tensor(path: Path, ours: Preprocessing) -> torch.Tensor | None:
    """Load the one file of a class folder as timm does; None if timm cannot."""
    dataset = create_dataset(
        "",
        root=str(path.parent.parent),
        input_img_mode=ours.image_mode,
        input_key=path.suffix,
    )
    assert dataset.filenames(absolute=True) == [str(path)]
    loader = create_loader(
        dataset,
        input_size=(len(ours.mean), *ours.img_size),
        batch_size=1,
        num_workers=0,
        persistent_workers=False,
        use_prefetcher=False,
        pin_memory=False,
        interpolation=ours.interpolation,
        mean=ours.mean,
        std=ours.std,
        crop_pct=ours.crop_pct,
        crop_mode=ours.crop_mode,
    )
    with ExitStack() as opened:
        dataset.reader = ClosingReader(dataset.reader, opened)
        try:
            return next(iter(loader))[0]
        except Exception:  # noqa: BLE001 - what it may raise is what errlens must not
            return None


def is_of_a_rare_kind(path: Path) -> bool:
    """Tell whether Pillow reads a file, though as a kind that no suffix of a photo stands for."""
    try:
        with Image.open(path) as image:
            # A JPEG of several frames calls itself MPO.
            return image.format not in {*picture_kinds.FORMATS, "MPO"}
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False


def check_against_timm(path: Path, ours: Preprocessing) -> None:
    expected, found = timms_tensor(path, ours), load_input(path, ours)
    if expected is None or is_of_a_rare_kind(path):
        assert isinstance(found, Unread)
        assert found.reason
        assert found.reason.isprintable()
    else:
        assert isinstance(found, Input), found
        tensor = stack([found.value], ours, torch.device("cpu"))
        torch.testing.assert_close(tensor.contiguous(), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("crop_mode", ["center", "squash", "border"])
@pytest.mark.parametrize("cage", ZOO, indirect=True)
def test_the_network_is_fed_what_timm_feeds_it(cage, crop_mode):
    check_against_timm(cage, Preprocessing((24, 24), 0.9, crop_mode, "bicubic", MEAN, STD))


@pytest.mark.parametrize("cage", ZOO, indirect=True)
def test_a_network_for_grey_images_is_fed_what_timm_feeds_it(cage):
    check_against_timm(cage, Preprocessing((24, 20), 0.95, "center", "bilinear", (0.4,), (0.2,)))


def test_the_zoo_is_large():
    assert len(ZOO) >= 150
