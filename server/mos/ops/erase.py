"""`mos erase`: a resident's content goes for good, after a restore too."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar
from uuid import UUID

import msgspec
import typer

from mos import wiring
from mos.audit import log
from mos.audit.model import INSTALLATION, Happened
from mos.care import rules, store
from mos.care.store import ErasedPerson
from mos.db import DbError, Pool, Scope, connect
from mos.ops import key_store
from mos.ops.clusters import keys_dsn, main_dsn, secrets_of
from mos.ops.data_directory import Refused
from mos.ops.settings import ROOT, read_clock
from mos.privacy.keyring import Keyring
from mos.privacy.keystore import ROLE as KEYS_ROLE
from mos.sync import erasure
from mos.sync.erasure import Erasure

Answer = TypeVar("Answer")

_Data = Annotated[Path, typer.Option(help="The data directory of `mos up`.")]
_DATA = ROOT / "var"
_LONGEST_WHY = 400

command = typer.Typer(help="Erase what a space holds, for good.", no_args_is_help=True)


@command.command()
def space(
    org: Annotated[UUID, typer.Argument(help="The organisation's id.")],
    space: Annotated[UUID, typer.Argument(help="The space's id.")],
    data: _Data = _DATA,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase all that a space holds: nothing brings it back. The person stays."""
    if not yes:
        typer.confirm(f"Erase the content of {space} for good?", abort=True)
    if not _run(lambda pool, now: _erase(pool, Erasure(org, space, now)), data):
        _refuse(f"there is no space {space} in {org}")
    print(f"erased  {space}")


