"""Processes are killed while devices write: nothing acknowledged is lost, nothing counts twice."""

import asyncio
import os
import shutil
import signal
import subprocess
from random import Random

import pytest
from history import replayed
from real_home import RealHome, record

from mos.ops.postgres import Cluster, PostgresError
from mos.ops.sim.device import Offline

WRITERS = 4
# How much is acknowledged between two kills, and what is killed.
PROGRESS = 40
_WAITING = 100
KILLS = (
    *("kill_server", "kill_backends", "kill_database", "kill_server"),
    *("stop_database_at_once", "kill_database"),
)


class Writers:
    """Devices on which people write without a pause, from `async with` on until `rest`."""

    def __init__(self, real, devices, dice):
        self.real, self.devices, self._dice = real, devices, dice
        self.space = str(real.home.space)
        self.written, self.acknowledged = {}, {}
        self._over = asyncio.Event()
        for device in devices:
            device.asked = self._asked

    def _asked(self, kind, _body, answer):
        if kind == "push" and answer:
            self.acknowledged |= {one["op"]: one["seq"] for one in answer["results"]}

    def begin(self):
        self._over.clear()
        self._working = [asyncio.create_task(self._work(device)) for device in self.devices]

    async def _work(self, device):
        dice = self._dice
        while not self._over.is_set():
            drafts = [
                {"k": "set", "coll": "reminder", "rec": record(dice.randrange(3)),
                 "f": {dice.choice(["title", "note"]): str(dice.random())}},
                {"k": "event", "coll": "help", "v": {"at": "2026-11-27T07:00:00Z", "why": "help"}},
            ]  # fmt: skip
            # A person taps slower than a dead server is asked again: what waits stays bounded.
            many = dice.randint(1, 8) if len(device.device.unsent()) < _WAITING else 0
            for _ in range(many):
                for op in device.write(self.space, *drafts):
                    self.written[op["op"]] = op
            try:
                await device.meet()
            except Offline:
                await asyncio.sleep(0.02)

    async def progress(self):
        """Wait until the server has taken some more."""
        before = len(self.acknowledged)
        async with asyncio.timeout(90):
            while len(self.acknowledged) < before + PROGRESS:  # noqa: ASYNC110  nothing to await
                await asyncio.sleep(0.02)

    async def stop(self):
        """Let people write no more."""
        self._over.set()
        await asyncio.gather(*self._working)

    async def rest(self):
        """Let everybody send and fetch what there is."""
        for device in [*self.devices, *self.devices]:
            await device.meet_until_done()

    async def require_nothing_lost_or_doubled(self):
        log = await self.real.sql(
            "SELECT * FROM op WHERE space_id = $1 AND device_id IS NOT NULL ORDER BY seq",
            self.real.home.space,
        )
        places = await self.real.sql(
            "SELECT array_agg(seq ORDER BY seq) AS all FROM op WHERE space_id = $1",
            self.real.home.space,
        )
        assert sorted(str(row["op_id"]) for row in log) == sorted(self.written)
        assert places[0]["all"] == list(range(1, len(places[0]["all"]) + 1))
        assert self.acknowledged == {str(row["op_id"]): row["seq"] for row in log}
        rows = [device.rows[self.space] for device in self.devices]
        assert all(each == rows[0] for each in rows)
        own = replayed(log)
        assert {rec: rows[0][rec] for rec in own} == own


async def writers(real, count=WRITERS):
    """Return people who have met the server and are about to write."""
    dice = Random(9)  # noqa: S311  a repeatable game
    devices = [await real.device(f"d{n}", dice=dice) for n in range(count)]
    found = Writers(real, devices, dice)
    await found.rest()
    return found


async def test_kill_9_loses_nothing_and_doubles_nothing():
    """P1, P3, P4, P14: of the web process, of one backend and of the whole of PostgreSQL."""
    async with RealHome() as real:
        ward = await writers(real)
        ward.begin()
        for kill in KILLS:
            await ward.progress()
            await getattr(real, kill)()
        await ward.progress()
        await ward.stop()
        await ward.rest()

        assert len(ward.written) > 200
        await ward.require_nothing_lost_or_doubled()


