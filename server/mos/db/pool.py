"""The pool, the transaction and the row-level security scope of each.

The pool skips the driver's RESET on release (a round trip for every request, measured to cost a
third of the throughput). Hence one rule: no code leaves session state behind. Everything that
belongs to a request is set with `set_config(…, true)`, which ends with the transaction.
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import msgspec
from asyncpg.connection import Connection
from asyncpg.pool import PoolConnectionProxy

from mos.db.queries import Query
from mos.kernel.errors import Unavailable

Row = TypeVar("Row")

DbError = asyncpg.PostgresError
UniqueViolation = asyncpg.UniqueViolationError


@dataclass(frozen=True, slots=True)
class Scope:
    """What row-level security lets this transaction see: one organisation, and these spaces of it.

    Only the spaces of the request at hand, never all that a person may open: the policy's cost
    grows with the list.
    """

    org: UUID | None = None
    spaces: tuple[UUID, ...] = ()


# How the driver says that a connection has ended under its hands.
_LOST = (
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)

# Where the server is at fault and not the statement: lost connections, rolled back for another's
# sake, out of resources, told to stop, disk errors; and a lock that somebody held for long.
_PASSING = ("08", "40", "53", "57", "58", "55P03")

# Types that the driver already made and msgspec must leave as they are.
_NATIVE = (UUID, datetime, date, time, timedelta, Decimal, bytes)


def _set_scope(scope: Scope) -> str:
    # Literals, not parameters: so it travels together with BEGIN, which saves a round trip.
    # `.hex` lets nothing but a UUID in.
    org = scope.org.hex if scope.org else ""
    spaces = ",".join(space.hex for space in scope.spaces)
    return (
        f"/* mos.db.scope */ SELECT set_config('mos.org', '{org}', true), "
        f"set_config('mos.spaces', '{{{spaces}}}', true)"
    )


class Db:
    """One connection, as its Pool opened it. Statements go through typed queries only."""

    def __init__(
        self, connection: "PoolConnectionProxy[Any] | Connection[Any]", *, keyring: object = None
    ) -> None:
        """Wrap a connection whose transaction somebody else opened and will close.

        `keyring` opens what is sealed in this database; `mos.privacy.keyring` hands it out.
        """
        self._connection = connection
        self.keyring = keyring
        self._last: list[Callable[[Db], Awaitable[None]]] = []

    async def all(self, query: Query[Row], **params: Any) -> list[Row]:
        """Return every row as a Struct."""
        records = await self._connection.fetch(query.sql, *query.args(params))
        return [
            msgspec.convert(dict(r.items()), query.row, strict=False, builtin_types=_NATIVE)
            for r in records
        ]

    async def one(self, query: Query[Row], **params: Any) -> Row | None:
        """Return the first row as a Struct, or None."""
        record = await self._connection.fetchrow(query.sql, *query.args(params))
        if record is None:
            return None
        return msgspec.convert(dict(record.items()), query.row, strict=False, builtin_types=_NATIVE)

    async def run(self, query: Query[None], **params: Any) -> int:
        """Run a statement for its effect; return the number of rows it touched."""
        status = await self._connection.execute(query.sql, *query.args(params))
        last = status.rsplit(" ", 1)[-1]
        return int(last) if last.isdigit() else 0

    async def records(self, query: Query[Any], **params: Any) -> list[Any]:
        """Return raw records (index by name or position), for hot paths that build no Structs."""
        return await self._connection.fetch(query.sql, *query.args(params))

    async def widen(self, spaces: Iterable[UUID]) -> None:
        """Let the rest of the transaction see these spaces too."""
        more = ",".join(space.hex for space in spaces)
        if more:
            await self._connection.execute(
                "/* mos.db.scope */ SELECT set_config('mos.spaces', "
                f"(mos_spaces() || '{{{more}}}'::uuid[])::text, true)"
            )

    @asynccontextmanager
    async def part(self) -> AsyncIterator[None]:
        """Undo what is done inside when it raises, and nothing else of the transaction."""
        # Of one name: the latest hides those around it until it is released.
        await self._connection.execute("SAVEPOINT part")
        before = len(self._last)
        try:
            yield
        except BaseException:
            del self._last[before:]
            # With a connection that is lost everything is undone anyway.
            with suppress(DbError, *_LOST):
                await self._connection.execute("ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part")
            raise
        await self._connection.execute("RELEASE SAVEPOINT part")

    def before_commit(self, step: Callable[["Db"], Awaitable[None]]) -> None:
        """Do this last in the transaction, if all else ends well: what others wait for, briefly."""
        self._last.append(step)

    async def finish(self) -> None:
        """Do what waited for the transaction's end."""
        while self._last:
            await self._last.pop(0)(self)

    async def scope(self, scope: Scope) -> None:
        """Change what row-level security shows for the rest of this transaction."""
        await self._connection.execute(_set_scope(scope))


def may_pass(error: BaseException) -> bool:
    """Return whether what failed may well succeed when it is tried again unchanged."""
    if isinstance(error, DbError):
        return str(error.sqlstate or "").startswith(_PASSING)
    # The keys are elsewhere, and come back.
    if isinstance(error, Unavailable):
        return True
    # Among the driver's own errors those of value are the caller's: an argument that does not fit.
    return isinstance(error, (OSError, *_LOST)) and not isinstance(error, ValueError)


