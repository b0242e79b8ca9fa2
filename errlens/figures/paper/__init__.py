"""What pictures are drawn on: sheets laid out in pixels, and the writing on them."""
