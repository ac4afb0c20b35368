"""The real server under the simulation: `mos.sync.actions` on PostgreSQL, one transaction a seed.

The transaction is never committed, so a seed leaves nothing behind, and a restore of the server to
an earlier point is a savepoint that is returned to. Row-level security is on: requests run as
`mos_app`; what an operator does runs as the owner.
"""

import gzip
import re
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from asyncpg.connection import Connection

from mos.db.pool import Db, Scope
from mos.ops.sim.reference import Json, Who
from mos.privacy.keyring import Unsealed
from mos.sync import actions
from mos.sync.archive import archive, file_of
from mos.sync.compaction import compact
from mos.sync.model import Author, Collections, Grant, Held, Hello, Pull, PushHead
from mos.wiring import erase

ORG = UUID("0193b3a0-0000-7000-8000-000000000001")

_ROLE = re.compile("[a-z_]+")


async def open_connection(dsn: str) -> "Connection[Any]":
    """Return a connection for `Server`, as the owner of the database."""
    settings = {"jit": "off", "timezone": "UTC", "statement_timeout": "60s"}
    connection = await asyncpg.connect(dsn, server_settings=settings)
    await connection.set_type_codec(
        "jsonb",
        encoder=lambda value: (value if isinstance(value, bytes) else _encode(value)).decode(),
        decoder=msgspec.json.decode,
        schema="pg_catalog",
    )
    return connection


_encode = msgspec.json.encode


class Server:
    """One seed's server, from `begin` to `end`."""

    def __init__(self, connection: "Connection[Any]", collections: Collections) -> None:
        """Serve over this connection alone."""
        self._connection = connection
        self._db = Db(connection, keyring=Unsealed())
        self.collections = collections
        self._temporary: TemporaryDirectory[str] | None = None

    async def begin(self, spaces: list[str]) -> None:
        """Start with empty spaces."""
        rows = ", ".join(f"('{ORG}', '{UUID(space)}', 'resident')" for space in spaces)
        await self._connection.execute(
            "BEGIN; INSERT INTO organisation (org_id, name, policy, zone, language, created_at) "  # noqa: S608  UUIDs
            f"VALUES ('{ORG}', 'Sim', 'family', 'UTC', 'sv', '2026-01-01'); "
            f"INSERT INTO space (org_id, space_id, kind) VALUES {rows}; SET LOCAL ROLE mos_app"
        )

    async def end(self) -> None:
        """Forget everything."""
        await self._connection.execute("ROLLBACK")
        if self._temporary is not None:
            self._temporary.cleanup()

    @property
    def _archive(self) -> Path:
        """The folder of archives, made when one is needed."""
        if self._temporary is None:
            self._temporary = TemporaryDirectory(prefix="mos-sim-archive-")
        return Path(self._temporary.name)

    # ── requests

    async def ask(self, kind: str, body: Json, who: Who, now_ms: int) -> Json:
        """Answer a device's request, as the web process does; moments are in ms."""
        now = moment(now_ms)
        text = _encode(body | {"client_now": moment(body["client_now"])})
        mine = {UUID(space): words for space, words in who.reach.items()}
        listed = {
            space: Grant(space, "caregiver", sorted(words), "resident")
            for space, words in mine.items()
        }
        match kind:
            case "push":
                author = Author(
                    org=ORG,
                    account=UUID(who.account),
                    session=UUID(who.account),
                    device=UUID(who.device),
                    schema=who.schema,
                    reach=mine,
                    had={
                        UUID(space): tuple(
                            Held(had.words, moment(had.since), moment(had.until)) for had in rights
                        )
                        for space, rights in who.had.items()
                    },
                )
                request = msgspec.json.decode(text, type=PushHead)
                answer: Any = await actions.push(self._db, author, request, self.collections, now)
            case "pull":
                asked = msgspec.json.decode(text, type=Pull)
                answer = await actions.pull(self._db, ORG, listed, asked, now)
            case _:
                greeting = text.replace(b'"proto":1', b'"proto":[1,1]')
                greeting = greeting[:-1] + b',"app":"sim"}'
                hello = msgspec.json.decode(greeting, type=Hello)
                answer = await actions.hello(self._db, ORG, UUID(who.account), listed, hello, now)
        out: Json = msgspec.json.decode(_encode(answer))
        return out | {"server_now": now_ms}

    # ── what an operator does, or what fails

    async def sql(self, statement: str, *args: Any) -> list[Any]:
        """Run a statement past row-level security; return its rows."""
        await self._connection.execute("RESET ROLE")
        try:
            return await self._connection.fetch(statement, *args)
        finally:
            await self._connection.execute("SET LOCAL ROLE mos_app")

    async def upkeep(self, what: str, space: str, now_ms: int) -> None:
        """Forget old deletions of a space (`compact`), archive its old ops, or erase it."""
        key, now = UUID(space), moment(now_ms)
        await self._db.scope(Scope(ORG, (key,)))
        match what:
            case "compact":
                await compact(self._db, ORG, key, now)
            case "archive":
                await archive(self._db, self._archive, ORG, key, now)
            case _:
                await erase(self._db, ORG, key, now)

    def archived(self, space: str) -> set[str]:
        """Return the ids of the ops in a space's archive."""
        file = file_of(self._archive, ORG, UUID(space))
        if not file.exists():
            return set()
        return {msgspec.json.decode(line)["op_id"] for line in gzip.open(file)}

    async def save(self, name: str) -> None:
        """Remember this point."""
        await self._connection.execute(f"SAVEPOINT {_word(name)}")

    async def return_to(self, name: str) -> None:
        """Be where `save` was; the point stays."""
        await self._connection.execute(f"ROLLBACK TO SAVEPOINT {_word(name)}")

    async def state(self) -> Json:
        """Return everything that is kept, as the reference does."""
        [row] = await self.sql(_STATE)
        kept: Json = dict(row)
        return kept


def moment(ms: int) -> datetime:
    """Return the instant that many ms after 1970."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def _word(name: str) -> str:
    assert _ROLE.fullmatch(name)  # noqa: S101  fixed names of ours
    return name


_STATE = """
SELECT
  (SELECT COALESCE(jsonb_agg(jsonb_build_array(
     space_id, epoch, head_seq, floor_seq, state)), '[]') FROM space) AS spaces,
  (SELECT COALESCE(jsonb_agg(jsonb_build_array(
     space_id, rec_id, coll, seq, doc, clk)), '[]') FROM rec) AS recs,
  (SELECT COALESCE(jsonb_agg(jsonb_build_array(
     space_id, seq, op_id, device_id, account_id, n, kind, coll, rec_id, hlc, hlc_claimed, val,
     verdict, (extract(epoch FROM received_at) * 1000)::bigint) ORDER BY space_id, seq), '[]')
   FROM op) AS ops,
  (SELECT COALESCE(jsonb_agg(jsonb_build_array(space_id, op_id, reason)), '[]')
   FROM quarantine) AS quarantine,
  (SELECT COALESCE(jsonb_agg(jsonb_build_array(space_id, occ)), '[]')
   FROM alert WHERE kind = 'double' AND closed_at IS NULL) AS doubled
"""
