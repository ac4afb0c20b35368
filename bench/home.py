"""MOS as it is measured: `mos serve`, sessions, permissions and row-level security on.

PostgreSQL writes to a real disk before it says yes.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg

from bench import processes
from bench.http import Client
from mos.care import store
from mos.care.actions.tokens import new_token, token_hash
from mos.care.model import Actor, Policy, Role
from mos.db import Db, Scope, connect
from mos.db.migrate import migrate
from mos.kernel.ids import new_id
from mos.ops import key_store, secret_files
from mos.ops.home import create_database
from mos.ops.postgres import Cluster, die_with_parent
from mos.ops.settings import ROOT
from mos.privacy.keyring import Keyring

WORKERS = 2
# A care home's unit; whoever works there sees its residents.
UNIT = 10
_PASSWORDS = {"mos_app": "app", "mos_engine": "engine"}
_OWNER = "bench"
_KEYS = "mos_keys"
_TMPFS = "tmpfs"


@dataclass(frozen=True)
class Device:
    """Somebody signed in on a device: the cookie, and the spaces that they see."""

    token: str
    spaces: tuple[UUID, ...]

    @property
    def headers(self) -> tuple[bytes, ...]:
        """What each request of it carries."""
        return (b"x-mos: 1", b"accept-encoding: gzip", b"cookie: mos=" + self.token.encode())


@dataclass
class Home:
    """A served MOS. Units of ten residents as they are needed; nobody else knows this database."""

    cluster: Cluster
    port: int
    org: UUID
    servers: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def client(self, device: Device) -> Client:
        """Return a connection of this device."""
        return Client(self.port, *device.headers)

    async def owner(self) -> asyncpg.Connection:
        """Return a connection that may do everything; the caller closes it."""
        return await asyncpg.connect(self.cluster.dsn())

    def app_dsn(self) -> str:
        """Return the address by which the web processes reach the database."""
        return app_dsn(self.cluster)

    async def unit(self, devices: int, *, residents: int = UNIT) -> list[Device]:
        """Make a unit with residents and one caregiver, signed in on so many devices."""
        return await make_unit(self.cluster, self.org, residents=residents, devices=devices)

    async def devices(self, count: int) -> list[Device]:
        """Return devices of units of their own, ten to a unit."""
        found: list[Device] = []
        while len(found) < count:
            found += await self.unit(min(UNIT, count - len(found)))
        return found

    def pids(self) -> list[int]:
        """Return the web processes."""
        return [server.pid for server in self.servers]

    def cpu(self) -> tuple[float, float]:
        """Return the processor seconds so far: of the web processes, of PostgreSQL."""
        return processes.cpu_seconds(self.pids()), database_cpu(self.cluster)


def app_dsn(cluster: Cluster) -> str:
    """Return the address by which the web processes reach the database."""
    return cluster.dsn("mos_app", password=_PASSWORDS["mos_app"])


def engine_dsn(cluster: Cluster) -> str:
    """Return the address by which workers reach the database."""
    return cluster.dsn("mos_engine", password=_PASSWORDS["mos_engine"])


def _keys_dsn(cluster: Cluster) -> str:
    return cluster.dsn("mos_keys", _KEYS, "keys")


def database_cpu(cluster: Cluster) -> float:
    """Return the processor seconds of PostgreSQL so far."""
    return processes.cpu_seconds(processes.family(_postmaster(cluster)))


def _postmaster(cluster: Cluster) -> int:
    return int((cluster.data / "postmaster.pid").read_text().split()[0])


@contextmanager
def database(place: Path) -> Iterator[Cluster]:
    """Run a durable PostgreSQL below `place`, which must be on a disk. Raises SystemExit."""
    place.mkdir(parents=True, exist_ok=True)
    kind = _file_system(place)
    if kind == _TMPFS:
        sys.exit(f"mos bench: {place} is in memory, and a commit there is no commit: name a disk")
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=place))
    folder.chmod(0o755)
    cluster = Cluster(folder, password=_OWNER)
    try:
        cluster.create()
        cluster.start()
        yield cluster
    finally:
        # Nothing of it is kept: it need not write down what it holds.
        with suppress(OSError, ValueError):
            os.kill(_postmaster(cluster), signal.SIGQUIT)
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _file_system(place: Path) -> str:
    answer = subprocess.run(
        ["stat", "--file-system", "--format=%T", place], capture_output=True, text=True, check=True
    )
    return answer.stdout.strip()


@contextmanager
def served(cluster: Cluster) -> Iterator[Home]:
    """Serve a home in `cluster` by as many processes as there are cores here to speak of."""
    with ExitStack() as stack:
        sock = socket.create_server(("127.0.0.1", 0), backlog=2048)
        stack.callback(sock.close)
        port = sock.getsockname()[1]
        settings = environment(cluster) | {"MOS_PUBLIC_URL": f"http://127.0.0.1:{port}"}
        home = Home(cluster, port, new_id(datetime.now(UTC)))
        log = stack.enter_context((cluster.directory / "log" / "serve.log").open("ab"))
        for _ in range(WORKERS):
            server = subprocess.Popen(
                [sys.executable, "-P", "-m", "mos.ops.cli", "serve", "--fd", str(sock.fileno())],
                env=settings, stdout=log, stderr=log, pass_fds=(sock.fileno(),),
                preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509  one prctl, no locks
            )  # fmt: skip
            stack.callback(processes.stop, server)
            home.servers.append(server)
        processes.wait_until(lambda: _answers(port), "mos serve")
        yield home


def environment(cluster: Cluster) -> dict[str, str]:
    """Return what a process of MOS is told so that it works on this database."""
    secrets = cluster.directory / "secrets"
    secret_files.prepare(secrets)
    found = os.environ | {
        "PYTHONPATH": str(ROOT / "server"),
        "MOS_APP_URL": app_dsn(cluster),
        "MOS_ENGINE_URL": engine_dsn(cluster),
        "MOS_KEYS_APP_URL": _keys_dsn(cluster),
        "MOS_SECRETS": str(secrets),
    }
    found.pop("DATABASE_URL", None)
    return found


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/__heartbeat__", timeout=2):
            return True
    except urllib.error.HTTPError:
        # It speaks: that there is no worker makes it unwell, and is as it should be here.
        return True
    except OSError:
        return False


async def prepare(cluster: Cluster) -> None:
    """Make the database of MOS."""
    await create_database(cluster.dsn(database="postgres"), "mos")
    await migrate(cluster.dsn(), passwords=_PASSWORDS)
    secrets = cluster.directory / "secrets"
    secret_files.prepare(secrets)
    await key_store.make_beside(cluster, _KEYS, secrets, datetime.now(UTC))


async def found(cluster: Cluster, org: UUID) -> None:
    """Make the organisation."""
    async with _writing(cluster, org) as db:
        await store.add_organisation(
            db,
            store.Organisation(org, "Bench", Policy.FAMILY, "Europe/Stockholm", "sv"),
            datetime.now(UTC),
        )


async def make_unit(cluster: Cluster, org: UUID, *, residents: int, devices: int) -> list[Device]:
    """Make a unit with residents and one caregiver, signed in on so many devices."""
    now = datetime.now(UTC)
    unit = store.Unit(new_id(now), "Eken", "Europe/Stockholm", "sv", None)
    caregiver = store.Account(new_id(now), Role.CAREGIVER, "Kim", None, "sv", disabled=False)
    spaces = tuple(new_id(now) for _ in range(residents))
    tokens = [new_token() for _ in range(devices)]
    async with _writing(cluster, org) as db:
        await store.add_unit(db, org, unit, now)
        await store.add_account(db, org, caregiver, now)
        for space in spaces:
            person = store.Account(new_id(now), Role.RESIDENT, "Elsa", None, "sv", disabled=False)
            await store.add_account(db, org, person, now)
            resident = store.Resident(space, person.id, person.name, "", unit.id, "sv", None)
            await store.add_resident(db, org, resident)
        await store.add_relation(db, org, _relation(caregiver.id, unit.id, now))
        for token in tokens:
            actor = Actor(
                org=org, account=caregiver.id, role=caregiver.role, session=new_id(now), device=None
            )
            await store.add_session(
                db, actor, token_hash=token_hash(token), now=now, expires_at=now + timedelta(1)
            )
    return [Device(token, spaces) for token in tokens]


def _relation(caregiver: UUID, unit: UUID, now: datetime) -> store.Relation:
    return store.Relation(
        id=new_id(now), account=caregiver, space=None, unit=unit,
        permissions=["plan.view", "plan.edit", "outcome.record"],
        is_primary=False, consent="", valid_from=now - timedelta(1), valid_to=None,
    )  # fmt: skip


@asynccontextmanager
async def _writing(cluster: Cluster, org: UUID) -> AsyncIterator[Db]:
    """Write as the owner, whom row-level security lets see everything."""
    keys = await connect(_keys_dsn(cluster), size=2)
    ring = Keyring(keys, cluster.directory / "secrets")
    pool = await connect(cluster.dsn(), size=1, keyring=ring)
    try:
        async with pool.transaction(Scope(org)) as db:
            yield db
    finally:
        await pool.close()
        await keys.close()
