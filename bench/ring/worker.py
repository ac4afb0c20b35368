"""One of MOS's own workers, as `bench.ring.crew` starts it: `claim DSN SET` or `push WORK`.

It runs the engine's own pass, or sends through the engine's own sender.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import uvloop
from cryptography.hazmat.primitives.asymmetric import ec

from bench.ring.stage import NOW
from mos.db import Pool, connect, settle
from mos.dispatch import engine, webpush
from mos.dispatch.vapid import Vapid
from mos.kernel.settings import Settings


async def claim(dsn: str, size: int) -> None:
    """Take everything that is due, `size` at once, and say how many."""
    pool = await connect(dsn, size=1, plan_anew=True)
    settle()
    await _go(lambda: _drain(pool, size))
    await pool.close()


async def _drain(pool: Pool, size: int) -> int:
    done = 0
    while True:
        async with pool.transaction() as db:
            taken = await engine.claim(db, NOW, size)
        done += taken
        if not taken:
            return done


async def push(told: dict[str, Any]) -> None:
    """Send the messages that it is told of, and say how many."""
    subscriptions = [
        webpush.Subscription(each["endpoint"], bytes.fromhex(each["p256dh"]),
                             bytes.fromhex(each["auth"]))
        for each in told["subscriptions"]
    ]  # fmt: skip
    settings = Settings(
        app_url="", engine_url="", secrets=Path(), app_dir=Path(), push_private_hosts=True
    )
    vapid = Vapid(ec.generate_private_key(ec.SECP256R1()), "mailto:bench@example.org")
    async with webpush.open_post(vapid, settings) as post:
        settle()
        numbers = iter(range(told["number"]))

        async def one_after_another() -> int:
            done = 0
            for number in numbers:
                message = webpush.Message(
                    payload=told["payload"].encode(), ttl_s=60, tag=f"{number}"
                )
                result = await webpush.send(
                    post, subscriptions[number % len(subscriptions)], message
                )
                if result.outcome != "sent":
                    raise SystemExit(f"not sent: {result}")
                done += 1
            return done

        async def all_of_them() -> int:
            return sum(await asyncio.gather(*(one_after_another() for _ in range(told["lines"]))))

        await _go(all_of_them)


async def _go(work: Callable[[], Awaitable[int]]) -> None:
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    before = time.process_time()
    done = await work()
    print(json.dumps({"done": done, "cpu": time.process_time() - before}), flush=True)


def main(what: str, *arguments: str) -> None:
    """Do what the command line says."""
    if what == "claim":
        uvloop.run(claim(arguments[0], int(arguments[1])))
    else:
        uvloop.run(push(msgspec.json.decode(Path(arguments[0]).read_bytes())))


if __name__ == "__main__":
    main(*sys.argv[1:])
