"""The logs as people read them, and the samples. Whose they are, the transaction has named."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct, structs

from mos.audit.model import Kind, Purpose
from mos.db import Db, Queries
from mos.privacy.keyring import Unsealed, keyring_of
from mos.privacy.sealing import Sealer
from mos.privacy.texts import device_names
from mos.review.model import Access, Line, Month, Outcome, Reading, Sample, Seen

_sql = Queries(__package__, "store.sql")

_PLACE = "access_sample|note"


class Filter(Struct, frozen=True):
    """Which lines: from `since` until before `until`, of a resident, a person, a kind."""

    since: datetime
    until: datetime
    space: UUID | None = None
    account: UUID | None = None
    kind: Kind | None = None


class Drawn(Struct, frozen=True):
    """Of how many lines how many were drawn."""

    lines: int
    drawn: int


class _Let(Struct, frozen=True):
    everything: bool
    units: bool
    spaces: bool
    chain: bool


class _Latest(Struct, frozen=True):
    at: datetime | None


class _Device(Struct, frozen=True, kw_only=True):
    # A device's name as it lies, and whose it is: the device and whom it rings for by now.
    device: str | None
    device_id: UUID | None
    owner: UUID | None


class _Line(_Device, frozen=True, kw_only=True):
    n: int
    content: str
    person: str | None
    whom: str | None


class _Access(_Device, frozen=True, kw_only=True):
    id: UUID
    at: datetime
    space: UUID
    resident: str
    unit: str
    account: UUID
    person: str
    role: str
    kind: Kind
    what: str
    purpose: Purpose


class _Content(Struct, frozen=True):
    at: str
    event: str
    by: UUID | None = None
    of: UUID | None = None
    says: dict[str, Any] = {}


class _Due(Struct, frozen=True):
    org: UUID


class _Sample(_Access, frozen=True, kw_only=True):
    month: date
    outcome: Outcome | None
    note: str
    reviewer: str | None
    reviewed_at: datetime | None


_LET_READ = _sql.query("let_read", _Let)
_ACCESSES = _sql.query("accesses", _Access)
_SEEN = _sql.query("seen", Seen)
_LATEST = _sql.query("latest_before", _Latest)
_CHAIN = _sql.query("chain", _Line)
_MONTHS = _sql.query("months", Month)
_SAMPLES = _sql.query("samples", _Sample)
_REVIEW = _sql.command("review")
_DUE = _sql.query("due", _Due)
_DRAW = _sql.query("draw", Drawn)


async def let_read(db: Db, reading: Reading, spaces: Iterable[UUID] = ()) -> None:
    """Let the rest of the transaction read this of the logs, and the accesses to `spaces`."""
    await db.one(
        _LET_READ,
        everything=_yes(on=reading.everything),
        units=_array(reading.units),
        spaces=_array(spaces),
        chain=_yes(on=reading.chain),
    )


async def accesses(
    db: Db, org: UUID, wanted: Filter, before: tuple[datetime, UUID] | None, limit: int
) -> list[Access]:
    """Return up to `limit` lines, latest first, `before` the moment and id of another."""
    at, entry = before or (None, None)
    rows = await db.all(
        _ACCESSES,
        org=org,
        since=wanted.since,
        until=wanted.until,
        space=wanted.space,
        account=wanted.account,
        kind=wanted.kind,
        before_at=at,
        before_id=entry,
        limit=limit,
    )
    devices = await _devices(db, org, rows)
    return [_access(row, device) for row, device in zip(rows, devices, strict=True)]


async def seen(  # noqa: PLR0913, PLR0917  a resident, and between when and when, where
    db: Db, org: UUID, space: UUID, since: datetime, until: datetime, zone: str
) -> list[Seen]:
    """Return who did what with a resident's data, by day in `zone` and person, latest first."""
    return await db.all(_SEEN, org=org, space=space, since=since, until=until, zone=zone)


async def latest_before(db: Db, org: UUID, space: UUID, until: datetime) -> datetime | None:
    """Return when somebody last did something with a resident's data, or None."""
    row = await db.one(_LATEST, org=org, space=space, until=until)
    return row.at if row else None


