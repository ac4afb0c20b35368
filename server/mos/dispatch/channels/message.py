"""What a person or a program is told through a contact, and the service that carries it."""

from typing import Any, Protocol
from uuid import UUID

from msgspec import Struct

from mos.dispatch.channels.result import Result


class Message(Struct, frozen=True, kw_only=True):
    """One message. A second attempt is the same message: `id` tells the receiver so."""

    id: UUID
    to: str
    subject: str
    text: str
    # The same for a program: ids and words of the engine, never what is planned or said.
    data: dict[str, Any]
    # What a webhook's message is signed with; after a change for a while with the old one, too.
    secret: bytes = b""
    old_secret: bytes = b""


class Service(Struct, frozen=True, kw_only=True):
    """How an organisation reaches the service behind a channel.

    `settings` are of the channel's own form; `is_ours`: the installation's, which its operator
    answers for.
    """

    settings: dict[str, Any]
    secret: str
    cap: int | None = None
    is_ours: bool = False


class Sender(Protocol):
    """One channel's way to send a message; it says what came of it and never raises."""

    name: str
    # Whether each message costs money, which the organisation's cap bounds (purse).
    is_metered: bool

    async def send(self, service: Service, message: Message) -> Result:
        """Send one message, in less time than a delivery's lease."""
        ...
