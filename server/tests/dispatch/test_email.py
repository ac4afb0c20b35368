"""E-mail: never in clear, never beyond its headers, never into the server's own network."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import get_args
from uuid import UUID

import msgspec
import pytest
from aiosmtpd.smtp import SMTP
from mail_service import PASSWORD

from mos.dispatch.channels.email import Email, EmailSettings
from mos.dispatch.channels.email.sender import address, written
from mos.dispatch.channels.message import Message, Service
from mos.dispatch.channels.words import LANGUAGES, Kind, words
from mos.dispatch.outward import open_outward

NOW = datetime(2026, 11, 27, 7, tzinfo=UTC)
HERE = ("127.0.0.0/8",)
SETTINGS = EmailSettings(host="mail.example.org", sender="mos@example.org", name="Solgläntan")


def message(**more):
    return Message(
        **{
            "id": UUID(int=3),
            "to": "sam@example.org",
            "subject": "Ett larm väntar i MOS",
            "text": "Hej\nå",
            "data": {},
        }
        | more
    )


async def sent(mail, *, networks=HERE, secret=PASSWORD, **settings):
    async with open_outward(networks, limit_s=2) as outward:
        service = Service(settings=mail.settings | settings, secret=secret)
        return await Email(outward, "mos.example").send(service, message())


@pytest.mark.parametrize("evil", ["\r\nBcc: eve@example.org", "\nX: y", "\r\n\r\nHello", "\x00"])
@pytest.mark.parametrize("field", ["to", "subject"])
def test_nothing_breaks_out_of_a_header(field, evil):
    given = message(**{field: getattr(message(), field) + evil})

    try:
        raw = written(SETTINGS, given, NOW, "mos.example").as_bytes()
    except ValueError:
        return
    assert b"eve@" not in raw.replace(b"\r\n ", b"")
    assert b"\nX:" not in raw


@pytest.mark.parametrize("name", ["MOS\r\nBcc: eve@example.org", "MOS\x00", "MOS\x7f"])
def test_a_senders_name_with_a_line_break_cannot_be_set(name):
    given = {"host": "mail.example.org", "sender": "mos@example.org", "name": name}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(given, EmailSettings)


def test_a_name_that_looks_like_another_address_stays_a_name():
    settings = msgspec.structs.replace(SETTINGS, name="eve@example.org, <x>; MOS")

    mail = written(settings, message(), NOW, "mos.example")

    assert [one.addr_spec for one in mail["From"].addresses] == ["mos@example.org"]
    assert [one.addr_spec for one in mail["To"].addresses] == ["sam@example.org"]


@pytest.mark.parametrize(
    "text",
    ["a@b.se, c@d.se", "a@b.se;c@d.se", "<a@b.se>", "a b@c.se", "@b.se", "a@", "a@b", "a@b..se\n",
     '"a\r\nb"@c.se', "a@[10.0.0.1]", "a" * 65 + "å@b.se", "a@b.se\x00"],
)  # fmt: skip
def test_what_is_not_one_address_is_no_address(text):
    with pytest.raises(ValueError, match="address"):
        address(text)


def test_a_mail_says_that_no_person_wrote_it_and_has_one_id_for_all_attempts():
    first, second = (written(SETTINGS, message(), NOW, "mos.example") for _ in range(2))

    assert first["Message-ID"] == second["Message-ID"]
    assert first["Auto-Submitted"] == "auto-generated"
    assert first["From"].addresses[0].display_name == "Solgläntan"
    assert first["Date"].datetime == NOW


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_everything(language):
    for kind in get_args(Kind):
        parts = {
            "time": "08.15", "code": "123456", "url": "https://mos.example", "link": "x",
            "who": "Alva", "until": "i dag", "trust": "http://mos",
        }  # fmt: skip
        said = words(language, kind, **parts)
        assert said.subject
        assert said.text
        assert "{" not in said.subject + said.text


async def test_a_server_without_starttls_gets_nothing(mail):
    heard = []

    class Deaf:
        async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
            heard.append(envelope)
            return "250 OK"

    connections = []

    def connected():
        connections.append(SMTP(Deaf(), hostname="mail.example.test"))
        return connections[-1]

    server = await asyncio.get_running_loop().create_server(connected, "127.0.0.1", 0)
    try:
        result = await sent(mail, port=server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for one in connections:
            if one.transport is not None and not one.transport.is_closing():
                one.transport.abort()

    assert (result.outcome, result.code) == ("refused", "not_supported"), result.words
    assert heard == []


@asynccontextmanager
async def behind_tls(tls):
    """A server that speaks TLS from the first byte."""
    mails, connections = [], []

    class Taker:
        async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
            mails.append(envelope)
            return "250 OK"

    def connected():
        connections.append(SMTP(Taker(), hostname="mail.example.test"))
        return connections[-1]

    loop = asyncio.get_running_loop()
    server = await loop.create_server(connected, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1], mails
    finally:
        server.close()
        for one in connections:
            if one.transport is not None and not one.transport.is_closing():
                one.transport.abort()


async def test_tls_from_the_first_byte_is_spoken_where_it_is_asked_for(mail, server_tls):
    async with behind_tls(server_tls) as (port, mails):
        result = await sent(mail, port=port, security="tls", login="")

        assert result.outcome == "sent"
        assert len(mails) == 1


async def test_a_certificate_that_nobody_vouches_for_gets_no_password(mail, monkeypatch, tmp_path):
    nobody = tmp_path / "none.pem"
    nobody.write_text("")
    monkeypatch.setenv("SSL_CERT_FILE", str(nobody))

    result = await sent(mail)

    assert (result.outcome, result.code) == ("later", "tls")
    assert mail.mails == []


async def test_a_mail_server_inside_the_servers_own_network_is_never_called(mail):
    assert await sent(mail, networks=()) == await sent(mail, networks=("10.0.0.0/8",))
    result = await sent(mail, networks=(), host="localhost")

    assert (result.outcome, result.code) == ("refused", "blocked")
    assert mail.envelopes == []


@pytest.mark.parametrize(
    ("said", "outcome", "code"),
    [
        ("421 4.3.2 Shutting down", "later", "smtp_421"),
        ("450 4.2.1 Mailbox busy", "later", "smtp_450"),
        ("451 4.3.0 Error", "later", "smtp_451"),
        ("452 4.3.1 No space", "later", "smtp_452"),
        ("500 5.5.2 What", "refused", "smtp_500"),
        ("550 No such user", "refused", "smtp_550"),
        ("550 5.1.1 No such user", "gone", "smtp_550"),
        ("550 5.1.10 No such user", "gone", "smtp_550"),
        ("550 5.2.1 Mailbox disabled", "gone", "smtp_550"),
        ("550 5.7.1 Relaying denied", "refused", "smtp_550"),
        ("551 5.1.6 Moved", "gone", "smtp_551"),
        ("552 5.2.2 Mailbox full", "refused", "smtp_552"),
        ("553 5.1.3 Bad syntax", "gone", "smtp_553"),
        ("554 5.7.1 Spam", "refused", "smtp_554"),
    ],
)
async def test_each_answer_of_a_mail_server_means_one_thing(mail, said, outcome, code):
    mail.answers = [said]

    result = await sent(mail)

    assert (result.outcome, result.code) == (outcome, code)


async def test_all_organisations_together_open_few_connections_to_the_installations_server(mail):
    opened, writers = asyncio.Semaphore(0), []

    async def serve(reader, writer):
        writers.append(writer)
        opened.release()
        await reader.read()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    settings = mail.settings | {"port": server.sockets[0].getsockname()[1]}
    ours = Service(settings=settings, secret=PASSWORD, is_ours=True)
    async with open_outward(HERE) as outward:
        channel = Email(outward, "mos.example")
        sending = [asyncio.create_task(channel.send(ours, message())) for _ in range(50)]
        async with asyncio.timeout(5):
            for _ in range(20):
                await opened.acquire()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(opened.acquire(), 0.2)
        for task in sending:
            task.cancel()
        await asyncio.gather(*sending, return_exceptions=True)
    server.close()
    for writer in writers:
        writer.transport.abort()
