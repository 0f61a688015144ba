"""A picture that somebody attached, made small enough for a terminal: rows of red, green and blue.

Only the contained reader decodes (`parsing_process`): what a hostile file does to Pillow it does there, within that
process's memory and time. Pillow comes with the optional extra `images`.
"""

from __future__ import annotations

import importlib.util
import struct
import warnings
from io import BytesIO

from supportdesk.mail.model import Picture
from supportdesk.mail.wire import Malformed

FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
MAX_PIXELS = 64_000_000  # what a header may claim; what is decoded must fit the memory of one reader
MAX_SIDE = 2_000  # of what is handed back
_SIZE = struct.Struct("!HH")


def available() -> bool:
    """Whether Pillow is installed."""
    return importlib.util.find_spec("PIL") is not None


def shrink_picture(data: bytes, width: int, height: int) -> Picture:
    """The first frame, upright (Exif), on white, never enlarged, at most so many pixels wide and high.

    Raises what Pillow raises for a file that is damaged, claims too much or is of another format, and MemoryError.
    """
    from PIL import Image, ImageOps, WebPImagePlugin  # noqa: F401 - Pillow registers WebP only when it is asked to

    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    width, height = min(width, MAX_SIDE), min(height, MAX_SIDE)
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)  # Pillow itself refuses only twice as much
        with Image.open(BytesIO(data), formats=FORMATS) as opened:
            # Palettes have no colour between two others.
            small = opened.convert("RGBA") if opened.mode in ("1", "P") else opened
            small.thumbnail((max(width, height), max(width, height)))
            small = ImageOps.exif_transpose(small)
    small.thumbnail((width, height))
    if small.mode.startswith("I"):  # 16 bits of grey
        small = small.point(lambda grey: grey / 256).convert("L")
    if small.has_transparency_data:
        coloured = small.convert("RGBA")
        small = Image.alpha_composite(Image.new("RGBA", small.size, "white"), coloured)
    return Picture(small.width, small.height, small.convert("RGB").tobytes())


def encode_picture(picture: Picture) -> bytes:
    """Width and height, two octets each, and the rows."""
    return _SIZE.pack(picture.width, picture.height) + picture.rows


def decode_picture(data: bytes, width: int, height: int) -> Picture:
    """What a reader answered, checked against what it was asked for; Malformed where it is something else."""
    if len(data) >= _SIZE.size:
        found_width, found_height = _SIZE.unpack_from(data)
        rows = data[_SIZE.size :]
        if 0 < found_width <= width and 0 < found_height <= height and len(rows) == found_width * found_height * 3:
            return Picture(found_width, found_height, rows)
    raise Malformed("no picture")
