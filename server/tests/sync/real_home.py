"""A home on a PostgreSQL and a `mos serve` of its own, both of which may be killed; and devices
that speak to it over real HTTP, each on a line that may be cut.

The devices are the simulation's: the same outbox, the same engine, only that time is real.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from uuid import UUID

import asyncpg
import httpx
from builders import CAREGIVER_PERMISSIONS, Home, a_home, a_relation, an_account
from real_up import free_port
from unsealing import opened

from mos.care.actions.tokens import new_token, token_hash
from mos.db import connect
from mos.db.migrate import migrate
from mos.kernel.ids import new_id
from mos.ops import key_store, secret_files
from mos.ops.postgres import Cluster
from mos.ops.settings import ROOT
from mos.ops.sim.device import Device, Disk, Engine, Offline
from mos.ops.sim.server import open_connection
from mos.privacy.keyring import Keyring

PASSWORDS = {"mos_app": "app", "mos_engine": "engine"}
_PATIENCE_S = 90


def now_ms():
    return int(time.time() * 1000)


class RealHome:
    """Start with `async with`; `kill_server` and `kill_database` are `kill -9`."""

    def __init__(self, place=None):
        """Keep the database in the folder `place`, or beside everything else."""
        self._place = place

    async def __aenter__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="mos-real-"))
        self.folder.chmod(0o755)
        # What has been answered must be there after a kill: not the other tests' fast settings.
        self.cluster = Cluster(self._place or self.folder / "db", password="owner")
        self.cluster.create()
        self.cluster.start()
        await self._admin("CREATE DATABASE mos")
        await migrate(self.cluster.dsn(), passwords=PASSWORDS)
        secrets = self.folder / "secrets"
        secret_files.prepare(secrets)
        now = datetime.now(UTC)
        self.keys_url = await key_store.make_beside(self.cluster, "mos_keys", secrets, now)
        self.port = free_port()
        self.lines = []
        self.start_server()
        self.home: Home = await a_home(self)
        return self

    async def __aexit__(self, *_):
        for line in self.lines:
            await line.close()
        self.process.kill()
        self.process.wait()
        self.cluster.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    async def _admin(self, statement):
        connection = await asyncpg.connect(self.cluster.dsn(database="postgres"))
        await connection.execute(statement)
        await connection.close()

    async def sql(self, statement, *args):
        """Run a statement as the owner; return its rows as dicts."""
        connection = await open_connection(self.cluster.dsn())
        try:
            rows = [dict(row) for row in await connection.fetch(statement, *args)]
            pool = await connect(self.keys_url, size=1)
            try:
                return await opened(connection, Keyring(pool, self.folder / "secrets"), rows)
            finally:
                await pool.close()
        finally:
            await connection.close()

    # ── what dies

    def start_server(self):
        app, engine = (self.cluster.dsn(role, "mos", word) for role, word in PASSWORDS.items())
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mos.ops.cli", "serve", "--port", str(self.port)],
            env=os.environ | {
                "PYTHONPATH": str(ROOT / "server"), "MOS_APP_URL": app, "MOS_ENGINE_URL": engine,
                "MOS_KEYS_APP_URL": self.keys_url,
                "MOS_SECRETS": str(self.folder / "secrets"), "MOS_APP_DIR": str(self.folder),
            },
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def stop_server(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    async def kill_server(self):
        self.stop_server()
        self.start_server()

    async def kill_database(self):
        pid = int((self.cluster.data / "postmaster.pid").read_text().split("\n", 1)[0])
        os.kill(pid, signal.SIGKILL)
        self.cluster._process.wait()
        await asyncio.to_thread(self.cluster.start)

    async def stop_database_at_once(self):
        """As `pg_ctl stop -m immediate`: nothing is written down, nobody is told."""
        self.cluster._process.send_signal(signal.SIGQUIT)
        self.cluster._process.wait()
        await asyncio.to_thread(self.cluster.start)

    async def kill_backends(self):
        """Kill the processes of PostgreSQL that serve the app, as an out-of-memory killer would."""
        rows = await self.sql("SELECT pid FROM pg_stat_activity WHERE usename = 'mos_app'")
        for row in rows:
            with contextlib.suppress(ProcessLookupError):
                os.kill(row["pid"], signal.SIGKILL)

    # ── who is there

    async def device(self, name, *, dice):
        """A device on which somebody is signed in who may see the home's residents."""
        account = await an_account(self, self.home.org, "caregiver", name=name)
        await a_relation(
            self, self.home.org, account, unit=self.home.unit,
            permissions=(*CAREGIVER_PERMISSIONS, "meals.edit"),
        )  # fmt: skip
        device, token, now = new_id(datetime.now(UTC)), new_token(), datetime.now(UTC)
        await self.sql(
            "INSERT INTO device (org_id, device_id, account_id, created_at, seen_at) "
            "VALUES ($1, $2, $3, $4, $4)",
            self.home.org, device, account, now,
        )  # fmt: skip
        await self.sql(
            "INSERT INTO session (org_id, session_id, account_id, device_id, token_hash, "
            "created_at, seen_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $6, $7)",
            self.home.org, new_id(now), account, device, token_hash(token), now,
            now + timedelta(days=14),
        )  # fmt: skip
        line = Line(self.port, dice)
        await line.open()
        self.lines.append(line)
        return RealDevice(name, account, device, token, line)