async def chain(  # noqa: PLR0913  which lines
    db: Db,
    org: UUID,
    *,
    between: tuple[str, str],
    event: str | None,
    account: UUID | None,
    before: int | None,
    limit: int,
) -> list[Line]:
    """Return up to `limit` lines of the chain, latest first, below the number `before`.

    `between` are two moments as lines write them.
    """
    rows = await db.all(
        _CHAIN,
        org=org,
        since=between[0],
        until=between[1],
        event=event,
        account=account,
        before=before,
        limit=limit,
    )
    devices = await _devices(db, org, rows)
    return [_line(row, device) for row, device in zip(rows, devices, strict=True)]


async def months(db: Db, org: UUID) -> list[Month]:
    """Return the months that were drawn, latest first."""
    return await db.all(_MONTHS, org=org)


async def samples(
    db: Db, org: UUID, month: date, reader: UUID, *, entry: UUID | None = None
) -> list[Sample]:
    """Return what was drawn of a month, or that one entry; notes opened."""
    rows = await db.all(_SAMPLES, org=org, month=month, entry=entry)
    sealer = await _sealer(db, org) if any(row.note for row in rows) else None
    made = []
    for row, device in zip(rows, await _devices(db, org, rows), strict=True):
        plain = ""
        if row.note and sealer is not None:
            plain = _opened(sealer, org, row.month, row.id, row.note)
        made.append(
            Sample(
                row.month, _access(row, device), row.outcome, plain, row.reviewer, row.reviewed_at,
                own=row.account == reader,
            )
        )  # fmt: skip
    return made


async def review(  # noqa: PLR0913  one look
    db: Db,
    org: UUID,
    month: date,
    entry: UUID,
    *,
    outcome: Outcome,
    note: str,
    by: UUID,
    now: datetime,
) -> bool:
    """Keep what came of a look; return whether it could still be decided."""
    sealed = ""
    if note:
        sealer = await _sealer(db, org)
        sealed = sealer.seal_text(_context(org, month, entry), note.encode())
    done = await db.run(
        _REVIEW, org=org, month=month, entry=entry, outcome=outcome, note=sealed, by=by, now=now
    )
    return done > 0


async def due(db: Db, month: date, limit: int) -> list[UUID]:
    """Return organisations of which a month is not drawn yet. Needs the engine's role."""
    return [row.org for row in await db.all(_DUE, month=month, limit=limit)]


async def draw(  # noqa: PLR0913, PLR0917  what a draw is made of
    db: Db, org: UUID, month: date, seed: str, each: int, now: datetime
) -> Drawn | None:
    """Draw a month of an organisation; None where that was done. Needs the engine's role."""
    return await db.one(_DRAW, org=org, month=month, seed=seed, each=each, now=now)


async def note_of(db: Db, org: UUID, month: date, entry: UUID, sealed: str) -> str:
    """Return the note on an entry of a month's sample, as it lies, opened."""
    return _opened(await _sealer(db, org), org, month, entry, sealed) if sealed else ""


def _opened(sealer: Sealer, org: UUID, month: date, entry: UUID, sealed: str) -> str:
    return sealer.open_text(_context(org, month, entry), sealed).decode()


async def _sealer(db: Db, org: UUID) -> Sealer:
    """Return what seals and opens notes: they are the organisation's own."""
    ring = keyring_of(db)
    if isinstance(ring, Unsealed):
        raise RuntimeError("notes are kept sealed alone")  # noqa: TRY004  nobody's request
    return (await ring.opened(org, [org], make=True)).sealer(org, _PLACE)


async def _devices(db: Db, org: UUID, rows: Sequence[_Device]) -> list[str | None]:
    return await device_names(db, org, ((row.device_id, row.owner, row.device) for row in rows))


def _access(row: _Access, device: str | None) -> Access:
    return structs.replace(msgspec.convert(row, Access, from_attributes=True), device=device)


def _line(row: _Line, device: str | None) -> Line:
    said = msgspec.json.decode(row.content, type=_Content)
    return Line(
        row.n, said.at, said.event, said.by, row.person, said.of, row.whom, device, said.says
    )


def _context(org: UUID, month: date, entry: UUID) -> bytes:
    return f"{_PLACE}|{org}|{month}|{entry}".encode()


def _yes(*, on: bool) -> str:
    return "yes" if on else "no"


def _array(ids: Iterable[UUID]) -> str:
    return "{" + ",".join(str(each) for each in sorted(ids)) + "}"
