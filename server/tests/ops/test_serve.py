"""How `mos serve` speaks HTTPS."""

import asyncio
import ssl
import subprocess
import sys
from datetime import UTC, datetime

import pytest
import uvicorn

from mos.ops import serve
from mos.ops.data_directory import Refused
from mos.ops.lan import authority
from mos.ops.listening import require_encryption
from mos.ops.settings import ROOT


@pytest.fixture
def files(tmp_path):
    return authority.prepare(tmp_path, [], ["localhost"], datetime.now(UTC))


async def _spoken(files, prepare):
    """Let a client that `prepare` has made older meet the server; return version and suite."""
    config = uvicorn.Config(
        "nothing:app", log_config=None, ssl_certfile=files.leaf, ssl_keyfile=files.leaf_key,
        ssl_context_factory=serve.modern_tls,
    )  # fmt: skip
    client = ssl.create_default_context(cafile=files.ca)
    prepare(client)
    server = await asyncio.start_server(
        lambda _reader, writer: writer.close(), "127.0.0.1", 0,
        ssl=config.ssl_context_factory(config, lambda: _default(config)),
    )  # fmt: skip
    async with server:
        port = server.sockets[0].getsockname()[1]
        _, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=client, server_hostname="localhost"
        )
        spoken = writer.get_extra_info("ssl_object")
        said = spoken.version(), spoken.cipher()[0]
        writer.close()
        return said


def _default(config):
    from uvicorn.config import create_ssl_context

    return create_ssl_context(
        config.ssl_certfile, config.ssl_keyfile, None, config.ssl_version, config.ssl_cert_reqs,
        None, config.ssl_ciphers,
    )  # fmt: skip


async def test_the_newest_tls_is_spoken_and_the_one_before_where_it_must_be(files):
    def older(client):
        client.maximum_version = ssl.TLSVersion.TLSv1_2

    assert (await _spoken(files, lambda _client: None))[0] == "TLSv1.3"
    version, suite = await _spoken(files, older)
    assert version == "TLSv1.2"
    assert suite.startswith("ECDHE-")
    assert "GCM" in suite or "CHACHA20" in suite


@pytest.mark.parametrize(
    "suites",
    ["ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "ECDHE-ECDSA-NULL-SHA"],
)  # fmt: skip
async def test_no_suite_that_is_weak_is_spoken(files, suites):
    def weak(client):
        client.maximum_version = ssl.TLSVersion.TLSv1_2
        client.set_ciphers(f"{suites}:@SECLEVEL=0")

    with pytest.raises((ssl.SSLError, ConnectionError)):
        await _spoken(files, weak)


async def test_tls_of_before_2008_is_not_spoken(files):
    context = serve.modern_tls(None, lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))

    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    weak = [each["name"] for each in context.get_ciphers() if not each["aead"]]
    assert weak == []


@pytest.mark.parametrize(
    ("host", "tls", "public_url", "is_served"),
    [
        ("127.0.0.1", False, "http://localhost:8080", True),
        ("::1", False, "http://localhost:8080", True),
        ("localhost", False, "http://localhost:8080", True),
        ("0.0.0.0", False, "http://localhost:8080", False),  # noqa: S104  named, not listened on
        ("::", False, "http://192.0.2.7:8080", False),
        ("192.168.1.7", False, "http://192.168.1.7:8080", False),
        ("mos.example.org", False, "http://mos.example.org", False),
        # It speaks TLS itself, or a proxy in front does.
        ("0.0.0.0", True, "http://localhost:8080", True),  # noqa: S104
        ("0.0.0.0", False, "https://mos.example.org", True),  # noqa: S104
    ],
)
def test_a_network_is_served_by_tls_alone(host, tls, public_url, is_served):
    def ask():
        require_encryption(host, tls=tls, public_url=public_url, how="give --certificate")

    if is_served:
        ask()
    else:
        with pytest.raises(Refused, match="give --certificate"):
            ask()


def test_the_server_itself_refuses_a_network_without_tls():
    place = "postgresql://mos@127.0.0.1:1/mos"
    done = subprocess.run(
        [sys.executable, "-m", "mos.ops.cli", "serve", "--host", "0.0.0.0"],  # noqa: S104
        capture_output=True, text=True, timeout=60, check=False,
        env={"PYTHONPATH": str(ROOT / "server"), "PATH": "/usr/bin:/bin", "DATABASE_URL": place,
             "MOS_KEYS_URL": place},
    )  # fmt: skip

    assert done.returncode == 1
    assert done.stderr.startswith("mos serve: on 0.0.0.0 passwords and plans")
