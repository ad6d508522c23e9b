"""The icon: a door in its frame, and the arcs of what it holds back. Writes icon.png beside itself.

Drawn here, pixel by pixel with four by four samples each, so that it needs no library.
"""

from __future__ import annotations

import math
import struct
import zlib
from pathlib import Path

SIZE = 128
SAMPLES = 4
NIGHT, STEEL, EDGE, GLOW = (22, 27, 34), (139, 148, 158), (48, 54, 61), (247, 129, 102)


def colour(x: float, y: float) -> tuple[int, int, int, int]:
    """The colour at a point, in a square of 128."""
    corner = 22
    dx = max(corner - x, x - (SIZE - corner), 0)
    dy = max(corner - y, y - (SIZE - corner), 0)
    if math.hypot(dx, dy) > corner:
        return (0, 0, 0, 0)
    if 58 <= x <= 104 and 20 <= y <= 108:
        if 64 <= x <= 98 and 26 <= y <= 102:
            handle = math.hypot(x - 72, y - 64) <= 4.5
            rib = any(abs(y - at) <= 1.5 and 69 <= x <= 93 for at in (42, 86))
            return (*(NIGHT if handle or rib else STEEL), 255)
        return (*EDGE, 255)
    far = math.hypot(x - 58, y - 64)
    if x < 55 and abs(math.atan2(y - 64, 58 - x)) < 0.95:
        for radius in (16, 28, 40):
            if abs(far - radius) <= 3:
                return (*GLOW, 255)
    return (*NIGHT, 255)


def pixel(column: int, row: int) -> bytes:
    """One pixel, the mean of its samples."""
    steps = [(number + 0.5) / SAMPLES for number in range(SAMPLES)]
    found = [colour(column + a, row + b) for a in steps for b in steps]
    alpha = sum(one[3] for one in found)
    mean = [sum(one[n] * one[3] for one in found) // max(alpha, 1) for n in range(3)]
    return bytes([*mean, alpha // len(found)])


def chunk(name: bytes, data: bytes) -> bytes:
    """One chunk of a PNG (ISO/IEC 15948, 5.3)."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png() -> bytes:
    """The whole file."""
    rows = [b"\0" + b"".join(pixel(x, y) for x in range(SIZE)) for y in range(SIZE)]
    head = struct.pack(">IIBBBBB", SIZE, SIZE, 8, 6, 0, 0, 0)
    parts = (
        chunk(b"IHDR", head),
        chunk(b"IDAT", zlib.compress(b"".join(rows), 9)),
        chunk(b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


if __name__ == "__main__":
    Path(__file__).with_name("icon.png").write_bytes(png())