@command.command()
def person(
    org: Annotated[UUID, typer.Argument(help="The organisation's id.")],
    account: Annotated[UUID, typer.Argument(help="The person's account.")],
    despite: Annotated[
        str | None, typer.Option(help="Why, although the law would have a care record kept.")
    ] = None,
    data: _Data = _DATA,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase somebody whole: keys, content, name, devices. Nothing brings any of it back.

    Refused while a hold is set, and for a resident of a care provider until ten years after they
    were archived (--despite says why not). In copies of the key store that are older than this it
    is unreadable once a new epoch has begun: `mos keys rotate` begins one at once.
    """
    kept = _run(lambda pool, _now: _kept(pool, org, account), data)
    if kept is None:
        _refuse(f"there is no account {account} in {org}")
    refusal = _run(lambda _pool, now: _why_kept(kept, now), data)
    if refusal == "legal_hold":
        _refuse(f"a hold is set ({kept.hold}): `mos erase lift` takes it away")
    if despite is not None and not 0 < len(despite.strip()) <= _LONGEST_WHY:
        _refuse(f"say why, in at most {_LONGEST_WHY} characters")
    if refusal is not None and despite is None:
        _refuse(
            "a care record is kept ten years after it was closed (patientdatalagen 3:17); "
            "where that does not hold, say why with --despite"
        )
    if not yes:
        typer.confirm(f"Erase {account} for good?", abort=True)
    _run(lambda pool, now: _erase_person(pool, ErasedPerson(org, account, now), despite), data)
    print(f"erased  {account}")
    print("In older copies of the key store it opens until the next epoch: `mos keys rotate`.")


@command.command()
def hold(
    org: Annotated[UUID, typer.Argument(help="The organisation's id.")],
    account: Annotated[UUID, typer.Argument(help="The person's account.")],
    why: Annotated[str, typer.Argument(help="What has them kept, as a case's number.")],
    data: _Data = _DATA,
) -> None:
    """Let somebody be kept, whatever anybody asks, until the hold is lifted."""
    if not why.strip() or len(why) > _LONGEST_WHY:
        _refuse(f"say why, in at most {_LONGEST_WHY} characters")
    if not _run(lambda pool, now: _hold(pool, org, account, why.strip(), now), data):
        _refuse(f"there is no account {account} in {org}")
    print(f"held    {account}")


@command.command()
def lift(
    org: Annotated[UUID, typer.Argument(help="The organisation's id.")],
    account: Annotated[UUID, typer.Argument(help="The person's account.")],
    data: _Data = _DATA,
) -> None:
    """Take a hold away."""
    if not _run(lambda pool, now: _lift(pool, org, account, now), data):
        _refuse(f"nothing holds {account}")
    print(f"lifted  {account}")


@command.command("list")
def ledger(data: _Data = _DATA) -> None:
    """Print the ledger of what was erased (ids only), to be kept beside the backups."""
    spaces, people = _run(lambda pool, _now: _known(pool), data)
    for entry in (*spaces, *people):
        print(msgspec.json.encode(entry).decode())


@command.command()
def replay(
    file: Annotated[
        typer.FileText, typer.Argument(help="The ledger as `list` printed it; - reads stdin.")
    ],
    data: _Data = _DATA,
) -> None:
    """Erase again, in a database restored from a backup, what was erased since that was made."""
    try:
        kept = [msgspec.json.decode(line, type=_Entry) for line in file if line.strip()]
    except msgspec.DecodeError as error:
        _refuse(f"this is no ledger: {error}")
    for erased in _run(lambda pool, _now: _replay(pool, kept), data):
        print(f"erased  {erased}")


class _Entry(msgspec.Struct, frozen=True):
    """A line of the ledger: of a space, or of a person."""

    org: UUID
    at: datetime
    space: UUID | None = None
    account: UUID | None = None


async def _known(pool: Pool) -> tuple[list[Erasure], list[ErasedPerson]]:
    async with pool.transaction() as db:
        return await erasure.erasures(db), await store.erased_people(db)


async def _erase(pool: Pool, entry: Erasure) -> bool:
    async with pool.transaction() as db:
        return await wiring.erase(db, entry.org, entry.space, entry.at)


async def _erase_person(pool: Pool, entry: ErasedPerson, despite: str | None) -> bool:
    async with pool.transaction() as db:
        return await wiring.erase_person(db, entry.org, entry.account, entry.at, despite=despite)


async def _kept(pool: Pool, org: UUID, account: UUID) -> store.Kept | None:
    async with pool.transaction(Scope(org)) as db:
        return await store.kept_for(db, org, account)


async def _why_kept(kept: store.Kept, now: datetime) -> rules.Refusal | None:
    return rules.why_kept(
        kept.policy,
        hold=kept.hold,
        is_resident=kept.space is not None,
        archived_at=kept.archived_at,
        now=now,
    )


async def _hold(pool: Pool, org: UUID, account: UUID, why: str, now: datetime) -> bool:
    async with pool.transaction(Scope(org)) as db:
        if await store.kept_for(db, org, account) is None:
            return False
        await store.hold(db, org, account, why, by=INSTALLATION, now=now)
        log.note(db, org, Happened(event="hold_set", of=account), now)
        return True


async def _lift(pool: Pool, org: UUID, account: UUID, now: datetime) -> bool:
    async with pool.transaction(Scope(org)) as db:
        if not await store.lift(db, org, account):
            return False
        log.note(db, org, Happened(event="hold_lifted", of=account), now)
        return True


async def _replay(pool: Pool, kept: Iterable[_Entry]) -> list[UUID]:
    """Erase what the database has and does not know to be erased; return the ids."""
    kept = list(kept)
    spaces, people = await _known(pool)
    known = {(entry.org, entry.account) for entry in people}
    done = [
        entry.account
        for entry in kept
        if entry.account
        and (entry.org, entry.account) not in known
        and await _erase_person(pool, ErasedPerson(entry.org, entry.account, entry.at), None)
    ]
    # With a person go their spaces: look again.
    spaces, _ = await _known(pool)
    told = [Erasure(entry.org, entry.space, entry.at) for entry in kept if entry.space]
    done += [entry.space for entry in erasure.not_yet(told, spaces) if await _erase(pool, entry)]
    return done


def _run(work: Callable[[Pool, datetime], Awaitable[Answer]], data: Path = _DATA) -> Answer:
    try:
        return asyncio.run(_with_pool(work, data))
    except (Refused, *key_store.FAILURES) as error:
        _refuse(str(error))
    except (OSError, DbError) as error:
        _refuse(f"cannot reach the database ({error}): is `mos up` running?")


async def _with_pool(work: Callable[[Pool, datetime], Awaitable[Answer]], data: Path) -> Answer:
    keys = await connect(keys_dsn(data), role=KEYS_ROLE, size=2)
    try:
        ring = Keyring(keys, secrets_of(data))
        pool = await connect(main_dsn(data), role="mos_app", size=1, keyring=ring)
        try:
            return await work(pool, read_clock()())
        finally:
            await pool.close()
    finally:
        await keys.close()


def _refuse(why: str) -> NoReturn:
    print(f"mos erase: {why}", file=sys.stderr)
    sys.exit(1)
