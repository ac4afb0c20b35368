"""`GET /sync/v1/snapshot/{space}`: a whole space as lines of JSON (docs/sync.md).

One page at a time is in memory, in a transaction of its own, and the next is read when the device
has taken the one before: a slow reader holds back nobody.
"""

import asyncio
import zlib
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated
from urllib.parse import parse_qs
from uuid import UUID

import msgspec
from msgspec import Meta

from mos.care import store
from mos.care.model import Actor
from mos.db import Db, Pool
from mos.db import Scope as DbScope
from mos.kernel.clock import Clock
from mos.kernel.errors import NotFound
from mos.sync import rules, snapshot
from mos.sync.model import SCHEMA, Grant
from mos.sync.snapshot import Begin, Resume, Snapshot
from mos.web.edge import Scope, Send
from mos.web.errors import HttpRefused
from mos.web.session import actor_of, header
from mos.web.sync_access import grants
from mos.web.sync_log import Reads

ROUTE = "/sync/v1/snapshot/{space}"
_PREFIX = "/sync/v1/snapshot/"

# Whoever takes longer for one page comes again, and goes on where it was.
_PAGE_SECONDS = 60
_END = b'{"end":true}\n'


def space_of(path: str) -> UUID | None:
    """Return the space that an address asks a snapshot of, or None when it is another address."""
    if not path.startswith(_PREFIX):
        return None
    try:
        return UUID(path.removeprefix(_PREFIX))
    except ValueError:
        return None


class _Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The query of an address that goes on: `?epoch=…&at=…&after=…`."""

    epoch: Annotated[int, Meta(ge=0, lt=2**31)]
    at: Annotated[int, Meta(ge=0, lt=2**63 - 1)]
    after: UUID


class Snapshots:
    """Answers with a snapshot; the caller has let the actor in."""

    def __init__(self, pool: Pool, clock: Clock, reads: Reads) -> None:
        """Read through `pool`; what the actor may see is looked up at `clock`'s time."""
        self._pool = pool
        self._clock = clock
        self._reads = reads

    async def send(self, scope: Scope, send: Send, actor: Actor, space: UUID) -> None:
        """Send the whole answer; raises NotFound, or HttpRefused before anything was sent."""
        resume = _resume(scope)
        async with self._pool.transaction(DbScope(actor.org, (space,))) as db:
            grant = await self._require_access(db, actor, space)
            begun = await snapshot.begin(db, actor.org, space, resume)
            now = self._clock()
            read = await self._reads.log(db, actor, [grant], now)
        self._reads.logged(actor, read, now)
        if begun == "gone":
            raise _nothing()
        if begun == "reset":
            raise HttpRefused(
                HTTPStatus.CONFLICT, "reset", "This place is no longer there: begin again."
            )
        etag = f'"{begun.begin.epoch}.{begun.begin.seq}"'
        headers = [(b"etag", etag.encode()), (b"cache-control", b"private, no-cache")]
        if resume is None and header(scope, b"if-none-match") == etag:
            await send({"type": "http.response.start", "status": 304, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        packed = "gzip" in (header(scope, b"accept-encoding") or "")
        headers += [(b"content-type", b"application/x-ndjson"), (b"vary", b"accept-encoding")]
        headers += [(b"content-encoding", b"gzip")] if packed else []
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        parts = self._parts(scope, space, begun, is_whole=resume is None)
        async for part in _gzipped(parts) if packed else parts:
            async with asyncio.timeout(_PAGE_SECONDS):
                await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _parts(
        self, scope: Scope, space: UUID, begun: Snapshot, *, is_whole: bool
    ) -> AsyncIterator[bytes]:
        yield _first_line(space, begun.begin, is_whole=is_whole)
        while not begun.is_over:
            # Whose session or right ends while they read gets no further.
            actor = await actor_of(scope, self._pool, self._clock)
            async with self._pool.transaction(DbScope(actor.org, (space,))) as db:
                await self._require_access(db, actor, space)
                lines = await snapshot.page(db, actor.org, space, begun)
            if lines:
                yield "".join(f"{line}\n" for line in lines).encode()
        yield _END

    async def _require_access(self, db: Db, actor: Actor, space: UUID) -> Grant:
        grant = grants(actor, await store.access(db, actor, self._clock())).get(space)
        if grant is None:
            raise _nothing()
        return grant


def _nothing() -> NotFound:
    return NotFound("There is nothing here.")


def _first_line(space: UUID, begin: Begin, *, is_whole: bool) -> bytes:
    line = {
        "space": space,
        "epoch": begin.epoch,
        "seq": begin.seq,
        "tag": rules.cursor_text(0, 0, begin.tag).rpartition(".")[2],
        "schema": SCHEMA,
    }
    if is_whole:
        # Of the past that a reader goes on from there is no fingerprint: the next pull has one.
        check = {"n": begin.live_n, "sum": str(begin.live_sum), "sq": str(begin.live_sq)}
        line |= check
    return msgspec.json.encode(line) + b"\n"


def _resume(scope: Scope) -> Resume | None:
    text = scope.get("query_string", b"").decode("latin-1")
    if not text:
        return None
    try:
        query = parse_qs(text, max_num_fields=8)
        last = {name: values[-1] for name, values in query.items()}
        asked = msgspec.convert(last, _Question, strict=False)
    except ValueError as error:
        raise HttpRefused(HTTPStatus.BAD_REQUEST, "malformed", "This cannot be read.") from error
    return Resume(asked.epoch, asked.at, asked.after)


async def _gzipped(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    packer = zlib.compressobj(level=5, wbits=zlib.MAX_WBITS | 16)
    async for part in parts:
        # Flushed, so that what has arrived can be read even when the line breaks.
        yield await asyncio.to_thread(_pack, packer, part)
    yield packer.flush()


def _pack(packer: "zlib._Compress", part: bytes) -> bytes:
    return packer.compress(part) + packer.flush(zlib.Z_SYNC_FLUSH)
