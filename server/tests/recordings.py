"""Recordings as browsers make them, written by hand: silence of a few frames."""


def _element(name: str, *parts: bytes, open_ended: bool = False) -> bytes:
    content = b"".join(parts)
    size = b"\x01" + b"\xff" * 7 if open_ended else (len(content) | 1 << 56).to_bytes(8, "big")
    return bytes.fromhex(name) + size + content


def a_webm(
    *, frames: int = 50, codec: bytes = b"A_OPUS", kind: bytes = b"\x02", doc_type: bytes = b"webm",
    tracks: int = 1, of: bytes = b"\xfc\xff\xfe",
) -> bytes:  # fmt: skip
    """Return Opus in WebM as Chromium writes it: the sizes of what it records into stay open."""
    track = _element("ae", _element("83", kind), _element("86", codec))
    times = [(n * 20 % 30_000).to_bytes(2, "big") for n in range(frames)]
    blocks = [_element("a3", b"\x81" + time + b"\x80" + of) for time in times]
    return _element("1a45dfa3", _element("4282", doc_type)) + _element(
        "18538067",
        _element("1549a966", _element("2ad7b1", b"\x0f\x42\x40")),
        _element("1654ae6b", *[track] * tracks),
        _element("1f43b675", _element("e7", b"\0"), *blocks, open_ended=True),
        open_ended=True,
    )


def _box(name: bytes, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return (len(content) + 8).to_bytes(4, "big") + name + content


def an_mp4(
    *, codec: bytes = b"mp4a", handler: bytes = b"soun", tracks: int = 1, fragmented: bool = True
) -> bytes:
    """Return AAC in MP4 as Safari writes it, in fragments or whole."""
    described = _box(b"stsd", b"\0" * 4 + b"\0\0\0\1", _box(codec, b"\0" * 28))
    media = _box(
        b"mdia",
        _box(b"hdlr", b"\0" * 8 + handler + b"\0" * 13),
        _box(b"minf", _box(b"stbl", described)),
    )
    moov = _box(b"moov", _box(b"mvhd", b"\0" * 100), *[_box(b"trak", media)] * tracks)
    data = _box(b"mdat", b"\x21\x10\x04" * 40)
    start = _box(b"ftyp", b"iso5\0\0\0\1iso5hlsf")
    if fragmented:
        return start + moov + _box(b"moof", _box(b"mfhd", b"\0" * 8)) + data
    return start + data + moov
