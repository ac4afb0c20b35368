"""Several writers and a reader at once, committed: what a serial simulation cannot show."""

import asyncio
from random import Random
from typing import Any
from uuid import UUID

import asyncpg
from asyncpg.connection import Connection

from mos.db import may_pass
from mos.ops.sim.checks import Violation
from mos.ops.sim.domain import COLLECTIONS
from mos.ops.sim.plan import ALL_WORDS, START_MS, made_id, record_id
from mos.ops.sim.reference import Json, Record, Who
from mos.ops.sim.server import ORG, Server, open_connection

_WRITERS = 4
_PUSHES = 25
_WORDS = frozenset(ALL_WORDS)


async def race(dsn: str, number: int) -> None:
    """Let writers race for a space of their own. Raises Violation when something is not right."""
    space = made_id(START_MS, 5000, number)
    owner = await open_connection(dsn)
    over = asyncio.Event()
    try:
        await _make_space(owner, space)
        reading = asyncio.create_task(_read(dsn, space, over))
        await asyncio.gather(
            *(_write(dsn, space, 6000 + number * _WRITERS + writer) for writer in range(_WRITERS))
        )
        over.set()
        await _compare(owner, space, await reading)
    finally:
        over.set()
        await owner.close()


async def _make_space(owner: "Connection[Any]", space: str) -> None:
    await owner.execute(
        "INSERT INTO organisation (org_id, name, policy, zone, language, created_at) "
        "VALUES ($1, 'Sim', 'family', 'UTC', 'sv', '2026-01-01') ON CONFLICT DO NOTHING",
        ORG,
    )
    await owner.execute(
        "INSERT INTO space (org_id, space_id, kind) VALUES ($1, $2, 'resident')", ORG, UUID(space)
    )


async def _write(dsn: str, space: str, maker: int) -> None:
    dice = Random(maker)  # noqa: S311  a repeatable game
    device = made_id(START_MS, maker, 0)
    connection = await open_connection(dsn)
    try:
        for n in range(1, _PUSHES + 1):
            tick = START_MS + dice.randrange(1000)
            op: Json = {
                "op": made_id(START_MS, maker, n),
                "n": n,
                "space": space,
                "hlc": f"{tick:012x}{n:04x}{device.replace('-', '')[16:]}",
                "k": "set",
                "coll": "reminder",
                "rec": record_id(dice.randrange(2)),
                "f": {"title": f"{maker}.{n}"},
            }
            await _push(connection, device, op)
    finally:
        await connection.close()


async def _push(connection: "Connection[Any]", device: str, op: Json) -> None:
    who = Who(device, device, {op["space"]: _WORDS})
    body = {"proto": 1, "schema": 1, "device_id": device, "client_now": START_MS, "ops": [op]}
    while True:
        try:
            async with connection.transaction():
                await connection.execute("SET LOCAL ROLE mos_app")
                await Server(connection, COLLECTIONS).ask("push", body, who, START_MS)
        except asyncpg.PostgresError as error:
            if may_pass(error):
                continue  # As a device does: nothing of it stayed.
            raise Violation("P23", f"a push fails for ever: {error.sqlstate}") from error
        return


async def _read(dsn: str, space: str, over: asyncio.Event) -> dict[str, list[Any]]:
    """Pull again and again, as a device does; return the rows that came."""
    connection = await open_connection(dsn)
    rows: dict[str, list[Any]] = {}
    who, cursor = Who(space, space, {space: _WORDS}), ""
    try:
        while True:
            is_last = over.is_set()
            body = {"proto": 1, "schema": 1, "device_id": space, "client_now": START_MS}
            async with connection.transaction():
                await connection.execute("SET LOCAL ROLE mos_app")
                answer = await Server(connection, COLLECTIONS).ask(
                    "pull", body | {"spaces": {space: cursor}}, who, START_MS
                )
            for pulled in answer["spaces"]:
                cursor = pulled["cur"]
                rows |= {row[1]: row for row in pulled["rows"]}
            if answer["reset"]:
                raise Violation("P5", "a reader's history was no history")
            if is_last:
                return rows
            await asyncio.sleep(0)
    finally:
        await connection.close()


async def _compare(owner: "Connection[Any]", space: str, read: dict[str, list[Any]]) -> None:
    log = await owner.fetch("SELECT * FROM op WHERE space_id = $1 ORDER BY seq", UUID(space))
    if [row["seq"] for row in log] != list(range(1, _WRITERS * _PUSHES + 1)):
        raise Violation("P4", "the places of a space have gaps")
    want: dict[str, Record] = {}
    for row in log:
        record = want.setdefault(str(row["rec_id"]), Record(row["coll"], 0, {}, {}))
        if row["hlc"] > record.clk.get("title", ""):
            record.doc, record.clk = row["val"], {"title": row["hlc"]}
            record.seq = row["seq"]
    kept = await owner.fetch("SELECT * FROM rec WHERE space_id = $1", UUID(space))
    for row in kept:
        record = want[str(row["rec_id"])]
        if (row["seq"], row["doc"], row["clk"]) != (record.seq, record.doc, record.clk):
            raise Violation("P1", "the records are not what the log gives")
    if {str(row["rec_id"]): row["seq"] for row in kept} != {
        rec: row[2] for rec, row in read.items()
    }:
        raise Violation("P5", "a reader beside the writers missed a row")
