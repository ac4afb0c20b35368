"""Posts JSON, signed as the Standard Webhooks specification says (HMAC-SHA256)."""

import hmac
from base64 import b64encode
from hashlib import sha256

import msgspec

from mos.dispatch.channels.asked import asked, understood
from mos.dispatch.channels.message import Message, Service
from mos.dispatch.channels.result import Result, cut
from mos.dispatch.outward import Outward
from mos.kernel.clock import Clock, system_clock


class Webhook:
    """The channel `webhook`."""

    name = "webhook"
    is_metered = False

    def __init__(self, outward: Outward, *, clock: Clock = system_clock) -> None:
        """Post through `outward`. `clock` is real time: receivers compare with theirs."""
        self._outward = outward
        self._clock = clock

    async def send(self, service: Service, message: Message) -> Result:  # noqa: ARG002  it has none
        """Post one message to where it goes."""
        body = msgspec.json.encode(message.data)
        name, seconds = f"msg_{message.id.hex}", str(int(self._clock().timestamp()))
        headers = {
            "content-type": "application/json",
            "user-agent": "MOS",
            "webhook-id": name,
            "webhook-timestamp": seconds,
            "webhook-signature": " ".join(
                signature(secret, name, seconds, body) for secret in _secrets(message)
            ),
        }
        answer = await asked(self._outward, message.to, body, headers)
        if isinstance(answer, Result):
            return answer
        if 200 <= answer.status < 300:
            return Result("sent", "", words=cut(answer.body.decode(errors="replace")))
        if answer.status == 404:
            # A program that is being replaced is not there for a moment.
            return Result("later", "http_404", answer.retry_after_s)
        return understood(answer)


def _secrets(message: Message) -> tuple[bytes, ...]:
    return (message.secret, message.old_secret) if message.old_secret else (message.secret,)


def signature(secret: bytes, name: str, seconds: str, body: bytes) -> str:
    """Return the header `webhook-signature` of a message: what is signed is `name.seconds.body`."""
    signed = f"{name}.{seconds}.".encode() + body
    return "v1," + b64encode(hmac.digest(secret, signed, sha256)).decode()
