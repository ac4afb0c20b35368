"""Sends with pywebpush in a Python of its own: `WORK` (bench.ring.crew, bench.ring.push)."""

import asyncio
import json
import sys
import time
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

import aiohttp
import uvloop
from py_vapid import Vapid02
from pywebpush import webpush_async


def base64url(text: str) -> str:
    """Return bytes in hex as browsers write them."""
    return urlsafe_b64encode(bytes.fromhex(text)).rstrip(b"=").decode()


async def main(told: dict[str, Any]) -> None:
    """Send everything."""
    subscriptions = [
        {
            "endpoint": each["endpoint"],
            "keys": {"p256dh": base64url(each["p256dh"]), "auth": base64url(each["auth"])},
        }
        for each in told["subscriptions"]
    ]
    # A key object, not its text: to read the text each time would cost it a third.
    vapid = Vapid02()
    vapid.generate_keys()
    numbers = iter(range(told["number"]))
    done = 0
    connector = aiohttp.TCPConnector(limit=0, limit_per_host=told["lines"])
    async with aiohttp.ClientSession(connector=connector) as session:

        async def one_after_another() -> None:
            nonlocal done
            for number in numbers:
                answer = await webpush_async(
                    subscriptions[number % len(subscriptions)], told["payload"],
                    vapid_private_key=vapid, vapid_claims={"sub": "mailto:bench@example.org"},
                    ttl=60, headers={"Urgency": "high"}, aiohttp_session=session,
                )  # fmt: skip
                if answer.status != 201:
                    raise SystemExit(f"not sent: {answer.status}")
                done += 1

        print("ready", flush=True)
        sys.stdin.readline()
        before = time.process_time()
        await asyncio.gather(*(one_after_another() for _ in range(told["lines"])))
        print(json.dumps({"done": done, "cpu": time.process_time() - before}), flush=True)


uvloop.run(main(json.loads(Path(sys.argv[1]).read_text())))
