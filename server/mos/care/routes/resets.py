"""Forgotten passwords, and the mail that tells of a changed one. Leaves after the answer."""

from uuid import UUID

from litestar.background_tasks import BackgroundTask

from mos.care.actions import letters
from mos.care.routes.given import Given


def password_changed(given: Given, org: UUID, account: UUID) -> BackgroundTask:
    """Return what tells somebody by mail that their password was changed: nobody waits for it."""
    return BackgroundTask(
        letters.send, given.pool, given.messengers, org, account, "password_changed", now=given.now
    )
