"""What others should hear of a change: collected in its transaction, told after the commit."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from uuid import UUID

from mos.care.model import Actor
from mos.db import Db, Pool, Scope
from mos.sync.model import Change
from mos.sync.pokes import Hub


class News:
    """Whose session says something new, and which spaces have a new head.

    Hints: losing them costs a poll.
    """

    def __init__(self) -> None:
        """Begin with nothing to tell."""
        self.accounts: set[UUID] = set()
        self.heads: dict[UUID, int] = {}

    def access(self, accounts: Iterable[UUID]) -> None:
        """Note accounts that may see more or less than before, or others by other names."""
        self.accounts.update(accounts)

    def records(self, changes: Iterable[Change]) -> None:
        """Note changes that gave their spaces new heads."""
        for change in changes:
            self.heads[change.space] = max(change.seq, self.heads.get(change.space, 0))

    def tell(self, hub: Hub, org: UUID) -> None:
        """Tell everybody's open pages."""
        if self.accounts:
            hub.access_changed(org, self.accounts)
        hub.tell(org, self.heads)


@asynccontextmanager
async def telling(pool: Pool, hub: Hub, actor: Actor) -> AsyncIterator[tuple[Db, News]]:
    """Open a transaction in the actor's organisation, and tell its news once it is committed."""
    news = News()
    async with pool.transaction(Scope(org=actor.org)) as db:
        yield db, news
    news.tell(hub, actor.org)
