"""Makes what people asked for of themselves, one at a time, beside all that rings."""

import asyncio
from datetime import datetime
from pathlib import Path

import structlog

from mos import wiring
from mos.db import Pool, Scope
from mos.privacy.sealing import KeyGone
from mos.rights import rules, store
from mos.rights.actions.making import Overtaken, make
from mos.rights.actions.reading import NoSuchPerson

_log = structlog.get_logger(__name__)


class Exports:
    """Takes the next one on when none is being made; tells how far it is.

    What is done stands in the database: killed anywhere, another worker begins it again.
    """

    def __init__(self, app: Pool, archive: Path | None = None) -> None:
        """Read through `app`, a connection each for what is made and for how far it is."""
        self._app, self._archive = app, archive
        self._task: asyncio.Task[None] | None = None
        self._claim: store.Claim | None = None
        self._rows = 0

    async def look(self, now: datetime) -> None:
        """Tell how far it is, or take the next one on."""
        if self._task is not None and not self._task.done():
            if self._claim is not None:
                async with self._app.transaction(Scope(self._claim.org)) as db:
                    await store.beat(db, self._claim, self._rows, now)
            return
        async with self._app.transaction() as db:
            self._claim = await store.claim(db, now)
        if self._claim is not None:
            self._rows = 0
            self._task = asyncio.create_task(self._make(self._claim, now))

    async def idle(self) -> None:
        """Wait until nothing is being made."""
        if self._task is not None:
            await asyncio.wait({self._task})

    async def close(self) -> None:
        """Leave what is being made to another."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _make(self, it: store.Claim, now: datetime) -> None:
        try:
            await make(
                self._app, it, wiring.PERSONAL_DATA, now, archive=self._archive,
                progress=self._tell,
            )  # fmt: skip
            _log.info("export_made", export=str(it.id), rows=self._rows)
        except Overtaken:
            _log.info("export_overtaken", export=str(it.id))
        except (NoSuchPerson, KeyGone):
            await self._fail(it, now)
        except Exception:  # noqa: BLE001  a task's own end: nobody else hears of it
            _log.exception("export_failed", export=str(it.id), tries=it.tries)
            if it.tries >= rules.TRIES:
                await self._fail(it, now)

    async def _fail(self, it: store.Claim, now: datetime) -> None:
        async with self._app.transaction(Scope(it.org)) as db:
            await store.failed(db, it, now)

    def _tell(self, rows: int) -> None:
        self._rows = rows
