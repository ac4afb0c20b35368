"""Queues on PostgreSQL beside which the engine is measured: a job that does nothing, one worker."""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

from bench import peers
from bench.http import BenchError
from bench.ring import crew
from bench.ring.bench import Bench, Size
from mos.ops.home import create_database

_HERE = Path(__file__).parent
_PSYCOPG = ("psycopg==3.3.9", "psycopg-binary==3.3.9")


@dataclass(frozen=True)
class Queue:
    """One queue: what it is made of, the program that drives it, and what is unfair."""

    name: str
    program: str
    wanted: tuple[str, ...]
    jobs: Size
    unfair: str
    workers: int = 1
    goal: float | None = None


_EACH = (
    "It settles each job by itself, with a commit; MOS takes a set in one. Its job does nothing, "
    "and it writes less for each. "
)
QUEUES = (
    Queue(
        "Procrastinate 3.10", "queue_procrastinate.py",
        ("procrastinate==3.10.0", "psycopg-pool==3.3.3", *_PSYCOPG),
        Size(quick=300, usual=3_000), _EACH + "Ten jobs at once.", goal=50,
    ),
    Queue(
        "Procrastinate 3.10, 2 workers", "queue_procrastinate.py",
        ("procrastinate==3.10.0", "psycopg-pool==3.3.3", *_PSYCOPG),
        Size(quick=300, usual=3_000), _EACH + "MOS's number is still that of one worker.",
        workers=2,
    ),
    Queue(
        "APScheduler 3.11", "queue_apscheduler.py",
        ("apscheduler==3.11.3", "sqlalchemy==2.1.9", *_PSYCOPG),
        Size(quick=300, usual=2_000), _EACH + "It is made for one process and few jobs.",
    ),
    Queue(
        "PgQueuer 1.6, batches of 1,000", "queue_pgqueuer.py",
        ("pgqueuer==1.6.0", "asyncpg==0.32.0", "uvloop==0.23.0"),
        Size(quick=2_000, usual=20_000),
        "The fairest of them: it takes and settles sets, too. Its job does nothing, and it writes "
        "less for each.", goal=6,
    ),
)  # fmt: skip


def rates(bench: Bench, queue: Queue) -> list[float]:
    """Return jobs a second, from a database of its own in the same PostgreSQL."""
    folder = queue.program.removeprefix("queue_").removesuffix(".py")
    python = peers.python_with(bench.place / folder, queue.wanted)
    asyncio.run(create_database(bench.cluster.dsn(database="postgres"), folder))
    dsn = bench.cluster.dsn(database=folder)
    jobs = bench.much(queue.jobs)
    program = (python, "-P", _HERE / queue.program, dsn)
    found = []
    for _ in range(bench.runs):
        crew.work([(*program, "fill", str(jobs))], os.environ)
        done = crew.work([(*program, "drain", "0")] * queue.workers, os.environ)
        if done.total("done") != jobs:
            raise BenchError(f"{queue.name} did {done.total('done')} of {jobs}")
        found.append(jobs / done.seconds)
    return found
