"""Drives PgQueuer, in its own Python: `DSN fill NUMBER` or `DSN drain 0` (bench.ring.crew)."""

import json
import logging
import sys

import asyncpg
import uvloop
from pgqueuer import AsyncpgDriver, Job, PgQueuer, Queries
from pgqueuer.types import QueueExecutionMode

_AT_ONCE = 1000

done = 0


async def fill(queries: Queries, number: int) -> None:
    """Queue so many jobs."""
    if await queries.schema_is_installed():
        await queries.uninstall()
    await queries.install()
    for start in range(0, number, _AT_ONCE):
        size = min(_AT_ONCE, number - start)
        await queries.enqueue(["nothing"] * size, [None] * size, [0] * size)


async def drain(driver: AsyncpgDriver) -> None:
    """Do everything that waits."""
    queuer = PgQueuer(driver)

    @queuer.entrypoint("nothing")
    async def nothing(_job: Job) -> None:
        global done  # noqa: PLW0603  the program is this one job
        done += 1

    await queuer.qm.run(batch_size=1000, mode=QueueExecutionMode.drain)


async def main(what: str, number: int) -> None:
    """Fill or drain, as told."""
    logging.disable(logging.CRITICAL)
    connection = await asyncpg.connect(sys.argv[1])
    driver = AsyncpgDriver(connection)
    print("ready", flush=True)
    sys.stdin.readline()
    if what == "fill":
        await fill(Queries(driver), number)
    else:
        await drain(driver)
    print(json.dumps({"done": done}), flush=True)
    await connection.close()


uvloop.run(main(sys.argv[2], int(sys.argv[3])))
