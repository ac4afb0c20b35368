"""Speaks SMTP (RFC 5321) with STARTTLS or TLS, and reads what the answer means."""

import asyncio
import re
import ssl
from contextlib import nullcontext, suppress
from datetime import datetime
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from email.utils import format_datetime
from socket import gaierror
from typing import Annotated, Literal, cast

import aiosmtplib
import msgspec
from aiosmtplib import errors
from msgspec import Meta, Struct

from mos.dispatch.channels.message import Message, Service
from mos.dispatch.channels.result import Result, cut
from mos.dispatch.outward import Blocked, Outward
from mos.kernel.clock import Clock, system_clock

# Greeting, encryption, sign-in and message; still less than the lease of a delivery (store.LEASE).
_LIMIT_S = 20.0
_GOODBYE_S = 1.0
# The installation's server serves all organisations together; each one's own is bounded by itself.
_MOST_TO_OURS = 20
# What servers say of an address that is not there (RFC 3463). A 550 alone may be about the sender.
_NOBODY = re.compile(r"\b5\.(1\.[1236]|1\.10|2\.1)\b")
_PLAIN = r"^[^\x00-\x1f\x7f]*\Z"
_ADDRESS = r"^[!-?A-~]+@[!-?A-~]+\Z"


class EmailSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """An organisation's own mail server. The password is the channel's secret."""

    host: Annotated[str, Meta(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9._:-]+\Z")]
    sender: Annotated[str, Meta(min_length=3, max_length=254, pattern=_ADDRESS)]
    port: Annotated[int, Meta(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls"] = "starttls"
    login: Annotated[str, Meta(max_length=254, pattern=_PLAIN)] = ""
    # What stands beside the address in people's inboxes.
    name: Annotated[str, Meta(max_length=100, pattern=_PLAIN)] = "MOS"


class Email:
    """The channel `email`."""

    name = "email"
    is_metered = False

    def __init__(self, outward: Outward, host: str, *, clock: Clock = system_clock) -> None:
        """Introduce ourselves to servers as `host`, a name of this installation."""
        self._outward = outward
        self._host = host
        self._clock = clock
        self._ours = asyncio.Semaphore(_MOST_TO_OURS)

    async def send(self, service: Service, message: Message) -> Result:
        """Hand one message to the organisation's mail server."""
        settings = msgspec.convert(service.settings, EmailSettings)
        try:
            mail = written(settings, message, self._clock(), self._host)
        except ValueError as error:
            return Result("refused", "bad_address", words=cut(str(error)))
        try:
            turn = self._ours if service.is_ours else nullcontext()
            # Waiting for one's turn is part of the time: a delivery's lease does not wait.
            async with asyncio.timeout(min(_LIMIT_S, 2 * self._outward.limit_s)), turn:
                return await self._hand_over(service, settings, mail)
        except (Blocked, OSError, errors.SMTPException) as error:
            return understood(error)

    async def _hand_over(
        self, service: Service, settings: EmailSettings, mail: EmailMessage
    ) -> Result:
        guarded = not service.is_ours
        socket = await self._outward.connect(settings.host, settings.port, guarded=guarded)
        transport: asyncio.BaseTransport | None = None
        client = aiosmtplib.SMTP(
            hostname=settings.host,
            sock=socket,
            local_hostname=self._host,
            use_tls=settings.security == "tls",
            start_tls=settings.security == "starttls",
            tls_context=self._outward.tls,
            username=settings.login or None,
            password=service.secret if settings.login else None,
            timeout=self._outward.limit_s,
        )
        try:
            await client.connect()
            transport = client.transport
            _, words = await client.send_message(mail, sender=settings.sender)
            with suppress(errors.SMTPException, OSError):
                # The message is handed over: a server that says goodbye slowly changes nothing.
                await client.quit(timeout=_GOODBYE_S)
        finally:
            client.close()
            # At once: a polite end of TLS would wait for a server that may have gone. The socket is
            # the transport's from here on; closing it beneath would close somebody else's later.
            if transport is not None:
                # uvloop's are of no class of asyncio's, and all that can be written to can do this.
                cast("asyncio.WriteTransport", transport).abort()
        return Result("sent", "", words=cut(words))


def written(settings: EmailSettings, message: Message, now: datetime, host: str) -> EmailMessage:
    """Return the mail. Raises ValueError for an address that is none.

    What would break out of a header is refused by the library too, whoever wrote it.
    """
    mail = EmailMessage(policy=WIRE)
    mail["From"] = Address(settings.name, addr_spec=settings.sender)
    mail["To"] = Address(addr_spec=address(message.to))
    mail["Subject"] = message.subject
    mail["Date"] = format_datetime(now)
    # The same at each attempt, so that a mailbox that has it already shows it once.
    mail["Message-ID"] = f"<{message.id}@{host}>"
    # No out-of-office answers, please (RFC 3834).
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(message.text)
    return mail


def address(text: str) -> str:
    """Return an e-mail address as servers take it.

    Raises ValueError with a sentence for a person.
    """
    wrong = "This is not an e-mail address that can be sent to: write it as name@example.org."
    # RFC 5321 §4.5.3.1
    if not re.fullmatch(_ADDRESS, text) or len(text) > 254 or text.index("@") > 64:
        raise ValueError(wrong)
    try:
        found = Address(addr_spec=text)
    except (ValueError, IndexError, HeaderParseError):
        raise ValueError(wrong) from None
    if not re.fullmatch(r"[A-Za-z0-9.-]+\.[A-Za-z0-9-]+", found.domain):
        raise ValueError("The part after @ is not an address on the internet.")
    return found.addr_spec


def understood(error: Exception) -> Result:  # noqa: PLR0911  one for each way to fail
    """Return what it means that a message could not be handed over."""
    match error:
        case Blocked():
            return Result("refused", "blocked")
        case errors.SMTPRecipientsRefused():
            return _answered(error.recipients[0])
        case errors.SMTPResponseException():
            return _answered(error)
        case errors.SMTPException() if not isinstance(error, OSError):
            # No STARTTLS, or no way to sign in that we know.
            return Result("refused", "not_supported", words=cut(error.message))
        case TimeoutError():
            return Result("later", "timeout")
        case ssl.SSLError():
            return Result("later", "tls", words=cut(error.reason or str(error)))
        case gaierror():
            return Result("later", "unknown_host", words=cut(error.strerror or ""))
        case _:
            return Result("later", "unreachable", words=cut(str(error)))


def _answered(error: errors.SMTPResponseException) -> Result:
    code, words = error.code, cut(error.message)
    if 400 <= code < 500:
        return Result("later", f"smtp_{code}", words=words)
    if not 500 <= code < 600:
        # No answer of SMTP: it may have the message, or may be something else altogether.
        return Result("later", "unclear", words=words)
    if isinstance(error, errors.SMTPRecipientRefused) and _NOBODY.search(error.message):
        return Result("gone", f"smtp_{code}", words=words)
    sign_in = isinstance(error, errors.SMTPAuthenticationError)
    return Result("refused", "sign_in" if sign_in else f"smtp_{code}", words=words)
