"""A page inside a notebook: in a frame, as it looks in a browser."""

import base64
import gzip
from pathlib import Path
from typing import Final
from urllib.parse import quote

from markupsafe import Markup

from errlens.commands.notebook.markup import text
from errlens.formats import count

LARGEST: Final = 8_000_000  # bytes of a page that becomes a part of the notebook
_HEIGHT: Final = 640  # pixels

# A frame has the text of the page, not its address, for notebooks on other machines, in an editor
# or in the cloud serve no files. Within `srcdoc` links to places of the page would lead out of it:
# so the frame makes a file of its own of the text, and goes there. The page still loads nothing and
# runs nothing but its own script: it says so itself.
_LOADER: Final = Markup(
    "<!doctype html><script>(async () => {{"
    'const packed = Uint8Array.from(atob("{}"), (letter) => letter.charCodeAt(0));'
    'const plain = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));'
    "const page = await new Response(plain).arrayBuffer();"
    'location.replace(URL.createObjectURL(new Blob([page], {{type: "text/html"}})));'
    "}})();</script>"
)


def framed(page: Path) -> str:
    """Return a page as HTML for a notebook; of a large one, where it is."""
    if not page.is_file():
        return str(Markup("<div>{} is not there</div>").format(text(page)))
    size = page.stat().st_size
    if size > LARGEST:
        why = f"{count(size // 10**6)} MB are too much for a notebook; open it in a browser"
        return str(link(page) + Markup(": {}").format(why))
    packed = base64.b64encode(gzip.compress(page.read_bytes(), mtime=0)).decode()
    frame = Markup(
        '<iframe srcdoc="{}" title="{}" allow="clipboard-write" style="width: 100%; '
        'height: {}px; border: 1px solid rgba(128, 128, 128, 0.5)"></iframe><div>{}</div>'
    )
    return str(frame.format(str(_LOADER.format(packed)), text(page.name), _HEIGHT, link(page)))


def link(page: Path) -> Markup:
    """Return a link to a page; it works where the notebook is served from a folder above it."""
    relative = Markup('<a href="{}" target="_blank" rel="noopener">{}</a>')
    if page.is_absolute():
        return text(page)
    return relative.format(quote(page.as_posix()), text(page))
