"""How an organisation reaches the services behind its channels, for whoever manages all of it."""

import time
from collections.abc import Awaitable
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, structs

from mos.care import store as care_store
from mos.care.actions.contacts import Desk, require_try
from mos.care.actions.noting import note
from mos.care.actions.outside import require_outside, require_url
from mos.care.actions.permit import no_such, require_whole
from mos.care.actions.step_up import require_step_up
from mos.care.model import Actor
from mos.db import Db, Scope
from mos.dispatch import store
from mos.dispatch.channels.addresses import normal
from mos.dispatch.channels.email import EmailSettings
from mos.dispatch.channels.message import Message
from mos.dispatch.channels.messengers import Messengers
from mos.dispatch.channels.purse import month_of
from mos.dispatch.channels.result import Result
from mos.dispatch.channels.services import secret_context
from mos.dispatch.channels.sms import SmsSettings
from mos.dispatch.channels.words import words
from mos.dispatch.store import ChannelSet
from mos.kernel.errors import Invalid
from mos.kernel.ids import new_id

ChannelName = Literal["email", "sms"]
_NAMES: tuple[ChannelName, ...] = ("email", "sms")
_Secret = Annotated[str, Meta(min_length=1, max_length=1000, pattern=r"^[^\x00-\x1f\x7f]*\Z")]


class ChannelEntry(Struct, frozen=True, kw_only=True):
    """One channel, without its secret.

    `state`: `own` settings, those of the `installation`, `off`, or `broken` (its secret does not
    open any more: enter it anew). Money in hundredths of `settings.currency`.
    """

    channel: ChannelName
    state: Literal["own", "installation", "off", "broken"]
    settings: dict[str, Any] | None
    has_secret: bool
    cap: int | None
    spent: int
    messages: int
    # Since when the cap holds this month's messages back.
    capped_at: datetime | None
    updated_at: datetime | None
    updated_by: UUID | None


class ChannelChange(Struct, frozen=True, forbid_unknown_fields=True):
    """A channel's settings, all of them. A `secret` that is not named stays as it is."""

    settings: dict[str, Any]
    secret: _Secret | UnsetType | None = UNSET
    cap: Annotated[int, Meta(ge=0, le=100_000_000)] | None = None


class Trial(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a test message goes."""

    to: Annotated[str, Meta(min_length=3, max_length=254)]


class Tried(Struct, frozen=True):
    """What the service said: its own words, cut to 300 letters, and how long it took."""

    outcome: Literal["sent", "gone", "later", "refused"]
    code: str
    words: str
    took_ms: int


async def list_channels(
    db: Db, messengers: Messengers, actor: Actor, now: datetime
) -> list[ChannelEntry]:
    """Return the organisation's channels; raises Forbidden."""
    await require_whole(db, actor, now)
    rows = {row.channel: row for row in await store.channel_rows(db, actor.org)}
    costs = {row.channel: row for row in await store.spend_of(db, actor.org, month_of(now))}
    return [_entry(messengers, actor.org, name, rows.get(name), costs.get(name)) for name in _NAMES]


async def set_channel(desk: Desk, name: str, wanted: ChannelChange) -> ChannelEntry:
    """Set up a channel; raises Forbidden, NotFound or Invalid (msgspec's ValidationError too)."""
    actor, now, messengers = desk.actor, desk.now, desk.messengers
    async with desk.pool.transaction(Scope(org=actor.org)) as db:
        await require_whole(db, actor, now)
        channel = _named(name)
        await require_step_up(db, actor, now)
        settings = _checked(messengers, channel, wanted.settings)
        secret = None
        if isinstance(wanted.secret, str):
            context = secret_context(actor.org, channel)
            secret = messengers.services.seals.seal(context, wanted.secret.encode())
        row = ChannelSet(channel, settings, secret, wanted.cap, now, actor.account)
        keeps = wanted.secret is UNSET
        await store.save_channel(db, actor.org, row, keeps_secret=keeps, month=month_of(now))
        note(db, actor, "channel_set", now, channel=channel, secret=not keeps)
        entries = await list_channels(db, messengers, actor, now)
    return next(entry for entry in entries if entry.channel == channel)


async def remove_channel(db: Db, actor: Actor, name: str, now: datetime) -> None:
    """Remove a channel's settings and its secret; raises Forbidden or NotFound."""
    await require_whole(db, actor, now)
    await require_step_up(db, actor, now)
    if not await store.remove_channel(db, actor.org, _named(name)):
        raise no_such("channel")
    note(db, actor, "channel_removed", now, channel=name)


async def try_channel(desk: Desk, name: str, trial: Trial) -> Tried:
    """Send a test message and return what the service said; raises Forbidden, Invalid, TooMany."""
    actor = desk.actor
    async with desk.pool.transaction(Scope(org=actor.org)) as db:
        await require_whole(db, actor, desk.now)
        channel = _named(name)
        try:
            address = normal(channel, trial.to)
        except ValueError as error:
            raise Invalid(str(error), field="to") from None
        await require_try(db, actor, desk.now)
        account = await care_store.account(db, actor.org, actor.account)
    said = words(account.language if account else "en", "test")
    message = Message(
        id=new_id(desk.now), to=address, subject=said.subject, text=said.text, data={}
    )
    return await timed(desk.messengers.send(desk.pool, actor.org, channel, message, desk.now))


async def timed(sending: Awaitable[Result]) -> Tried:
    """Return what a service said to a message that is being sent, and how long that took."""
    begun = time.monotonic()
    result = await sending
    took = int((time.monotonic() - begun) * 1000)
    return Tried(result.outcome, result.code, result.words, took)


class _EmailForm(Struct, frozen=True):
    settings: EmailSettings


class _SmsForm(Struct, frozen=True):
    settings: SmsSettings


def _checked(messengers: Messengers, channel: ChannelName, given: dict[str, Any]) -> dict[str, Any]:
    """Return settings as they are kept. Wrapped in a form, so that an error names `settings.…`."""
    if channel == "email":
        mail = msgspec.convert({"settings": given}, _EmailForm).settings
        require_outside(messengers.guard, mail.host, field="settings.host")
        return structs.asdict(mail)
    sms = msgspec.convert({"settings": given}, _SmsForm).settings
    if sms.provider == "gateway" and not sms.url:
        raise Invalid("Write the gateway's address.", field="settings.url")
    if sms.provider != "gateway" and not sms.login:
        raise Invalid("Write the name of the account.", field="settings.login")
    if sms.url:
        require_url(messengers.guard, sms.url, field="settings.url")
    return structs.asdict(sms)


def _named(name: str) -> ChannelName:
    for known in _NAMES:
        if known == name:
            return known
    raise no_such("channel")


def _entry(
    messengers: Messengers,
    org: UUID,
    name: ChannelName,
    row: ChannelSet | None,
    spent: store.ChannelSpend | None,
) -> ChannelEntry:
    services = messengers.services
    if row is None:
        state: Literal["own", "installation", "off", "broken"] = (
            "installation" if name in services.ours else "off"
        )
    else:
        opens = services.opened(secret_context(org, name), row.secret) is not None
        state = "own" if opens else "broken"
    return ChannelEntry(
        channel=name,
        state=state,
        settings=row.settings if row else None,
        has_secret=row is not None and row.secret is not None,
        cap=row.cap if row else None,
        spent=spent.cost if spent else 0,
        messages=spent.parts if spent else 0,
        capped_at=spent.capped_at if spent else None,
        updated_at=row.updated_at if row else None,
        updated_by=row.updated_by if row else None,
    )
