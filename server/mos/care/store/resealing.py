"""Seals the texts that were written before texts were sealed, while MOS serves; or counts them.

Table by table, some rows in a transaction of their own, past every organisation. What is sealed
already is left alone: killed at any moment, it is run again and does the rest.
"""

from collections.abc import Callable, Sequence
from itertools import groupby
from operator import attrgetter
from uuid import UUID

from msgspec import Struct

from mos.db import Db, Pool, Queries, Query
from mos.privacy import texts
from mos.privacy.sealing import KeyGone, is_sealed
from mos.privacy.texts import CONTACT_ADDRESS, DEVICE_NAME, Text
from mos.sync.resealing import Tally

_sql = Queries(__package__, "resealing.sql")

_AT_ONCE = 500
_NOBODY = UUID(int=0)

# Told how many tables are done, and of how many.
Progress = Callable[[int, int], None]


class _Row(Struct, frozen=True):
    org: UUID
    id: UUID
    of: list[UUID]
    text: str


class _Place(Struct, frozen=True):
    """A column, "table|column", and the statements that read and replace it."""

    name: str
    read: Query[_Row]
    write: Query[None]


_PLACES = (
    _Place("resident|flat", _sql.query("flats_after", _Row), _sql.command("replace_flats")),
    _Place(
        "relation|consent", _sql.query("consents_after", _Row), _sql.command("replace_consents")
    ),
    _Place(
        DEVICE_NAME, _sql.query("device_names_after", _Row), _sql.command("replace_device_names")
    ),
    _Place(
        "passkey|name",
        _sql.query("passkey_names_after", _Row),
        _sql.command("replace_passkey_names"),
    ),
    _Place(
        "contact|label",
        _sql.query("contact_labels_after", _Row),
        _sql.command("replace_contact_labels"),
    ),
    _Place(
        CONTACT_ADDRESS,
        _sql.query("contact_addresses_after", _Row),
        _sql.command("replace_contact_addresses"),
    ),
)


async def seal_texts(
    pool: Pool, *, check: bool = False, progress: Progress = lambda _done, _of: None
) -> Tally:
    """Seal whatever text lies plain, as the owner of the schema; return what was found.

    With `check` nothing is changed: everything is opened, and what is plain is counted. Raises
    SealBroken for a text that does not open.
    """
    tally = Tally()
    for done, place in enumerate(_PLACES, 1):
        await _seal_place(pool, place, tally, check=check)
        progress(done, len(_PLACES))
    return tally


async def _seal_place(pool: Pool, place: _Place, tally: Tally, *, check: bool) -> None:
    org, after = _NOBODY, _NOBODY
    while True:
        async with pool.transaction() as db:
            rows = await db.all(place.read, org=org, id=after, limit=_AT_ONCE)
            for one, of_one in groupby(rows, attrgetter("org")):
                here = [row for row in of_one if row.text]
                tally.rows += len(here)
                plain = [row for row in here if not is_sealed(row.text)]
                if check:
                    await _open(db, one, place, here, tally)
                    tally.plain += len(plain)
                elif plain:
                    await _replace(db, one, place, plain, tally)
        if not rows:
            return
        org, after = rows[-1].org, rows[-1].id


async def _open(db: Db, org: UUID, place: _Place, rows: Sequence[_Row], tally: Tally) -> None:
    try:
        await texts.opened(db, org, place.name, [_text(row) for row in rows])
    except KeyGone:
        # Of somebody erased, whose row is there: in a restored backup, before the replay.
        shown = await texts.shown(db, org, place.name, [_text(row) for row in rows])
        tally.gone += shown.count("")


async def _replace(db: Db, org: UUID, place: _Place, rows: Sequence[_Row], tally: Tally) -> None:
    sealed = await texts.sealed(db, org, place.name, [_text(row) for row in rows])
    pairs = [(row, text) for row, text in zip(rows, sealed, strict=True) if text]
    # Nothing is sealed for somebody erased: the replay of the erasures takes what is there.
    tally.gone += len(rows) - len(pairs)
    more: dict[str, list[UUID] | list[str | None]] = {}
    if "owners" in place.write.params:
        more["owners"] = [row.of[0] for row, _ in pairs]
    if "digests" in place.write.params:
        owned = [(row.of[0], row.text) for row, _ in pairs]
        more["digests"] = await texts.digests(db, org, place.name, owned)
    tally.plain += await db.run(
        place.write,
        orgs=[row.org for row, _ in pairs],
        ids=[row.id for row, _ in pairs],
        befores=[row.text for row, _ in pairs],
        texts=[text for _, text in pairs],
        **more,
    )


def _text(row: _Row) -> Text:
    return Text(row.id, row.text, tuple(row.of))
