"""Words of speech. Types only."""

from typing import Any, Literal
from uuid import UUID

from msgspec import Struct

# What browsers record.
ClipKind = Literal["audio/webm", "audio/mp4"]


class Words(Struct, frozen=True):
    """What is to be said, in which language (`sv`, `en`, `fi`)."""

    language: str
    text: str


class Sound(Struct, frozen=True):
    """Something to play: its media type, and the file."""

    kind: str
    body: bytes


class Planned(Struct, frozen=True):
    """The record of a reminder or an order."""

    org: UUID
    space: UUID
    rec: UUID
    coll: str
    doc: dict[str, Any]


class Clip(Struct, frozen=True):
    """What somebody recorded: its media type, and the file as the database keeps it."""

    kind: ClipKind
    body: bytes


class Held(Struct, frozen=True):
    """How much a resident's clips are: their number, and their bytes."""

    count: int
    bytes: int
