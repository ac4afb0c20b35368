"""Carries deliveries to contacts, whatever the channel: many at a time, few to each service."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from mos.db import Db
from mos.dispatch import store
from mos.dispatch.channels import purse
from mos.dispatch.channels.compose import composed
from mos.dispatch.channels.message import Sender, Service
from mos.dispatch.channels.result import Result
from mos.dispatch.channels.services import Services, contact_context
from mos.dispatch.channels.traffic import Bounds, Traffic
from mos.dispatch.rules import weight
from mos.dispatch.store import Addressed
from mos.kernel.errors import Unavailable
from mos.privacy import texts
from mos.privacy.keyring import Keyring, Unsealed, keyring_of
from mos.privacy.sealing import KeyGone
from mos.privacy.seals import SealBroken
from mos.privacy.texts import CONTACT_ADDRESS, Text

# A service gets no more at once than a small one bears: a batch beside what is on its way there.
_BOUNDS = Bounds(in_flight=200, of_one=8, batch=8)


class ToContacts:
    """Messages of one channel on their way. Lives in one worker."""

    # A mail server that greylists takes the message after ten minutes or so.
    most_attempts = 16

    def __init__(
        self, sender: Sender, services: Services, public_url: str, wake: Callable[[], None]
    ) -> None:
        """Send through `sender`; `wake` is called when something has ended."""
        self.name = sender.name
        self._sender = sender
        self._services = services
        self._public_url = public_url
        self._known: dict[UUID, Service] = {}
        self._paid: dict[int, purse.Paid] = {}
        self._keys: Keyring | Unsealed = Unsealed()
        self._traffic: Traffic[Addressed, UUID] = Traffic(sender.name, _BOUNDS, wake)

    def room(self) -> int:
        """Return how many more may be on their way, a batch at most."""
        return self._traffic.room()

    def resting(self, now: datetime) -> list[UUID]:
        """Return whose services are full or in trouble."""
        return self._traffic.resting(now)

    async def take(self, db: Db, now: datetime, limit: int) -> list[Addressed]:
        """Take what waits for services that are well, and look up how to reach these."""
        taken = await store.take_messages(
            db, self.name, now, limit=limit, resting=self.resting(now)
        )
        orgs = sorted({delivery.org for delivery in taken})
        self._known = await self._services.of(db, self.name, orgs) if orgs else {}
        self._keys = keyring_of(db)
        if self._sender.is_metered:
            wanted = [
                purse.Wanted(d.delivery, d.org, _is_critical(d))
                for d in taken
                if d.expires_at > now
            ]
            self._paid |= await purse.pay(db, self.name, wanted, self._known, now)
        return taken

    async def begin(self, deliveries: Sequence[Addressed], now: datetime) -> None:
        """Start sending these."""
        for delivery in deliveries:
            attempt = partial(self._send, delivery, self._known.get(delivery.org))
            self._traffic.start(delivery, self._key(delivery), now, attempt)

    def finished(self) -> list[tuple[Addressed, Result]]:
        """Return what has ended since the last asking."""
        return self._traffic.finished()

    def give_back(self, ended: Sequence[tuple[Addressed, Result]]) -> None:
        """Take back what could not be written down."""
        self._traffic.give_back(ended)

    async def learn(self, db: Db, ended: Sequence[tuple[Addressed, Result]], now: datetime) -> None:
        """Remember at which contacts nothing arrives any more, and what messages have cost."""
        gone = [(d.org, d.contact) for d, result in ended if result.outcome == "gone"]
        if gone:
            await store.drop_contacts(db, gone, now)
        paid = [(self._paid.pop(d.delivery, None), result) for d, result in ended]
        known = [(each, result) for each, result in paid if each is not None]
        if known:
            await purse.settle(db, self.name, known, now)

    async def idle(self) -> None:
        """Wait until nothing is on its way."""
        await self._traffic.idle()

    async def close(self) -> None:
        """Stop waiting. What was on its way is tried again by another worker, after its lease."""
        await self._traffic.close()

    async def _send(self, delivery: Addressed, service: Service | None) -> Result:
        if delivery.address is None:
            return Result("refused", "no_contact")
        if service is None:
            return Result("refused", "channel_off")
        context = contact_context(delivery.org, delivery.contact)
        secret = self._services.opened(context, delivery.secret)
        if secret is None:
            return Result("refused", "seal_broken")
        if self._sender.is_metered and delivery.delivery not in self._paid:
            return Result("refused", "cap")
        # Here and not where it is taken: nothing else waits for a key store that is away.
        address = await self._address(delivery, delivery.address)
        if isinstance(address, Result):
            return address
        # An old one that does not open any more is no reason not to send.
        old = self._services.opened(context, delivery.old_secret) or b""
        message = composed(delivery, address, self._public_url, secret=secret, old_secret=old)
        return await self._sender.send(service, message)

    async def _address(self, delivery: Addressed, lies: str) -> str | Result:
        """Return where a message goes, opened, or why it cannot go there now."""
        text = Text(delivery.contact, lies, (delivery.owner or delivery.org,))
        try:
            [address] = await texts.open_with(self._keys, delivery.org, CONTACT_ADDRESS, [text])
        except KeyGone:
            return Result("refused", "no_contact")
        except SealBroken:
            return Result("refused", "seal_broken")
        except Unavailable:
            return Result("later", "keys_away")
        return address

    def _key(self, delivery: Addressed) -> UUID:
        # A webhook is a service of its own; mail and SMS go through the organisation's.
        return delivery.contact if delivery.secret is not None else delivery.org


def _is_critical(delivery: Addressed) -> bool:
    # That it is over is never worth more than the cap allows.
    weighs = weight(delivery.ladder or "", delivery.criticality or "")
    return delivery.kind == "alert" and weighs == "critical"
