"""The picture that patches are pasted into and cut from: an image as the network is fed it."""

from typing import Any

from PIL import Image

from errlens.data.photos.images import ImageFile, Unread
from errlens.data.photos.loading import Preparation, decode_for
from errlens.data.photos.preprocess import Preprocessing
from errlens.model.asking.hiding import AskedImage
from errlens.predictions.table import UNREADABLE
from errlens.run.places import MAX_FILE_MB


def picture_of(
    used: Preparation, image: AskedImage, *, max_mb: int = MAX_FILE_MB
) -> Image.Image | Unread:
    """Return an image as fed; the photo itself where a user's own preparation does not tell."""
    encoded = ImageFile(image.path, image.content_hash, max_mb).read()
    if isinstance(encoded, Unread):
        return encoded
    photo = decode_for(used, encoded)
    if isinstance(photo, Unread) or not isinstance(used, Preprocessing):
        return photo if isinstance(photo, Unread) else photo.image
    try:
        return used.fit(photo.image)
    except ValueError as error:
        return Unread(UNREADABLE, f"{photo.width} x {photo.height} pixels: {error}")


def input_of(used: Preparation, picture: Image.Image) -> Any:
    """Return what the network is fed, made of what `picture_of` returned or of a changed one."""
    return used.as_fed(picture) if isinstance(used, Preprocessing) else used.prepare(picture)
