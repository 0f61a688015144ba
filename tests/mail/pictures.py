"""Pictures made by hand, byte by byte: a PNG of given pixels, and one that only claims a size."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

Colour = tuple[int, int, int]


def png(rows: Sequence[Sequence[Colour]]) -> bytes:
    """A PNG of 8-bit red, green and blue (ISO/IEC 15948)."""
    return _png(
        len(rows[0]), len(rows), b"".join(b"\0" + bytes(part for pixel in row for part in pixel) for row in rows)
    )


def claiming_png(width: int, height: int, octets: int) -> bytes:
    """A few kilobytes that claim a size and swell to so many octets of zeros."""
    return _png(width, height, b"\0" * octets)


def _png(width: int, height: int, lines: bytes) -> bytes:
    header = struct.pack("!IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data))
