"""Channels and webhooks of the organisation, for whoever manages all of it."""

from uuid import UUID

from litestar import delete, get, patch, post, put
from litestar.params import FromPath, JSONBody

from mos.care import store
from mos.care.actions import channels, webhooks
from mos.care.routes.contacts import desk
from mos.care.routes.given import FromEdge, SignedIn
from mos.db import Scope
from mos.dispatch.store import Answer


@get("/channels", tags=["channels"])
async def get_channels(given: FromEdge, me: SignedIn) -> list[channels.ChannelEntry]:
    """List how e-mail and SMS are set up, and what they have cost this month."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await channels.list_channels(db, given.messengers, me, given.now)


@put("/channels/{channel:str}", tags=["channels"])
async def put_channel(
    channel: FromPath[str], data: JSONBody[channels.ChannelChange], given: FromEdge, me: SignedIn
) -> channels.ChannelEntry:
    """Set up a channel. A secret that is not named stays; no answer holds it."""
    return await channels.set_channel(desk(given, me), channel, data)


@delete("/channels/{channel:str}", tags=["channels"])
async def delete_channel(channel: FromPath[str], given: FromEdge, me: SignedIn) -> None:
    """Forget a channel's settings and secret: the installation's hold, if it has any."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        await channels.remove_channel(db, me, channel, given.now)


@post("/channels/{channel:str}/test", status_code=200, tags=["channels"])
async def post_channel_test(
    channel: FromPath[str], data: JSONBody[channels.Trial], given: FromEdge, me: SignedIn
) -> channels.Tried:
    """Send a test message, and show what the service said, word for word."""
    return await channels.try_channel(desk(given, me), channel, data)


@get("/webhooks", tags=["channels"])
async def get_webhooks(given: FromEdge, me: SignedIn) -> list[store.Webhook]:
    """List the organisation's webhooks, oldest first."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await webhooks.list_webhooks(db, me, given.now)


@post("/webhooks", tags=["channels"])
async def post_webhook(
    data: JSONBody[webhooks.NewWebhook], given: FromEdge, me: SignedIn
) -> webhooks.WebhookSecret:
    """Add a webhook. The secret that signs its messages is shown this once."""
    return await webhooks.add(desk(given, me), data)


@patch("/webhooks/{webhook_id:uuid}", tags=["channels"])
async def patch_webhook(
    webhook_id: FromPath[UUID],
    data: JSONBody[webhooks.WebhookChange],
    given: FromEdge,
    me: SignedIn,
) -> store.Webhook:
    """Change a webhook's label, or let it rest or go on."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await webhooks.change(db, me, webhook_id, data, given.now)


@post("/webhooks/{webhook_id:uuid}/secret", status_code=200, tags=["channels"])
async def post_webhook_secret(
    webhook_id: FromPath[UUID], given: FromEdge, me: SignedIn
) -> webhooks.WebhookSecret:
    """Give a webhook another secret, shown this once; for a day the old one signs, too."""
    return await webhooks.rotate(desk(given, me), webhook_id)


@get("/webhooks/{webhook_id:uuid}/answers", tags=["channels"])
async def get_webhook_answers(
    webhook_id: FromPath[UUID], given: FromEdge, me: SignedIn
) -> list[Answer]:
    """List the latest twenty messages to a webhook: when, what came of them, how many tries."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await webhooks.answers(db, me, webhook_id, given.now)


@delete("/webhooks/{webhook_id:uuid}", tags=["channels"])
async def delete_webhook(webhook_id: FromPath[UUID], given: FromEdge, me: SignedIn) -> None:
    """Remove a webhook: nothing more is posted there."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        await webhooks.remove(db, me, webhook_id, given.now)


@post("/webhooks/{webhook_id:uuid}/test", status_code=200, tags=["channels"])
async def post_webhook_test(
    webhook_id: FromPath[UUID], given: FromEdge, me: SignedIn
) -> channels.Tried:
    """Post a test message, and show what the answer was. A webhook that was gone is used again."""
    return await webhooks.test(desk(given, me), webhook_id)


HANDLERS = [
    get_channels,
    put_channel,
    delete_channel,
    post_channel_test,
    get_webhooks,
    post_webhook,
    patch_webhook,
    post_webhook_secret,
    get_webhook_answers,
    delete_webhook,
    post_webhook_test,
]
