import numpy as np
import pytest
from PIL import Image

from errlens.data.photos.orientation import UPRIGHT, upright_box

SIZE = (40, 30)
BOX = (4, 6, 20, 11)


@pytest.mark.parametrize("orientation", [1, *UPRIGHT])
def test_a_box_turns_with_its_photo(orientation):
    photo = Image.new("L", SIZE)
    photo.paste(255, BOX)
    turned = photo.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else photo
    assert upright_box(BOX, SIZE, orientation) == turned.getbbox()
    left, top, right, bottom = upright_box(BOX, SIZE, orientation)
    assert (np.asarray(turned)[top:bottom, left:right] == 255).all()
