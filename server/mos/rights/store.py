"""What people asked for of themselves: its rows, and its pieces, sealed for whom they are of."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from mos.db import Db, Queries
from mos.kernel.errors import NotFound
from mos.privacy.keyring import Unsealed, keyring_of
from mos.privacy.sealing import Sealer
from mos.rights import rules
from mos.rights.model import Export, Form, Language, State

_PLACE = "export_part|body"


class Claim(Struct, frozen=True):
    """One that a worker has taken on; `tries` says whose turn it is."""

    org: UUID
    id: UUID
    account: UUID
    language: Language
    tries: int


class Person(Struct, frozen=True):
    """Whose name stands where an id would."""

    id: UUID
    name: str
    role: str


class Unit(Struct, frozen=True):
    """A unit, and where it is."""

    id: UUID
    name: str
    zone: str


class Place(Struct, frozen=True):
    """Whose organisation it is, and in which zone somebody's times are told."""

    name: str
    zone: str


class Named(Struct, frozen=True):
    """A name for a space."""

    id: UUID
    name: str


class _Row(Struct, frozen=True):
    id: UUID
    account: UUID
    name: str
    space: UUID | None
    asked_at: datetime
    state: State
    rows: int
    json_size: int | None
    pdf_size: int | None


class _Yes(Struct, frozen=True):
    yes: bool


class _Body(Struct, frozen=True):
    body: bytes


_sql = Queries(__package__, "store.sql")
_EXPORTS = _sql.query("exports", _Row)
_LOCK_ASKING = _sql.query("lock_asking", _Yes)
_DROP_ASKED = _sql.command("drop_asked")
_ADD = _sql.command("add")
_DROP = _sql.command("drop_export")
_CLAIM = _sql.query("claim", Claim)
_BEAT = _sql.command("beat")
_LOCK = _sql.query("lock_export", _Yes)
_MADE = _sql.command("made")
_FAILED = _sql.command("failed")
_ADD_PART = _sql.command("add_part")
_PART = _sql.query("part", _Body)
_FETCHED = _sql.command("fetched")
_ERASE = _sql.command("erase")
_ERASE_OF_SPACE = _sql.command("erase_of_space")
_PEOPLE = _sql.query("people", Person)
_UNITS = _sql.query("units", Unit)
_PLACE_OF = _sql.query("place", Place)
_RESIDENTS = _sql.query("residents", Named)


# ────────────────────────────────────────────────── what was asked for


async def exports(  # noqa: PLR0913  which
    db: Db,
    org: UUID,
    by: UUID,
    now: datetime,
    *,
    account: UUID | None = None,
    one: UUID | None = None,
) -> list[Export]:
    """Return what somebody has asked for and can still fetch, the latest first."""
    rows = await db.all(
        _EXPORTS, org=org, by=by, after=now - rules.KEPT, account=account, id=one
    )  # fmt: skip
    return [
        Export(
            id=row.id, account=row.account, name=row.name, space=row.space, asked_at=row.asked_at,
            until=row.asked_at + rules.KEPT, state=row.state, rows=row.rows,
            json_size=row.json_size, pdf_size=row.pdf_size,
        )
        for row in rows
    ]  # fmt: skip


async def lock_asking(db: Db, org: UUID, account: UUID, by: UUID) -> None:
    """Let nobody else ask the same at the same time, until the transaction ends."""
    await db.one(_LOCK_ASKING, org=org, account=account, by=by)


async def ask_anew(  # noqa: PLR0913  one row's columns
    db: Db, org: UUID, export: UUID, account: UUID, *, by: UUID, language: Language, now: datetime
) -> None:
    """Ask for all that there is of an account, in place of what was asked for before."""
    await db.run(_DROP_ASKED, org=org, account=account, by=by)
    await db.run(
        _ADD, org=org, id=export, account=account, by=by, language=language, now=now
    )  # fmt: skip


async def drop(db: Db, org: UUID, export: UUID, *, by: UUID) -> bool:
    """Delete what somebody has asked for; False where there is none of theirs."""
    return await db.run(_DROP, org=org, id=export, by=by) == 1


async def erase(db: Db, org: UUID, account: UUID) -> None:
    """Delete what was made of an account, and for it."""
    await db.run(_ERASE, org=org, account=account)