@dataclass
class Line:
    """A TCP relay in front of the server. `fault` decides what becomes of each new connection."""

    port: int
    dice: Random
    faults: tuple[str, ...] = ()
    down: bool = False
    own: int = 0
    server: asyncio.Server | None = None
    _busy: set = field(default_factory=set)

    async def open(self):
        self.server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.own = self.server.sockets[0].getsockname()[1]

    async def close(self):
        self.server.close()
        await self.server.wait_closed()
        for task in list(self._busy):
            task.cancel()
        await asyncio.gather(*self._busy, return_exceptions=True)

    async def _relay(self, reader, writer):
        task = asyncio.current_task()
        self._busy.add(task)
        fault = "no_request" if self.down else self.dice.choice(("ok", "ok", *self.faults))
        try:
            if fault != "no_request":
                await self._carry(reader, writer, fault)
        except (OSError, asyncio.IncompleteReadError):
            pass  # One end has gone: the other is about to hear of it.
        finally:
            writer.close()
            self._busy.discard(task)

    async def _carry(self, reader, writer, fault):
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        )
        request = head + await reader.readexactly(length)
        if fault == "late":
            # The device has given up by then; the request arrives all the same.
            later = asyncio.create_task(self._arrive_late(request))
            self._busy.add(later)
            later.add_done_callback(self._busy.discard)
            return
        answer = await self._ask(request)
        if fault == "twice":
            await self._ask(request)
        if fault == "no_answer":
            return
        writer.write(answer[: len(answer) // 2] if fault == "cut" else answer)
        await writer.drain()

    async def _arrive_late(self, request):
        await asyncio.sleep(self.dice.random() * 0.5)
        with contextlib.suppress(OSError):
            await self._ask(request)

    async def _ask(self, request):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        answer = await reader.read()
        writer.close()
        return answer


class RealDevice:
    """A device of the simulation whose engine speaks over HTTP."""

    def __init__(self, name, account, device, token, line):
        self.id = device
        disk = Disk(str(device), device.hex[16:])
        self.device = Device(name, str(account), disk, self._stored)
        self.line = line
        self._token = token
        self.engine = Engine(self.device, now_ms)
        self.asked = lambda *_: None  # (kind, body, answer or None): a history may listen
        self.stored = lambda *_: None
        self._written = 0

    def _stored(self, _device, what, space):
        self.stored(what, space)

    def write(self, space, *drafts):
        """Keep changes as a screen does; return the ops."""
        now = datetime.now(UTC)
        ops = [draft | {"op": str(new_id(now))} for draft in drafts]
        return self.device.write(str(space), ops, now_ms())

    def restart(self):
        """The tab is killed and opened again."""
        self.engine = Engine(self.device, now_ms)

    async def meet(self):
        """One round with the server. Raises Offline."""
        round_ = self.engine.round()
        kind, body = next(round_)
        while True:
            try:
                answer = await self._post(kind, body)
            except Offline:
                self.asked(kind, body, None)
                with contextlib.suppress(Offline):
                    round_.throw(Offline())
                raise
            self.asked(kind, body, answer)
            try:
                kind, body = round_.send(answer)
            except StopIteration:
                return

    async def _post(self, kind, body):
        sent = body | {"client_now": _moment(body["client_now"]), "batch": "x"}
        if kind == "hello":
            sent = sent | {"proto": [1, 1], "app": "test"}
        try:
            async with httpx.AsyncClient(timeout=20) as http:
                answer = await http.post(
                    f"http://127.0.0.1:{self.line.own}/sync/v1/{kind}",
                    json=sent,
                    headers={"x-mos": "1", "cookie": f"mos={self._token}", "connection": "close"},
                )
            if answer.status_code != 200:
                assert answer.status_code == 429 or answer.status_code >= 500, answer.text
                raise Offline
            read = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise Offline from error
        at = datetime.fromisoformat(read["server_now"])
        return read | {"server_now": int(at.timestamp() * 1000)}

    async def meet_until_done(self):
        """Try again until everything has been sent and fetched."""
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                with contextlib.suppress(Offline):
                    await self.meet()
                    if not self.device.unsent():
                        return
                await asyncio.sleep(0.05)

    @property
    def rows(self):
        """What it holds: space → record → (collection, place, values, clocks)."""
        return {
            space: {rec: (row.coll, row.seq, row.doc, row.clk) for rec, row in rows.items()}
            for space, rows in self.device.disk.base.items()
        }


def _moment(ms):
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat()


def record(number):
    """One of a few records."""
    return str(UUID(int=(7 << 76) | (0b10 << 62) | number))
