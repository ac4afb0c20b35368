"""HTTPS on a private network: who trusts this home trusts it for its own addresses and no more."""

import asyncio
import io
import itertools
import re
import socket
import ssl
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import aiohttp
import msgspec
import pytest
from rich.console import Console

from mos.ops import welcome
from mos.ops.lan import addresses, authority, trust_page
from mos.ops.settings import ROOT

NOW = datetime.now(UTC)
HOME = ["192.168.1.20", "10.0.0.7"]
TEXTS = ROOT / "server" / "mos" / "ops" / "lan" / "texts"


async def shake_hands(files, name):
    """Let a device that trusts the authority meet the server as `name`; return the protocol."""
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_side.load_cert_chain(files.leaf, files.leaf_key)
    device = ssl.create_default_context(cafile=files.ca)
    server = await asyncio.start_server(
        lambda _reader, writer: writer.close(), "127.0.0.1", 0, ssl=server_side
    )
    async with server:
        port = server.sockets[0].getsockname()[1]
        _, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=device, server_hostname=name
        )
        version = writer.get_extra_info("ssl_object").version()
        writer.close()
        return version


@pytest.mark.parametrize("name", ["192.168.1.20", "10.0.0.7", "hall", "hall.local", "localhost"])
async def test_a_device_that_trusts_the_authority_trusts_the_server(tmp_path, name):
    files = authority.prepare(tmp_path / "lan", HOME, ["hall", "hall.local"], NOW)

    assert await shake_hands(files, name) == "TLSv1.3"


async def test_the_authority_cannot_speak_for_the_rest_of_the_web(tmp_path):
    files = authority.prepare(tmp_path, HOME, ["hall"], NOW)
    signer = authority._read_authority(files, [], NOW)
    foreign = authority._alternative_names(["203.0.113.9"], ["bank.example"])
    authority._make_leaf(files, foreign, signer, NOW)

    for name in ("bank.example", "203.0.113.9"):
        with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
            await shake_hands(files, name)


def test_keys_are_their_owners_alone(tmp_path):
    files = authority.prepare(tmp_path / "lan", HOME, ["hall"], NOW)

    assert files.ca_key.stat().st_mode & 0o777 == 0o600
    assert files.leaf_key.stat().st_mode & 0o777 == 0o600
    assert files.folder.stat().st_mode & 0o777 == 0o700


def test_a_move_renews_the_certificate_and_keeps_the_authority(tmp_path):
    files = authority.prepare(tmp_path, HOME, ["hall"], NOW)
    before = files.ca.read_bytes(), files.leaf.read_bytes()
    authority.prepare(tmp_path, HOME, ["hall"], NOW)
    assert (files.ca.read_bytes(), files.leaf.read_bytes()) == before

    authority.prepare(tmp_path, ["192.168.1.99"], ["hall"], NOW)

    assert files.ca.read_bytes() == before[0]
    assert files.leaf.read_bytes() != before[1]


def test_a_certificate_is_renewed_before_it_runs_out(tmp_path):
    files = authority.prepare(tmp_path, HOME, ["hall"], NOW)
    before = files.leaf.read_bytes()
    authority.prepare(tmp_path, HOME, ["hall"], NOW + timedelta(days=360))
    assert files.leaf.read_bytes() == before

    authority.prepare(tmp_path, HOME, ["hall"], NOW + timedelta(days=370))

    assert files.leaf.read_bytes() != before


async def test_a_new_name_gets_an_authority_that_may_speak_for_it(tmp_path):
    authority.prepare(tmp_path, HOME, ["hall"], NOW)
    files = authority.prepare(tmp_path, HOME, ["kitchen"], NOW)

    assert await shake_hands(files, "kitchen") == "TLSv1.3"


def test_this_machine_knows_its_addresses():
    found = addresses.lan_addresses()

    assert "127.0.0.1" not in found
    assert len(found) == len(set(found))
    assert all(socket.inet_aton(address) for address in found)


@pytest.mark.parametrize(
    ("asked", "accepted", "language"),
    [
        (None, "fi-FI,fi;q=0.9,en;q=0.8", "fi"),
        (None, "de,en-GB;q=0.7", "en"),
        (None, "", "sv"),
        ("en", "fi", "en"),
        ("xx", "de", "sv"),
    ],
)
def test_the_page_speaks_the_readers_language(asked, accepted, language):
    assert trust_page.choose_language(asked, accepted) == language


def test_the_box_breaks_its_lines_where_they_are_full():
    console = Console(file=io.StringIO(), width=80)
    welcome.show(
        console,
        welcome.Welcome(
            address="https://192.168.1.20:8080", demo=False, claim=None, data=Path("/var"),
            trust="http://192.168.1.20:8081/", fingerprint="AAAA BBBB CCCC DDDD",
        ),
    )  # fmt: skip
    lines = [line.strip(" │") for line in console.file.getvalue().splitlines()]
    begin = next(at for at, line in enumerate(lines) if "leads" in line)
    text = lines[begin : lines.index("AAAA BBBB")]

    assert " ".join(text).endswith("fingerprint begins with")
    for line, following in itertools.pairwise(text):
        assert len(line) + 1 + len(following.split()[0]) > 74


def test_all_languages_say_the_same_things():
    texts = {file.stem: msgspec.json.decode(file.read_bytes()) for file in TEXTS.glob("*.json")}

    assert texts.keys() == trust_page.LANGUAGES.keys()
    for text in texts.values():
        assert text.keys() == texts["sv"].keys()
        assert all(
            len(text[key]) == len(texts["sv"][key]) for key in ("android", "ios", "computer")
        )


class Balanced(HTMLParser):
    """Notes tags that are not closed, and text that a template left unfilled."""

    def __init__(self):
        super().__init__()
        self.open = []
        self.text = ""

    def handle_starttag(self, tag, _attrs):
        if tag not in {"meta", "link", "br", "input"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("language", list(trust_page.LANGUAGES))
def test_the_page_is_whole_and_opens_the_steps_of_the_device(language):
    android = "Mozilla/5.0 (Linux; Android 15) Chrome/140"
    page = trust_page.page(language, android, "https://192.168.1.20:8080", "AAAA BBBB")
    parser = Balanced()
    parser.feed(page)

    assert parser.open == []
    assert "AAAA BBBB" in parser.text
    assert re.findall(r"<details[^>]* open>\s*<summary>(\w+)", page) == ["Android"]
    assert 'href="https://192.168.1.20:8080"' in page


async def test_a_phone_gets_page_and_certificate_as_it_needs_them(tmp_path):
    files = authority.prepare(tmp_path, HOME, ["hall"], NOW)
    sock = socket.create_server(("127.0.0.1", 0))
    at = f"http://127.0.0.1:{sock.getsockname()[1]}"
    runner = await trust_page.serve(sock, files, lambda: "https://192.168.1.20:8080")
    try:
        async with aiohttp.ClientSession() as phone:
            page = await phone.get(at, headers={"Accept-Language": "fi"})
            certificate = await phone.get(f"{at}/mos.crt")
            icon = await phone.get(f"{at}/favicon.ico")
            body = await page.text()

            assert page.headers["Content-Language"] == "fi"
            assert authority.fingerprint(files) in body
            assert certificate.headers["Content-Type"] == "application/x-x509-ca-cert"
            assert await certificate.read() == authority.ca_der(files)
            assert (icon.status, icon.headers["Content-Type"]) == (
                200,
                "image/svg+xml; charset=utf-8",
            )
    finally:
        await runner.cleanup()
