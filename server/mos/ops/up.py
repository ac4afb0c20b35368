"""`mos up`: the whole of MOS on one machine: database, web process and worker, supervised."""

import asyncio
import contextlib
import errno
import os
import signal
import socket
import ssl
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, NoReturn, Self

import typer
from rich.console import Console
from rich.text import Text

from mos.db import DbError
from mos.kernel.clock import Clock
from mos.ops import audit, key_store, secret_files, welcome
from mos.ops.clusters import Clusters
from mos.ops.data_directory import DataDirectory, Kind, Refused, refuse_if_in_use, was_killed
from mos.ops.home import Prepared, prepare_home
from mos.ops.lan import addresses, authority
from mos.ops.listening import Wanted, listen, listen_near, require_encryption
from mos.ops.postgres import PostgresError
from mos.ops.settings import ROOT, public_url, read_clock
from mos.ops.supervisor import Child
from mos.ops.voice import bring_voice

# A first answer that takes longer than this is a fault, not a slow machine.
_READY_S = 90
# So often may a process end before its first answer until we call it broken.
_HOPELESS = 4
_LOOK_AT_ADDRESSES_S = 30
_LOOK_AT_EPOCH_S = 3600
# Where the page that leads a phone to trust is, unless something else is there already.
_TRUST_PORT = 8081


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line."""

    data: Path
    host: str
    port: int
    kind: Kind | None
    lan: bool
    trust_port: int | None


def command(
    *,
    data: Annotated[Path, typer.Option(help="Where everything is kept.")] = ROOT / "var",
    host: Annotated[str | None, typer.Option(help="Address to serve on.")] = None,
    port: Annotated[int, typer.Option(help="Port to serve on.", min=1, max=65535)] = 8080,
    demo: Annotated[
        bool | None,
        typer.Option(
            "--demo/--empty", help="What a new data directory becomes.", show_default="demo"
        ),
    ] = None,
    lan: Annotated[
        bool, typer.Option("--lan", help="Serve phones on the network, over HTTPS.")
    ] = False,
    trust_port: Annotated[
        int | None,
        typer.Option(
            help="With --lan: port of the page that leads a phone through trusting MOS.",
            show_default="8081, or a free one",
            min=1,
            max=65535,
        ),
    ] = None,
) -> None:
    """Start MOS: make what is missing, then serve and work until Ctrl-C."""
    kind: Kind | None = None if demo is None else "demo" if demo else "empty"
    if trust_port is not None and not lan:
        raise typer.BadParameter("belongs to --lan", param_hint="--trust-port")
    host = host or ("0.0.0.0" if lan else "127.0.0.1")  # noqa: S104  what --lan is for
    options = Options(data, host, port, kind, lan, trust_port)
    console = Console(highlight=False)
    # Until the supervisor listens for it, a polite stop is the same as Ctrl-C.
    signal.signal(signal.SIGTERM, _interrupt)
    # Beside everything else: a voice is no reason to ring later.
    threading.Thread(target=bring_voice, args=(console.print,), daemon=True).start()
    try:
        with Up(options, console) as up:
            up.prepare()
            asyncio.run(up.run())
    except (Refused, PostgresError, *key_store.FAILURES) as refusal:
        _refuse(str(refusal))
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        _refuse(_sentence(error, options.data))


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _refuse(why: str) -> NoReturn:
    Console(stderr=True).print(Text.assemble(("mos up: ", "bold red"), why), soft_wrap=True)
    sys.exit(1)


def _sentence(error: OSError, data: Path) -> str:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return f"the disk that holds {data} is full: free some space and start again"
    place = f" ({error.filename})" if error.filename else ""
    return f"{error.strerror or error}{place}"


@dataclass
class Up:
    """One running `mos up`, and in which order its parts come and go."""

    options: Options
    console: Console
    _stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    _clock: Clock = field(default_factory=read_clock)
    _waited: float = 0.0
    _look_at_epoch: float = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        # Even an impatient second Ctrl-C must leave the database stopped in good order.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self._stack.close()
        if failure is None:
            self._say("Stopped.")

    # ── before anything runs: one refusal, and nothing was changed

    def prepare(self) -> None:
        """Take port and directory, start the database, make the home. Raises Refused."""
        options = self.options
        refuse_if_in_use(options.data)
        self._socket = self._listen()
        self._trust_socket = self._listen_for_trust() if options.lan else None
        external = os.environ.get("DATABASE_URL")
        self._directory = DataDirectory(
            options.data, wanted=options.kind, default="empty" if external else "demo"
        )
        self._stack.callback(self._directory.close)
        secret_files.prepare(self._directory.secrets)
        if options.lan:
            self._prepare_lan()
        self._directory.say_address(self.address)
        self._clusters = Clusters(
            self._directory, main=not external, keys=not os.environ.get("MOS_KEYS_URL")
        )
        self._start_databases()
        with self._step("Preparing the home"):
            self._home = asyncio.run(self._prepare_home())
        self._directory.finish()

    def _listen(self) -> socket.socket:
        options = self.options
        wanted = Wanted(options.host, options.port, "the app", "--port")
        # The orphans of a killed `mos up` are dying while we start.
        sock = listen(wanted, patience_s=3 if was_killed(options.data) else 0)
        self._stack.callback(sock.close)
        require_encryption(
            sock.getsockname()[0], tls=options.lan, public_url=public_url(),
            how="start with --lan, which speaks HTTPS",
        )  # fmt: skip
        return sock

    def _listen_for_trust(self) -> socket.socket:
        options = self.options
        purpose, option = "the page that leads a phone through trusting MOS", "--trust-port"
        if options.trust_port is None:
            sock = listen_near(Wanted(options.host, _TRUST_PORT, purpose, option))
        else:
            wanted = Wanted(options.host, options.trust_port, purpose, option)
            sock = listen(wanted, patience_s=0)
        self._stack.callback(sock.close)
        return sock

    def _prepare_lan(self) -> None:
        self._addresses = addresses.lan_addresses()
        if not self._addresses:
            raise Refused("this machine is on no network: connect it, or start without --lan")
        self._files = authority.prepare(
            self._directory.path / "lan",
            self._addresses,
            addresses.host_names(),
            self._clock(),
        )

    @property
    def address(self) -> str:
        """The address that people type."""
        if self.options.lan:
            return f"https://{self._addresses[0]}:{self.options.port}"
        host = self.options.host
        if host in {"0.0.0.0", "::"}:  # noqa: S104  compared, not listened on
            host = (addresses.lan_addresses() or ["127.0.0.1"])[0]
        return f"http://{f'[{host}]' if ':' in host else host}:{self.options.port}"

    @property
    def trust_address(self) -> str | None:
        """With --lan, the address of the page that leads a phone through trusting this home."""
        if self._trust_socket is None:
            return None
        return f"http://{self._addresses[0]}:{self._trust_socket.getsockname()[1]}/"

    def _start_databases(self) -> None:
        self._clusters.refuse_damage()
        if self._clusters.absent:
            with self._step("Making the database"):
                self._clusters.create()
        if self._clusters.ours:
            with self._step("Starting the database"):
                self._stack.callback(self._clusters.stop)
                self._clusters.start(self._still_waiting)
                asyncio.run(self._clusters.make_databases())

    def _still_waiting(self, seconds: float) -> None:
        if seconds > self._waited + 5:
            self._waited = seconds
            self.console.print(f"The database recovers from a crash… {seconds:.0f} s")

    async def _prepare_home(self) -> Prepared:
        await self._clusters.prepare_keys(self._clock())
        async with self._clusters.keyring() as keyring:
            return await prepare_home(
                self._clusters.dsn,
                self._directory.marker.home,
                self._clock(),
                passwords=self._clusters.passwords,
                asked=self.options.kind is not None,
                keyring=keyring,
            )

    @contextlib.contextmanager
    def _step(self, title: str) -> Iterator[None]:
        begun = time.monotonic()
        with self.console.status(f"{title}…"):
            yield
        self.console.print(f"[green]✓[/] {title} [dim]{time.monotonic() - begun:.1f} s[/]")

    # ── while it runs

    async def run(self) -> None:
        """Serve and work until SIGINT or SIGTERM. Raises Refused when the parts do not start."""
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        children = [self._child("serve", *self._serve_options()), self._child("work")]
        keeping = [asyncio.ensure_future(child.keep_running(self._say)) for child in children]
        async with self._trust_page():
            try:
                await self._until_ready(children, stop)
                if not stop.is_set():
                    welcome.show(self.console, self._welcome())
                    await self._watch(children[0], stop)
            finally:
                self._say("Stopping…")
                await asyncio.gather(*(child.stop() for child in children))
                await asyncio.gather(*keeping)

    def _serve_options(self) -> list[str]:
        options = ["--fd", str(self._socket.fileno())]
        if self.options.lan:
            options += ["--certificate", str(self._files.leaf), "--key", str(self._files.leaf_key)]
        return options

    def _child(self, name: str, *options: str) -> Child:
        environment = {
            **os.environ,
            **self._clusters.environment,
            "PYTHONPATH": str(ROOT / "server"),
            "MOS_SECRETS": str(self._directory.secrets),
            "MOS_ARCHIVE": str(self._directory.archive),
            "MOS_DEMO": "1" if self._home.demo else "0",
            **self._whereabouts(),
        }
        for owners in {"DATABASE_URL", "MOS_KEYS_URL"} - self._clusters.environment.keys():
            environment.pop(owners, None)
        return Child(
            name,
            [sys.executable, "-P", "-m", "mos.ops.cli", name, *options],
            environment,
            self._directory.logs / f"{name}.log",
            pass_fds=(self._socket.fileno(),) if name == "serve" else (),
        )

    def _whereabouts(self) -> dict[str, str]:
        """Return the settings that tell a child by which addresses people reach this home."""
        return {
            "MOS_PUBLIC_URL": os.environ.get("MOS_PUBLIC_URL") or self.address,
            "MOS_TRUST_URL": self.trust_address or "",
        }

    @contextlib.asynccontextmanager
    async def _trust_page(self) -> AsyncIterator[None]:
        if self._trust_socket is None:
            yield
            return
        # aiohttp's server is wanted here alone, and takes a moment to import.
        from mos.ops.lan import trust_page  # noqa: PLC0415

        runner = await trust_page.serve(self._trust_socket, self._files, lambda: self.address)
        try:
            yield
        finally:
            await runner.cleanup()

    def _welcome(self) -> welcome.Welcome:
        return welcome.Welcome(
            address=self.address,
            demo=self._home.demo,
            claim=self._home.claim,
            data=self._directory.path,
            trust=self.trust_address,
            fingerprint=authority.fingerprint(self._files) if self.options.lan else None,
        )

    async def _until_ready(self, children: list[Child], stop: asyncio.Event) -> None:
        begun = time.monotonic()
        with self.console.status("Starting the web process and the worker…"):
            while not stop.is_set() and not await self._answers():
                broken = next((child for child in children if child.crashes >= _HOPELESS), None)
                if broken or time.monotonic() - begun > _READY_S:
                    raise Refused(self._not_ready(broken or children[0]))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), 0.1)

    def _not_ready(self, child: Child) -> str:
        return (
            f"{child.name} does not start; its last words (all in {child.log}):\n"
            f"{child.last_words()}"
        )

    async def _answers(self) -> bool:
        """Return whether the database, the web process and the worker all say that they live."""
        context = ssl.create_default_context(cafile=self._files.ca) if self.options.lan else None
        host = self._socket.getsockname()[0]
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
        try:
            async with asyncio.timeout(5):
                reader, writer = await asyncio.open_connection(host, self.options.port, ssl=context)
                request = (
                    f"GET /__heartbeat__ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
                )
                writer.write(request.encode())
                status = await reader.readline()
                writer.close()
        except (OSError, TimeoutError, ssl.SSLError):
            return False
        return status.split(b" ")[1:2] == [b"200"]

    async def _watch(self, serve: Child, stop: asyncio.Event) -> None:
        looked = time.monotonic()
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 1)
            for cluster in self._clusters.ours:
                if not cluster.alive and not stop.is_set():
                    self._say("the database ended; starting it again")
                    cluster.start()
            await self._renew_epoch()
            if self.options.lan and time.monotonic() - looked > _LOOK_AT_ADDRESSES_S:
                looked = time.monotonic()
                self._follow_addresses(serve)

    async def _renew_epoch(self) -> None:
        """Go over to a new epoch key when this one is a week old; a failure is said, not ours."""
        if time.monotonic() < self._look_at_epoch:
            return
        self._look_at_epoch = time.monotonic() + _LOOK_AT_EPOCH_S
        try:
            done = await key_store.rotate_if_due(
                self._clusters.keys_dsn, self._directory.secrets, self._clock()
            )
            if done:
                await audit.note_rotation(self._clusters.dsn, done)
        except (*key_store.FAILURES, OSError, DbError) as error:
            self._say(f"the epoch key could not be renewed: {error}")
        else:
            if done:
                self._say(f"epoch {done.number} of the keys has begun")

    def _follow_addresses(self, serve: Child) -> None:
        """Renew the certificate when the machine has moved to other addresses, or it runs out."""
        before = self._files.leaf.stat().st_mtime_ns
        # Between two networks there is none: the old certificate is as good as any then.
        self._addresses = addresses.lan_addresses() or self._addresses
        names = addresses.host_names()
        authority.prepare(self._directory.path / "lan", self._addresses, names, self._clock())
        if self._files.leaf.stat().st_mtime_ns != before:
            self._say(f"MOS is now at {self.address}")
            self._directory.say_address(self.address)
            serve.env.update(self._whereabouts())
            serve.restart()

    def _say(self, text: str) -> None:
        self.console.print(Text.assemble((time.strftime("%H:%M:%S "), "dim"), text), soft_wrap=True)