class Pool:
    """Connections of one role to one database."""

    def __init__(
        self, pool: "asyncpg.Pool[Any]", connect_args: dict[str, Any], keyring: object = None
    ) -> None:
        """Wrap the driver's pool; use `connect` to make one."""
        self._pool = pool
        self._keyring = keyring
        self._connect_args = connect_args

    @asynccontextmanager
    async def transaction(self, scope: Scope = Scope()) -> AsyncIterator[Db]:
        """Open a transaction that sees `scope`. Commits at the end, rolls back on any error.

        Raises ConnectionError when the connection is lost; the pool then opens another one.
        Raises RuntimeError when the block ended well and the server had already given the
        transaction up: an error inside it was caught, and what came after it is lost.
        """
        async with self._pool.acquire() as connection:
            try:
                # Always set, also when empty: a connection of the pool carries no scope of its own.
                await connection.execute(f"BEGIN; {_set_scope(scope)}")
                db = Db(connection, keyring=self._keyring)
                yield db
                await db.finish()
            except BaseException as error:
                await _roll_back(connection)
                if isinstance(error, _LOST) and _is_lost(connection):
                    raise ConnectionError("the connection to the database was lost") from error
                raise
            if await connection.execute("COMMIT") != "COMMIT":
                raise RuntimeError("the transaction was rolled back after a caught error")

    @asynccontextmanager
    async def unscoped(self) -> AsyncIterator[Db]:
        """Open a connection on which each statement is a transaction of its own, without scope.

        For what is asked before the organisation is known: row-level security shows none of one.
        It spares the round trips that begin and end a transaction. Raises ConnectionError when
        the connection is lost.
        """
        async with self._pool.acquire() as connection:
            try:
                yield Db(connection, keyring=self._keyring)
            except _LOST as error:
                if _is_lost(connection):
                    raise ConnectionError("the connection to the database was lost") from error
                raise

    @asynccontextmanager
    async def listen(self, channel: str) -> AsyncIterator[AsyncIterator[str]]:
        """Yield an iterator over the payloads notified on `channel`, on a connection of its own."""
        queue: asyncio.Queue[str] = asyncio.Queue(maxsize=10_000)

        def heard(_c: Any, _pid: int, _channel: str, payload: str) -> None:
            # A full queue means a stalled reader; pokes are hints, so losing one costs a poll.
            if not queue.full():
                queue.put_nowait(payload)

        connection = await asyncpg.connect(**self._connect_args)
        try:
            gone = asyncio.Event()
            connection.add_termination_listener(lambda _c: gone.set())
            await connection.add_listener(channel, heard)

            async def payloads() -> AsyncIterator[str]:
                while True:
                    get = asyncio.ensure_future(queue.get())
                    lost = asyncio.ensure_future(gone.wait())
                    try:
                        done, _ = await asyncio.wait(
                            {get, lost}, return_when=asyncio.FIRST_COMPLETED
                        )
                    finally:
                        # Also when the listener itself is cancelled: neither may be left behind.
                        lost.cancel()
                        if not get.done():
                            get.cancel()
                    if get in done:
                        yield get.result()
                    else:
                        raise ConnectionError("the listening connection was lost")

            yield payloads()
        finally:
            await connection.close(timeout=2)

    async def notify(self, channel: str, payloads: list[str]) -> None:
        """Notify `channel` once per payload, outside other transactions (ids, never content)."""
        async with self._pool.acquire() as connection:
            await connection.execute(
                "SELECT pg_notify($1, p) FROM unnest($2::text[]) AS p", channel, payloads
            )

    async def close(self) -> None:
        """Close every connection, waiting for running statements at most 10 s."""
        try:
            await asyncio.wait_for(self._pool.close(), 10)
        except TimeoutError:
            self._pool.terminate()


async def _roll_back(connection: "PoolConnectionProxy[Any]") -> None:
    try:
        await connection.execute("ROLLBACK")
    except (DbError, OSError, *_LOST):
        # The connection itself is what failed; the error on its way up says so.
        if not _is_lost(connection):
            connection.terminate()


def _is_lost(connection: "PoolConnectionProxy[Any]") -> bool:
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        return True  # The driver has taken the dead connection out of our hands already.


async def _keep(_connection: Any) -> None:
    """Release without a RESET: see the module's first paragraph."""


async def _prepare(connection: "Connection[Any]") -> None:
    await connection.set_type_codec(
        "jsonb", encoder=_encode, decoder=_decode, schema="pg_catalog", format="text"
    )


def _encode(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else msgspec.json.encode(value).decode()


def _decode(value: str) -> Any:
    return msgspec.json.decode(value)


async def connect(
    dsn: str,
    *,
    role: str | None = None,
    size: int = 8,
    plan_anew: bool = False,
    keyring: object = None,
) -> Pool:
    """Return a pool of up to `size` connections to `dsn`.

    Whoever reads or writes what is sealed there gives the `keyring` that opens it.

    `role` is taken at connection start (for a server where one login plays owner and app);
    with `plan_anew` a statement is planned each time that it is sent, for whoever sends few of them
    to tables that may have grown from nothing to a million rows since the last time;
    statements that run longer than 30 s or wait longer than 5 s for a lock are ended by the server.
    Raises OSError or DbError when the database cannot be reached.
    """
    settings = {
        "application_name": "mos",
        "statement_timeout": "30s",
        "lock_timeout": "5s",
        "idle_in_transaction_session_timeout": "30s",
        "jit": "off",
        "timezone": "UTC",
    }
    if role is not None:
        settings["role"] = role
    if plan_anew:
        settings["plan_cache_mode"] = "force_custom_plan"
    args: dict[str, Any] = {"dsn": dsn, "server_settings": settings}
    pool = await asyncpg.create_pool(
        **args, min_size=1, max_size=size, reset=_keep, init=_prepare, command_timeout=35
    )
    return Pool(pool, args, keyring)


def settle() -> None:
    """Freeze what start-up made and collect less often: measured to give a third more requests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)
