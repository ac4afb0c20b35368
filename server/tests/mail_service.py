"""A real SMTP server with STARTTLS and sign-in, and what it can be told to do wrong."""

import asyncio
import email
import os
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default as readable
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from mos.ops.lan import authority

SENDER = "mos@example.test"
LOGIN, PASSWORD = "mos", "a mail password"


@dataclass
class MailService:
    """Takes mail for everybody; `answers` are given to the next recipients instead of "250 OK"."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    were_encrypted: list[bool] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    # What is said after the whole message instead of "250 OK".
    after_data: list[str] = field(default_factory=list)

    @property
    def settings(self) -> dict[str, Any]:
        """What an administrator would set."""
        return {"host": "127.0.0.1", "port": self.port, "sender": SENDER, "login": LOGIN}

    async def handle_RCPT(  # noqa: N802  aiosmtpd's words
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if self.answers:
            answer = self.answers.pop(0)
            if not answer.startswith("2"):
                return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.after_data:
            return self.after_data.pop(0)
        parsed = email.message_from_bytes(envelope.content, policy=readable)
        assert isinstance(parsed, EmailMessage)
        self.mails.append(parsed)
        self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
        self.were_encrypted.append(session.ssl is not None)
        return "250 OK: taken"


def _authenticated(
    _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any
) -> AuthResult:
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (
        LOGIN.encode(),
        PASSWORD.encode(),
    )
    return AuthResult(success=right, handled=right)


@asynccontextmanager
async def mail_service(
    tls: ssl.SSLContext, *, asks_login: bool = True
) -> AsyncIterator[MailService]:
    """Yield a running mail server on a port of its own."""
    service = MailService()

    connections: list[SMTP] = []

    def connected() -> SMTP:
        connection = SMTP(
            service,
            hostname="mail.example.test",
            require_starttls=True,
            tls_context=tls,
            auth_required=asks_login,
            authenticator=_authenticated,
        )
        connections.append(connection)
        return connection

    server = await asyncio.get_running_loop().create_server(connected, "127.0.0.1", 0)
    service.port = server.sockets[0].getsockname()[1]
    try:
        yield service
    finally:
        server.close()
        for connection in connections:
            for transport in (connection.transport, connection._original_transport):
                if transport is not None and not transport.is_closing():
                    transport.abort()


@pytest.fixture(scope="session")
def server_tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ssl.SSLContext]:
    """What a server on 127.0.0.1 shows; every client of this run trusts it."""
    folder = Path(tmp_path_factory.mktemp("tls"))
    files = authority.prepare(folder, ["127.0.0.1"], ["localhost"], datetime.now(UTC))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.leaf, files.leaf_key)
    before = os.environ.get("SSL_CERT_FILE")
    os.environ["SSL_CERT_FILE"] = str(files.ca)
    yield context
    if before is None:
        del os.environ["SSL_CERT_FILE"]
    else:
        os.environ["SSL_CERT_FILE"] = before


@pytest.fixture
async def mail(server_tls: ssl.SSLContext) -> AsyncIterator[MailService]:
    """A mail server for this test alone."""
    async with mail_service(server_tls) as service:
        yield service
