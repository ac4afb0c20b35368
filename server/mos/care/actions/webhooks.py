"""An organisation's webhooks: programs of its own that hear of every alert."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from mos.care import store
from mos.care.actions.channels import Tried, timed
from mos.care.actions.contacts import Desk, is_there, new_secret, require_try
from mos.care.actions.noting import note
from mos.care.actions.outside import require_url
from mos.care.actions.permit import no_such, require_whole
from mos.care.actions.step_up import require_step_up
from mos.care.actions.text import Short
from mos.care.model import Actor
from mos.care.store import ContactRow, Webhook
from mos.db import Db, Scope, UniqueViolation
from mos.dispatch import store as engine
from mos.dispatch.channels.compose import moment
from mos.dispatch.channels.message import Message
from mos.dispatch.channels.services import contact_context
from mos.kernel.errors import Conflict
from mos.kernel.ids import new_id

_THERE = "This webhook is there already."
_MOST_WEBHOOKS = 10
# Long enough to change a program on a working day, and short enough for a secret that got out.
_OLD_SECRET = timedelta(days=1)


class NewWebhook(Struct, frozen=True, forbid_unknown_fields=True):
    """Where to post."""

    address: Annotated[str, Meta(min_length=8, max_length=2048, pattern=r"^[!-~]+\Z")]
    label: Short = ""


class WebhookChange(Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be different. Another address is another webhook."""

    label: Short | UnsetType = UNSET
    paused: bool | UnsetType = UNSET


class WebhookSecret(Struct, frozen=True):
    """A webhook, and the secret that signs what it is sent from now on: shown this once."""

    webhook: Webhook
    secret: str


async def list_webhooks(db: Db, actor: Actor, now: datetime) -> list[Webhook]:
    """Return the organisation's webhooks, oldest first; raises Forbidden."""
    await require_whole(db, actor, now)
    return await store.webhooks_of(db, actor.org, now)


async def add(desk: Desk, wanted: NewWebhook) -> WebhookSecret:
    """Add a webhook; raises Forbidden, Invalid or Conflict."""
    actor, now = desk.actor, desk.now
    webhook = Webhook(
        id=new_id(now),
        channel="webhook",
        address=wanted.address,
        label=wanted.label.strip(),
        when="always",
        # Whoever manages the organisation says that it is theirs.
        verified=True,
        gone=False,
        created_at=now,
        paused_at=None,
        old_secret_until=None,
    )
    try:
        async with desk.pool.transaction(Scope(org=actor.org)) as db:
            await require_whole(db, actor, now)
            await require_step_up(db, actor, now)
            require_url(desk.messengers.guard, wanted.address, field="address")
            there = await store.contacts_of(db, actor.org, None)
            if len(there) >= _MOST_WEBHOOKS:
                raise Conflict("Ten webhooks are enough: remove one first.", code="webhooks_full")
            if is_there(there, webhook):
                raise Conflict(_THERE, code="webhook_there")
            signing = new_secret(desk, webhook.id)
            await store.add_contact(db, actor.org, None, webhook, secret=signing.sealed, now=now)
            note(db, actor, "webhook_added", now, of=webhook.id)
    except UniqueViolation:
        raise Conflict(_THERE, code="webhook_there") from None
    return WebhookSecret(webhook, signing.shown)


async def change(
    db: Db, actor: Actor, webhook: UUID, wanted: WebhookChange, now: datetime
) -> Webhook:
    """Change a webhook's label, let it rest or go on; raises Forbidden or NotFound.

    While it rests nothing is posted there, and what happens meanwhile is not told afterwards.
    """
    await require_whole(db, actor, now)
    await require_step_up(db, actor, now)
    found = await _found(db, actor, webhook)
    label = found.label if wanted.label is UNSET else wanted.label.strip()
    rests = found.paused_at is not None
    paused_at = found.paused_at
    if wanted.paused is not UNSET and wanted.paused != rests:
        paused_at = now if wanted.paused else None
        note(
            db, actor, "webhook_changed", now, of=webhook,
            what="paused" if wanted.paused else "resumed",
        )  # fmt: skip
    await store.save_webhook(db, actor.org, webhook, label=label, paused_at=paused_at)
    if paused_at is not None:
        await db.widen(await store.spaces_of_organisation(db, actor.org))
        await engine.drop_waiting(db, actor.org, webhook, now)
    return await _one(db, actor, webhook, now)


async def rotate(desk: Desk, webhook: UUID) -> WebhookSecret:
    """Give a webhook another secret; for a day the one before signs beside it.

    Raises Forbidden or NotFound.
    """
    actor, now = desk.actor, desk.now
    async with desk.pool.transaction(Scope(org=actor.org)) as db:
        await require_whole(db, actor, now)
        await require_step_up(db, actor, now)
        await _found(db, actor, webhook)
        signing = new_secret(desk, webhook)
        await store.rotate_secret(
            db, actor.org, webhook, secret=signing.sealed, old_until=now + _OLD_SECRET
        )
        note(db, actor, "webhook_changed", now, of=webhook, what="secret")
        return WebhookSecret(await _one(db, actor, webhook, now), signing.shown)


async def answers(db: Db, actor: Actor, webhook: UUID, now: datetime) -> list[engine.Answer]:
    """Return what a webhook was sent lately and what it answered; raises Forbidden or NotFound."""
    await require_whole(db, actor, now)
    await _found(db, actor, webhook)
    await db.widen(await store.spaces_of_organisation(db, actor.org))
    return await engine.answers_of(db, actor.org, webhook)


async def remove(db: Db, actor: Actor, webhook: UUID, now: datetime) -> None:
    """Remove a webhook; raises Forbidden or NotFound."""
    await require_whole(db, actor, now)
    await require_step_up(db, actor, now)
    if not await store.remove_contact(db, actor.org, None, webhook):
        raise no_such("webhook")
    note(db, actor, "webhook_removed", now, of=webhook)


async def test(desk: Desk, webhook: UUID) -> Tried:
    """Post `{"type": "test"}` and return what the answer was; one that was gone is used again.

    Raises Forbidden, NotFound or TooMany.
    """
    actor, services = desk.actor, desk.messengers.services
    async with desk.pool.transaction(Scope(org=actor.org)) as db:
        await require_whole(db, actor, desk.now)
        found = await _found(db, actor, webhook)
        await require_try(db, actor, desk.now)
    context = contact_context(actor.org, webhook)
    secret = services.opened(context, found.secret)
    if secret is None:
        return Tried("refused", "seal_broken", "", 0)
    until = found.old_secret_until
    old = found.old_secret if until is not None and desk.now < until else None
    message = Message(
        id=new_id(desk.now),
        to=found.address,
        subject="",
        text="",
        data={"type": "test", "timestamp": moment(desk.now), "data": {}},
        secret=secret,
        old_secret=services.opened(context, old) or b"",
    )
    tried = await timed(desk.messengers.send(desk.pool, actor.org, "webhook", message, desk.now))
    if tried.outcome == "sent" and found.gone:
        async with desk.pool.transaction(Scope(org=actor.org)) as db:
            await store.contact_verified(db, actor.org, webhook, desk.now)
    return tried


async def _found(db: Db, actor: Actor, webhook: UUID) -> ContactRow:
    found = await store.contact_for_update(db, actor.org, None, webhook)
    if found is None:
        raise no_such("webhook")
    return found


async def _one(db: Db, actor: Actor, webhook: UUID, now: datetime) -> Webhook:
    return next(each for each in await store.webhooks_of(db, actor.org, now) if each.id == webhook)
