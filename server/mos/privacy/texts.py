"""Single texts of rows, sealed: where somebody lives, what a consent says, where a message goes.

    flats = await shown(db, org, "resident|flat", [Text(space, row.flat, (account,))])

Each is sealed for its organisation, column and row, under the key of whom it is about. What is
about two people lies under both their keys, one seal in the other: without either it opens nowhere.
A text from before texts were sealed is read as it lies, and an empty one is nobody's secret.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

import structlog

from mos.db import Db, DbError
from mos.kernel.errors import Unavailable
from mos.privacy.keyring import Keyring, Opened, Unsealed, keyring_of
from mos.privacy.sealing import KeyGone, is_sealed

_log = structlog.get_logger(__name__)

# Where the name of a device lies: several domains tell of devices by their names.
DEVICE_NAME = "device|name"
# Where a contact's address lies: care keeps it, and the worker sends there.
CONTACT_ADDRESS = "contact|address"


class Text(NamedTuple):
    """A text, the id of the row that it stands in, and whom it is about: their keys seal it."""

    row: UUID
    text: str
    of: tuple[UUID, ...]


async def sealed(db: Db, org: UUID, place: str, texts: Sequence[Text]) -> list[str]:
    """Return texts as they are to lie in "table|column". Of somebody erased nothing is kept.

    Raises Unavailable when the key store is away.
    """
    ring = keyring_of(db)
    if isinstance(ring, Unsealed):
        return [text.text for text in texts]
    keys = await _keys(ring, org, _subjects([each for each in texts if each.text]), make=True)
    return [_sealed(keys, _context(org, place, text.row), place, text) for text in texts]


async def opened(db: Db, org: UUID, place: str, texts: Sequence[Text]) -> list[str]:
    """Return texts that lie in "table|column", opened. Raises KeyGone of somebody erased.

    One round trip to the key store, or none. Raises Unavailable when it is away.
    """
    return await open_with(keyring_of(db), org, place, texts)


async def open_with(
    ring: Keyring | Unsealed, org: UUID, place: str, texts: Sequence[Text]
) -> list[str]:
    """Do what `opened` does, where no connection is at hand."""
    keys = await _keys_to(ring, org, texts)
    return [_opened(keys, _context(org, place, text.row), place, text) for text in texts]


async def shown(db: Db, org: UUID, place: str, texts: Sequence[Text]) -> list[str]:
    """Return texts that lie in "table|column", opened; of somebody erased there is nothing."""
    keys = await _keys_to(keyring_of(db), org, texts)
    found = []
    for text in texts:
        try:
            found.append(_opened(keys, _context(org, place, text.row), place, text))
        except KeyGone:
            found.append("")
    return found


async def device_names(
    db: Db, org: UUID, devices: Iterable[tuple[UUID | None, UUID | None, str | None]]
) -> list[str | None]:
    """Return the names of devices: each a device, whom it rings for, and its name as it lies.

    None where there is no device.
    """
    found = list(devices)
    lying = [Text(device or org, name or "", (owner or org,)) for device, owner, name in found]
    names = await shown(db, org, DEVICE_NAME, lying)
    return [None if was is None else name for (*_, was), name in zip(found, names, strict=True)]


async def digests(
    db: Db, org: UUID, place: str, texts: Sequence[tuple[UUID, str]]
) -> list[str | None]:
    """Return what two equal texts of one subject have in common, for each (subject, text).

    None where nothing is sealed, and of somebody erased.
    """
    ring = keyring_of(db)
    if isinstance(ring, Unsealed):
        return [None for _ in texts]
    keys = await _keys(ring, org, {subject for subject, _ in texts}, make=True)
    return [
        keys.person(subject).digest(place, text.encode()) if subject in keys else None
        for subject, text in texts
    ]


async def residents_of(db: Db, org: UUID, spaces: Collection[UUID]) -> Mapping[UUID, UUID]:
    """Return the account of the resident of each space; nobody's space has none."""
    ring = keyring_of(db)
    if isinstance(ring, Unsealed) or not spaces:
        return {}
    found = await ring.subjects.of(db, org, spaces)
    return {space: subject for space, subject in found.items() if subject != org}


async def _keys_to(ring: Keyring | Unsealed, org: UUID, texts: Sequence[Text]) -> Opened:
    if isinstance(ring, Unsealed):
        return Opened({})
    return await _keys(ring, org, _subjects([each for each in texts if is_sealed(each.text)]))


async def _keys(ring: Keyring, org: UUID, subjects: set[UUID], *, make: bool = False) -> Opened:
    try:
        return await ring.opened(org, subjects, make=make)
    except (OSError, DbError) as error:
        _log.warning("keys_away", kind=type(error).__name__)
        raise Unavailable("The keys to this do not answer just now. Try again soon.") from error


def _subjects(texts: Sequence[Text]) -> set[UUID]:
    return {subject for text in texts for subject in text.of}


def _sealed(keys: Opened, context: bytes, place: str, text: Text) -> str:
    # Whatever it looks like: what people write may begin as a sealed text does.
    if not text.text or any(subject not in keys for subject in text.of):
        return ""
    layer = text.text
    for subject in text.of:
        layer = keys.sealer(subject, place).seal_text(context, layer.encode())
    return layer


def _opened(keys: Opened, context: bytes, place: str, text: Text) -> str:
    if not is_sealed(text.text):
        return text.text
    layer = text.text
    for subject in reversed(text.of):
        layer = keys.sealer(subject, place).open_text(context, layer).decode()
    return layer


def _context(org: UUID, place: str, row: UUID) -> bytes:
    return f"{place}|{org}|{row}".encode()
