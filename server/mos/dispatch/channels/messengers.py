"""The channels that reach contacts, opened for one process: the worker's and the web's."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from msgspec import Struct

from mos.db import Pool, Scope
from mos.dispatch.channels import purse
from mos.dispatch.channels.email import Email
from mos.dispatch.channels.message import Message, Sender, Service
from mos.dispatch.channels.result import Result
from mos.dispatch.channels.services import Seals, Services, of_installation
from mos.dispatch.channels.sms import Sms
from mos.dispatch.channels.webhook import Webhook
from mos.dispatch.outward import LIMIT_S, Guard, Outward, open_outward
from mos.kernel.settings import Settings, Smtp


class Messengers(Struct, frozen=True):
    """Every channel's sender, by name, and how organisations reach what is behind it."""

    senders: Mapping[str, Sender]
    services: Services
    guard: Guard
    public_url: str

    async def send(
        self, pool: Pool, org: UUID, channel: str, message: Message, now: datetime
    ) -> Result:
        """Send one message at once, outside of any transaction; within the channel's cap."""
        sender, scope = self.senders[channel], Scope(org=org)
        async with pool.transaction(scope) as db:
            services = await self.services.of(db, channel, [org])
            if org not in services:
                return Result("refused", "channel_off")
            paid: dict[int, purse.Paid] = {}
            if sender.is_metered:
                wanted = [purse.Wanted(0, org, is_critical=False)]
                paid = await purse.pay(db, channel, wanted, services, now)
                if not paid:
                    return Result("refused", "cap")
        result = await sender.send(services[org], message)
        if paid:
            async with pool.transaction(scope) as db:
                await purse.settle(db, channel, [(paid[0], result)], now)
        return result


@asynccontextmanager
async def open_messengers(
    settings: Settings, seals: Seals, *, limit_s: float = LIMIT_S
) -> AsyncIterator[Messengers]:
    """Yield the channels; their connections close at the end.

    Raises OSError when the password of the installation's mail server cannot be read.
    """
    ours = _ours(settings)
    networks = settings.channel_networks
    async with open_outward(networks, limit_s=limit_s) as outward:
        services = Services(seals, ours)
        yield Messengers(_senders(outward, settings), services, outward.guard, settings.public_url)


def _senders(outward: Outward, settings: Settings) -> dict[str, Sender]:
    host = urlsplit(settings.public_url).hostname or "localhost"
    senders: tuple[Sender, ...] = (Email(outward, host), Sms(outward), Webhook(outward))
    return {sender.name: sender for sender in senders}


def _ours(settings: Settings) -> dict[str, Service]:
    # A webhook is a service of its own: its contact says all that there is to know.
    ours = {"webhook": of_installation({}, "")}
    if settings.smtp is not None:
        password = _password(settings, settings.smtp)
        ours["email"] = of_installation(_email(settings.smtp), password)
    return ours


def _email(smtp: Smtp) -> dict[str, str | int]:
    return {
        "host": smtp.host,
        "port": smtp.port,
        "security": smtp.security,
        "login": smtp.login,
        "sender": smtp.sender,
    }


def _password(settings: Settings, smtp: Smtp) -> str:
    if not smtp.login:
        return ""
    return (settings.secrets / "smtp.password").read_text().strip()
