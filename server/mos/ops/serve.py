"""`mos serve`: the web process."""

import asyncio
import socket
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from mos.db import settle
from mos.ops import logs
from mos.ops.data_directory import Refused
from mos.ops.listening import require_encryption
from mos.ops.settings import SettingsError, clock_of, read_settings
from mos.web.app import Application, create_app

# How long running requests may take to end. Streams never end by themselves, and devices come back.
DRAIN_S = 5

# Below TLS 1.3 only what keeps its secret when the key is lost, and notices each changed byte.
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, application: Application) -> None:
        super().__init__(config)
        self.application = application

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        settle()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # A stream never ends by itself: without this, each stop would take all of DRAIN_S.
        self.application.drain()
        await super().shutdown(sockets)


def modern_tls(_config: uvicorn.Config, default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """Return the context for HTTPS: TLS 1.3, or 1.2 with what is still good of it.

    The default takes whatever the system's OpenSSL does, down to suites that encrypt nothing.
    """
    context = default()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    return context


def command(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8080,
    fd: Annotated[
        int | None, typer.Option(help="An open socket to listen on instead (socket activation).")
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="Serve HTTPS: certificate chain.")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="Serve HTTPS: its key.")] = None,
) -> None:
    """Serve the app, the API and synchronisation."""
    logs.configure()
    try:
        settings = read_settings()
        if fd is None:
            require_encryption(
                host, tls=certificate is not None, public_url=settings.public_url,
                how="give --certificate and --key",
            )  # fmt: skip
    except (SettingsError, Refused) as error:
        sys.exit(f"mos serve: {error}")
    application = create_app(settings, clock_of(settings))
    config = uvicorn.Config(
        application,
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        # The app takes the scheme from its public address, whatever a proxy claims.
        proxy_headers=False,
        timeout_graceful_shutdown=DRAIN_S,
        timeout_keep_alive=75,
        ssl_certfile=certificate,
        ssl_keyfile=key,
        ssl_context_factory=modern_tls if certificate is not None else None,
    )
    server = _Server(config, application)
    sockets = [socket.socket(fileno=fd)] if fd is not None else None
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(server.serve(sockets))
    if not server.started:
        sys.exit(3)
