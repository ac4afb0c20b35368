"""Makes a screenshot small enough for a repository: 256 colours in place of sixteen million."""

import base64
import struct
import zlib

from playwright.sync_api import Browser

# The colours that are used most, and each other's nearest among them. Chromium reads the picture.
_INDEXED = """async (url) => {
  const image = await createImageBitmap(await (await fetch(url)).blob());
  const { width, height } = image;
  const context = new OffscreenCanvas(width, height).getContext('2d');
  context.drawImage(image, 0, 0);
  const pixels = new Uint32Array(context.getImageData(0, 0, width, height).data.buffer);
  const counts = new Map();
  for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
  const parts = (pixel) => [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255];
  const used = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 256);
  const palette = used.map(([pixel]) => parts(pixel));
  const nearest = new Map();
  for (const pixel of counts.keys()) {
    const [r, g, b] = parts(pixel);
    const far = palette.map(([x, y, z]) => (r - x) ** 2 + (g - y) ** 2 + (b - z) ** 2);
    nearest.set(pixel, far.indexOf(Math.min(...far)));
  }
  const rows = Array.from({ length: height }, (_, y) =>
    String.fromCharCode(...pixels.subarray(y * width, (y + 1) * width).map((p) => nearest.get(p))));
  return { width, height, palette: palette.flat(), rows: rows.map(btoa) };
}"""


def small_png(browser: Browser, png: bytes) -> bytes:
    """Return the picture as a PNG with a palette, a third as large."""
    page = browser.new_page()
    url = "data:image/png;base64," + base64.b64encode(png).decode()
    found = page.evaluate(_INDEXED, url)
    page.close()
    # Rows without a filter: in flat colours they compress best as they are.
    rows = b"".join(b"\0" + base64.b64decode(row) for row in found["rows"])
    header = struct.pack(">IIBBBBB", found["width"], found["height"], 8, 3, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (
            _chunk(b"IHDR", header),
            _chunk(b"PLTE", bytes(found["palette"])),
            _chunk(b"IDAT", zlib.compress(rows, 9)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
