"""How large a page may become, and how many of its images have pictures."""

from typing import Final, NamedTuple

LARGEST: Final = 20_000_000  # bytes of a page; what mail still carries


class Room(NamedTuple):
    """The limits of a page.

    `size` is in bytes. `images` are how many have pictures, None where that is as many as fit;
    `all_first` means that every image is to have a small one before any has a large one.
    """

    size: int = LARGEST
    images: int | None = None
    all_first: bool = False

    @property
    def for_listing(self) -> int:
        """Bytes for what is known of all images; the others are for pictures and all else."""
        return self.size // 3

    @property
    def for_map(self) -> int:
        """Bytes for a map of the images; a page that is served holds no pictures, but a map."""
        return (self.size or LARGEST) // 8
