"""Make what somebody asked for: as data, and to be read; sealed piece by piece."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from mos.db import Pool, Scope
from mos.privacy.declaring import Table
from mos.rights import store
from mos.rights.actions import setting
from mos.rights.actions.readable import Gathered, readable
from mos.rights.actions.reading import Count, Whose, pieces

# Of so many bytes a piece is made.
_PIECE = 256 * 1024


async def make(  # noqa: PLR0913  what it is made of
    pool: Pool,
    it: store.Claim,
    tables: Sequence[Table],
    now: datetime,
    *,
    archive: Path | None,
    progress: Callable[[int], None],
) -> None:
    """Make it, whole or not at all; where it is not this claim's any more, nothing is kept.

    Raises NoSuchPerson, and KeyGone of somebody erased.
    """
    gathered = Gathered()
    count = Count(gathered.row, lambda _table, rows: progress(rows))
    async with pool.transaction(Scope(it.org)) as db:
        sealer = await store.sealer_of(db, it.org, it.account)
        data, paper = (store.Pieces(db, it, form, sealer) for form in ("json", "pdf"))
        held = bytearray()
        async for piece in pieces(db, Whose(it.org, it.account, now, archive), tables, count):
            held += piece
            while len(held) >= _PIECE:
                await data.add(bytes(held[:_PIECE]))
                del held[:_PIECE]
        await data.add(bytes(held))
        told = await readable(db, it.org, it.account, gathered, it.language, now, count)
        # It takes seconds of a processor: what rings does not wait for it.
        body = await asyncio.to_thread(setting.pdf, told)
        for start in range(0, len(body), _PIECE):
            await paper.add(body[start : start + _PIECE])
        if not await store.is_ours(db, it):
            raise Overtaken
        await store.made(
            db, it, now, rows=count.rows, json_size=data.size, pdf_size=paper.size
        )  # fmt: skip


class Overtaken(Exception):
    """It was deleted, or another worker makes it: what this one made is not kept."""
