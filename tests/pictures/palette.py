"""A PNG of any colours -> one of at most 256, of less than half the size. A browser counts them."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

# Gives width, height, the palette as RGB bytes, and an index for each pixel, both in base64.
_REDUCE = """
async png => {
  const image = new Image();
  image.src = "data:image/png;base64," + png;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const data = context.getImageData(0, 0, image.width, image.height).data;
  const coarse = n => (data[n] >> 2 << 12) | (data[n + 1] >> 2 << 6) | (data[n + 2] >> 2);
  const counts = new Map(), exact = new Map();
  for (let n = 0; n < data.length; n += 4) {
    const key = coarse(n);
    counts.set(key, (counts.get(key) || 0) + 1);
    if (!exact.has(key)) exact.set(key, [data[n], data[n + 1], data[n + 2]]);
  }
  const keys = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a));
  const palette = keys.slice(0, 256).map(key => exact.get(key));
  const nearest = new Map(keys.map(key => {
    const [r, g, b] = exact.get(key);
    const far = palette.map(p => (p[0] - r) ** 2 + (p[1] - g) ** 2 + (p[2] - b) ** 2);
    return [key, far.indexOf(Math.min(...far))];
  }));
  const indexes = new Uint8Array(data.length / 4);
  for (let n = 0; n < indexes.length; n++) indexes[n] = nearest.get(coarse(n * 4));
  const text = bytes => {
    let said = "";
    for (let n = 0; n < bytes.length; n += 8192)
      said += String.fromCharCode(...bytes.subarray(n, n + 8192));
    return btoa(said);
  };
  return [image.width, image.height, text(new Uint8Array(palette.flat())), text(indexes)];
}
"""


def with_palette(page: Page, png: bytes) -> bytes:
    """The same picture in at most 256 colours.

    Args:
        page: Any page; it stays as it is.
        png: The picture, without transparent parts.
    """
    width, height, *texts = page.evaluate(_REDUCE, base64.b64encode(png).decode())
    palette, indexes = map(base64.b64decode, texts)
    rows = (indexes[n * width : (n + 1) * width] for n in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (
            _chunk(b"IHDR", header),
            _chunk(b"PLTE", palette),
            # Each row says first that it is written as it is.
            _chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows), 9)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    checked = kind + data
    return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))
