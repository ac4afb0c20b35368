"""What is asked for and what came of it. Types only."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

# As data, complete; and to be read by people.
Form = Literal["json", "pdf"]

State = Literal["waiting", "made", "failed"]

Language = Literal["sv", "en", "fi"]


class Export(Struct, frozen=True, kw_only=True):
    """What somebody has asked for: of whom, how far it is, and until when it can be fetched.

    `space` is a resident's day, null of others; `rows` how much was read so far; the sizes are in
    bytes, null until it is made.
    """

    id: UUID
    account: UUID
    name: str
    space: UUID | None
    asked_at: datetime
    until: datetime
    state: State
    rows: int
    json_size: int | None
    pdf_size: int | None


class Section(Struct, frozen=True):
    """A part of what is read by people: a heading, a line about it, and a table."""

    heading: str
    note: str
    columns: list[str]
    # How wide the columns are beside each other.
    widths: list[int]
    rows: list[list[str]]


class Readable(Struct, frozen=True):
    """What is read by people, from its title to its last table."""

    language: Language
    title: str
    # What stands at the foot of each page; the numbers come in place of {page} and {pages}.
    foot: str
    about: list[str]
    sections: list[Section]
