"""Webhooks: an organisation's own program hears of every alert."""

from mos.dispatch.channels.webhook.sender import Webhook, signature

__all__ = ["Webhook", "signature"]
