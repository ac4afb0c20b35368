"""Drives APScheduler, in its own Python: `DSN fill NUMBER` or `DSN drain 0` (bench.ring.crew)."""

import json
import logging
import sys
import threading
from datetime import UTC, datetime

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler

_LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)

done = 0
is_over = threading.Event()
awaited = 0


def nothing() -> None:
    """Do nothing, and count it."""
    global done  # noqa: PLW0603  the program is this one job
    done += 1
    if done >= awaited:
        is_over.set()


def main(what: str, number: int) -> None:
    """Fill or drain, as told."""
    global awaited  # noqa: PLW0603
    logging.disable(logging.CRITICAL)
    store = SQLAlchemyJobStore(url=sys.argv[1].replace("postgresql://", "postgresql+psycopg://"))
    scheduler = BackgroundScheduler(
        jobstores={"default": store},
        # One thread, so that the count is right without a lock; the store is what takes the time.
        executors={"default": ThreadPoolExecutor(1)},
        job_defaults={"misfire_grace_time": None},
        timezone=UTC,
    )
    scheduler.start(paused=True)
    print("ready", flush=True)
    sys.stdin.readline()
    if what == "fill":
        scheduler.remove_all_jobs()
        for _ in range(number):
            scheduler.add_job("__main__:nothing", "date", run_date=_LONG_AGO)
    else:
        awaited = len(scheduler.get_jobs())
        scheduler.resume()
        is_over.wait()
    scheduler.shutdown()
    print(json.dumps({"done": done}), flush=True)


main(sys.argv[2], int(sys.argv[3]))
