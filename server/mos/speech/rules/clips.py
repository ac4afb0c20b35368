"""What a clip must be: a short recording of one voice, by its bytes and not by what it says. Pure.

Browsers record Opus in WebM (Chromium, Firefox) or AAC in MP4 (Safari). Only the frame of a file is
read: it holds one track of sound and nothing to look at, and ends where it says that it ends.
Whether it can be heard is found out by who plays it.
"""

import hashlib
from collections.abc import Iterator

from mos.kernel.errors import Invalid
from mos.speech.model import ClipKind

# Thirty seconds, as loosely as browsers pack them.
MOST_BYTES = 400_000
# Thirty seconds are 1500 frames; a file of crumbs would keep the server busy.
_MOST_PARTS = 20_000

Part = tuple[int | bytes, bytes]


def kind_of(clip: bytes) -> ClipKind:
    """Return what a clip is. Raises Invalid for what is none, is cut short or is too large."""
    if len(clip) > MOST_BYTES:
        raise Invalid(
            f"A clip has at most {MOST_BYTES} bytes.", field="audio", code="clip_too_large"
        )
    if clip.startswith(_EBML):
        _require_webm(clip)
        return "audio/webm"
    if clip[4:8] == b"ftyp":
        _require_mp4(clip)
        return "audio/mp4"
    raise _no_clip()


def name_of(clip: bytes) -> bytes:
    """Return the id of a clip: whoever has it knows that it is whole."""
    return hashlib.sha256(clip).digest()


# ───────────────────────────────────────────────────────────── WebM (RFC 8794, 9559)
_EBML = b"\x1a\x45\xdf\xa3"
_DOC_TYPE, _TRACK, _TRACK_TYPE, _CODEC = 0x4282, 0xAE, 0x83, 0x86
_SIMPLE_BLOCK, _BLOCK = 0xA3, 0xA1
_SEGMENT, _CLUSTER = 0x18538067, 0x1F43B675
# What holds the others: it is entered. Browsers write as they record, and leave these sizes open.
_ENTERED = {0x1A45DFA3, _SEGMENT, _CLUSTER, 0x1654AE6B, _TRACK, 0xA0}
_OPEN = {_SEGMENT, _CLUSTER}


def _require_webm(clip: bytes) -> None:
    doc_types, types, codecs = set(), [], []
    tracks = blocks = 0
    for name, value in _elements(clip):
        if name == _DOC_TYPE:
            doc_types.add(value)
        elif name == _TRACK:
            tracks += 1
        elif name == _TRACK_TYPE:
            types.append(int.from_bytes(value, "big"))
        elif name == _CODEC:
            codecs.append(value)
        elif name in {_SIMPLE_BLOCK, _BLOCK}:
            blocks += 1
    if doc_types != {b"webm"} or tracks != 1 or types != [2] or codecs != [b"A_OPUS"] or not blocks:
        raise _no_clip()


def _elements(clip: bytes) -> Iterator[Part]:
    """Yield each element's name and content, of those that hold others nothing."""
    at = 0
    for _ in range(_MOST_PARTS):
        if at == len(clip):
            return
        name, at = _number(clip, at, longest=4, keep_marker=True)
        size, at = _number(clip, at, longest=8)
        if name in _ENTERED:
            if size is None and name not in _OPEN:
                raise _no_clip()
            _require_room(clip, at, size or 0)
            yield name or 0, b""
            continue
        if size is None:
            raise _no_clip()
        _require_room(clip, at, size)
        yield name or 0, clip[at : at + size]
        at += size
    raise _no_clip()


def _number(
    clip: bytes, at: int, *, longest: int, keep_marker: bool = False
) -> tuple[int | None, int]:
    """Return a number of variable length, and where it ends; None for one that says unknown."""
    first = clip[at] if at < len(clip) else 0
    length = 9 - first.bit_length()
    if first == 0 or length > longest:
        raise _no_clip()
    _require_room(clip, at, length)
    whole = int.from_bytes(clip[at : at + length], "big")
    if keep_marker:
        return whole, at + length
    value = whole & ((1 << 7 * length) - 1)
    return (None if value == (1 << 7 * length) - 1 else value), at + length


# ───────────────────────────────────────────────────────────── MP4 (ISO 14496-12)
_CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl"}


def _require_mp4(clip: bytes) -> None:
    tracks = media = 0
    handlers, codecs = [], []
    for name, value in _boxes(clip):
        if name == b"trak":
            tracks += 1
        elif name == b"hdlr":
            handlers.append(value[8:12])
        elif name == b"stsd":
            # One description: its size stands before its name.
            codecs.append(value[12:16] if value[4:8] == b"\0\0\0\1" else b"")
        elif name == b"mdat":
            media += len(value)
    if tracks != 1 or handlers != [b"soun"] or codecs != [b"mp4a"] or not media:
        raise _no_clip()


def _boxes(clip: bytes) -> Iterator[Part]:
    """Yield each box's name and content, of those that hold others nothing."""
    at = 0
    for _ in range(_MOST_PARTS):
        if at == len(clip):
            return
        _require_room(clip, at, 8)
        size, name, head = int.from_bytes(clip[at : at + 4], "big"), clip[at + 4 : at + 8], 8
        if size == 1:
            _require_room(clip, at, 16)
            size, head = int.from_bytes(clip[at + 8 : at + 16], "big"), 16
        if size < head:
            raise _no_clip()
        _require_room(clip, at, size)
        if name in _CONTAINERS:
            yield name, b""
            at += head
        else:
            yield name, clip[at + head : at + size]
            at += size
    raise _no_clip()


def _require_room(clip: bytes, at: int, size: int) -> None:
    if at + size > len(clip):
        raise Invalid("The clip was cut short.", field="audio", code="clip_cut_short")


def _no_clip() -> Invalid:
    return Invalid(
        "A clip is one voice: Opus in WebM, or AAC in MP4.", field="audio", code="no_clip"
    )