async def erase_of_space(db: Db, org: UUID, space: UUID) -> None:
    """Delete what was made of a space's resident."""
    await db.run(_ERASE_OF_SPACE, org=org, space=space)


# ────────────────────────────────────────────────── how it is made


async def claim(db: Db, now: datetime) -> Claim | None:
    """Take the next one on, of whichever organisation. Needs no scope."""
    return await db.one(_CLAIM, now=now, silent=now - rules.SILENT_AFTER)


async def beat(db: Db, it: Claim, rows: int, now: datetime) -> None:
    """Say that it is being made, and how much was read."""
    await db.run(_BEAT, org=it.org, id=it.id, tries=it.tries, rows=rows, now=now)


async def is_ours(db: Db, it: Claim) -> bool:
    """Lock it; return whether it is still there and still this claim's to make."""
    return await db.one(_LOCK, org=it.org, id=it.id, tries=it.tries) is not None


async def made(  # noqa: PLR0913  one row's columns
    db: Db, it: Claim, now: datetime, *, rows: int, json_size: int, pdf_size: int
) -> None:
    """Let it be fetched."""
    await db.run(
        _MADE, org=it.org, id=it.id, tries=it.tries, now=now, rows=rows, json_size=json_size,
        pdf_size=pdf_size,
    )  # fmt: skip


async def failed(db: Db, it: Claim, now: datetime) -> None:
    """Give it up."""
    await db.run(_FAILED, org=it.org, id=it.id, tries=it.tries, now=now)


class Pieces:
    """Keeps the pieces of one form of an export, sealed, in their order."""

    def __init__(self, db: Db, it: Claim, form: Form, sealer: Sealer | None) -> None:
        """Write pieces of `it` through `db`; without a sealer they lie as they are."""
        self._db, self._it, self._form, self._sealer = db, it, form, sealer
        self._n = 0
        self.size = 0

    async def add(self, plain: bytes) -> None:
        """Keep one more piece."""
        body = plain
        if self._sealer is not None:
            body = self._sealer.seal(
                _context(self._it.org, self._it.id, self._form, self._n), plain
            )
        await self._db.run(
            _ADD_PART, org=self._it.org, id=self._it.id, form=self._form, n=self._n, body=body
        )
        self._n += 1
        self.size += len(plain)


async def sealer_of(db: Db, org: UUID, account: UUID) -> Sealer | None:
    """Return what seals and opens an account's pieces. Raises KeyGone of somebody erased."""
    ring = keyring_of(db)
    if isinstance(ring, Unsealed):
        return None
    return (await ring.opened(org, [account], make=True)).sealer(account, _PLACE)


async def piece(  # noqa: PLR0913, PLR0917  which one
    db: Db, org: UUID, export: Export, form: Form, n: int, sealer: Sealer | None
) -> bytes | None:
    """Return a piece, opened; None after the last. Raises KeyGone of somebody erased."""
    row = await db.one(_PART, org=org, id=export.id, form=form, n=n)
    if row is None:
        return None
    if sealer is None:
        return row.body
    return sealer.open(_context(org, export.id, form, n), row.body)


async def fetched(db: Db, org: UUID, export: UUID, now: datetime) -> None:
    """Note when it was last fetched."""
    await db.run(_FETCHED, org=org, id=export, now=now)


def _context(org: UUID, export: UUID, form: Form, n: int) -> bytes:
    return f"export_part|{org}|{export}|{form}|{n}".encode()


# ────────────────────────────────────────────────── names for ids


async def people(db: Db, org: UUID, ids: Iterable[UUID]) -> dict[UUID, Person]:
    """Return who accounts are, by id."""
    return {row.id: row for row in await db.all(_PEOPLE, org=org, ids=list(ids))}


async def units(db: Db, org: UUID) -> dict[UUID, Unit]:
    """Return the organisation's units, by id."""
    return {row.id: row for row in await db.all(_UNITS, org=org)}


async def residents(db: Db, org: UUID, spaces: Iterable[UUID]) -> dict[UUID, str]:
    """Return who lives in spaces."""
    return {row.id: row.name for row in await db.all(_RESIDENTS, org=org, spaces=list(spaces))}


async def place(db: Db, org: UUID, account: UUID) -> Place:
    """Return whose organisation it is, and where an account's times are told."""
    found = await db.one(_PLACE_OF, org=org, account=account)
    if found is None:
        raise NotFound("There is no such organisation.")
    return found
