"""Drives Procrastinate, in its own Python: `DSN fill NUMBER` or `DSN drain 0` (bench.ring.crew)."""

import asyncio
import json
import logging
import sys

import procrastinate

_AT_ONCE = 1000

app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=sys.argv[1]))
done = 0


@app.task(name="nothing", queue="bench")
async def nothing(number: int) -> None:  # noqa: ARG001  a job has something to do it with
    """Do nothing, and count it."""
    global done  # noqa: PLW0603  the program is this one task
    done += 1


async def fill(number: int) -> None:
    """Queue so many jobs."""
    connector = app.connector
    exists = await connector.execute_query_one_async(
        "SELECT to_regclass('procrastinate_jobs') IS NOT NULL AS there"
    )
    if not exists["there"]:
        await app.schema_manager.apply_schema_async()
    await connector.execute_query_async("TRUNCATE procrastinate_jobs CASCADE")
    for start in range(0, number, _AT_ONCE):
        jobs = [{"number": each} for each in range(start, min(number, start + _AT_ONCE))]
        await nothing.batch_defer_async(*jobs)


async def main(what: str, number: int) -> None:
    """Fill or drain, as told."""
    logging.disable(logging.CRITICAL)
    async with app.open_async():
        print("ready", flush=True)
        sys.stdin.readline()
        if what == "fill":
            await fill(number)
        else:
            await app.run_worker_async(
                queues=["bench"], wait=False, concurrency=10, delete_jobs="never",
                listen_notify=False, install_signal_handlers=False,
            )  # fmt: skip
        print(json.dumps({"done": done}), flush=True)


asyncio.run(main(sys.argv[2], int(sys.argv[3])))