async def test_a_standby_that_lagged_and_takes_over_is_given_back_what_it_never_had():
    """P3, P20: devices that were told yes by the server that is gone tell its successor."""
    async with RealHome() as real:
        ward = await writers(real, 3)
        ward.begin()
        await ward.progress()
        standby = await make_standby(real)
        await ward.progress()
        # Its line is cut: what comes now it will never hear of from the first.
        standby._process.send_signal(signal.SIGINT)
        standby._process.wait()
        heard = set(ward.acknowledged)
        await ward.progress()
        await take_over(real, standby)
        lost = set(ward.acknowledged) - heard
        await ward.progress()
        await ward.stop()
        await ward.rest()

        assert len(lost) >= PROGRESS
        await ward.require_nothing_lost_or_doubled()


async def make_standby(real):
    """Copy the running cluster as PostgreSQL does, and let the copy follow it."""
    standby = Cluster(real.folder / "standby", password="owner")
    standby.directory.mkdir()
    place, source = standby._binaries(), real.cluster
    ran = await asyncio.create_subprocess_exec(
        place / "pg_basebackup", "-D", standby.data, "-R", "-c", "fast", "-h", source.socket,
        "-U", "mos_owner", env=os.environ | {"PGPASSWORD": "owner"},
    )  # fmt: skip
    assert await ran.wait() == 0
    owner = source.data.stat()
    for each in (standby.data, *standby.data.rglob("*")):
        os.chown(each, owner.st_uid, owner.st_gid)
    standby.data.chmod(0o700)
    standby.start()
    return standby


async def take_over(real, standby):
    """Let the first be gone with all its files, and the standby serve in its place."""
    real.stop_server()
    real.cluster._process.kill()
    real.cluster._process.wait()
    shutil.rmtree(real.cluster.data)
    before, real.cluster = real.cluster.socket, standby
    standby.start()
    await real._admin("SELECT pg_promote()")
    old, new = (str(each).replace("/", "%2F") for each in (before, standby.socket))
    real.keys_url = real.keys_url.replace(old, new)
    real.start_server()


@pytest.fixture
def small_disk(tmp_path):
    """A disk of its own with little room."""
    place = tmp_path / "small"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=220m", "tmpfs", str(place)],
        capture_output=True, check=False,
    )  # fmt: skip
    if made.returncode != 0:
        pytest.skip("only a machine that lets us mount a small disk can have a full one")
    place.chmod(0o755)
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


async def test_a_disk_that_is_full_takes_nothing_and_loses_nothing(small_disk):
    """P3, P23: nothing is acknowledged until it lies on a disk, and all goes on with room."""
    async with RealHome(small_disk) as real:
        ward = await writers(real, 3)
        ward.begin()
        await ward.progress()
        fill(small_disk / "filler")
        stood_still = await stands_still(ward)
        (small_disk / "filler").unlink()
        if not real.cluster.alive:
            # Where its own journal had no room it ends, and whoever looks after it starts it.
            await start_again(real)
        await ward.progress()
        await ward.stop()
        await ward.rest()

        assert stood_still
        await ward.require_nothing_lost_or_doubled()


def fill(file):
    """Take all the room there is."""
    # Without a buffer: closing the file must not write what found no room.
    with file.open("wb", buffering=0) as filler, pytest.raises(OSError, match="No space"):
        while True:
            filler.write(bytes(65536))


async def stands_still(ward):
    """Wait until nothing has been taken for a while; return whether that came."""
    async with asyncio.timeout(90):
        while True:
            before = len(ward.acknowledged)
            await asyncio.sleep(3)
            if len(ward.acknowledged) == before:
                return True


async def start_again(real):
    async with asyncio.timeout(60):
        while True:
            try:
                await asyncio.to_thread(real.cluster.start)
            except PostgresError:
                await asyncio.sleep(0.2)
            else:
                return
