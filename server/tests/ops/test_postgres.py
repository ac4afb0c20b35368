"""The embedded PostgreSQL, for real: made, started, killed, damaged, and run as somebody else."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import asyncpg
import pytest

from mos.ops.postgres import MAJOR, Cluster, PostgresError, _sentence


@pytest.fixture
def home():
    """A folder that any user may enter, with a path that needs quoting everywhere."""
    directory = Path(tempfile.mkdtemp(prefix="mos ops, "))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def fresh():
    """A cluster that is made once, to be copied: making one takes a second."""
    directory = Path(tempfile.mkdtemp(prefix="mos-ops-"))
    directory.chmod(0o755)
    Cluster(directory, fast=True).create()
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def made(home, fresh):
    """A cluster that is made and not running; stopped at the end whatever a test does."""
    subprocess.run(["cp", "-a", str(fresh), str(home / "var")], check=True)
    cluster = Cluster(home / "var", fast=True)
    yield cluster
    cluster.stop()


async def ask(cluster, question, **how):
    connection = await asyncpg.connect(cluster.dsn(database="postgres", **how))
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def test_it_is_made_with_passwords_checksums_and_no_network(home):
    cluster = Cluster(home / "var", password="p'ä ss/w@rd:")
    cluster.create()
    cluster.start()
    try:
        assert await ask(cluster, "SHOW data_checksums") == "on"
        assert await ask(cluster, "SHOW listen_addresses") == ""
        assert await ask(cluster, "SELECT datlocprovider FROM pg_database LIMIT 1") == b"b"
        with pytest.raises(asyncpg.InvalidPasswordError):
            await ask(cluster, "SELECT 1", password="guess")
        assert cluster.socket.stat().st_mode & 0o777 == 0o700
        assert cluster.data.stat().st_mode & 0o777 == 0o700
    finally:
        cluster.stop()


async def test_it_stops_in_good_order_and_starts_again(made):
    made.start()
    made.stop()
    made.start()

    assert await ask(made, "SELECT 1") == 1
    assert "not properly shut down" not in made.log.read_text()


async def test_a_killed_server_recovers_by_itself(home):
    made = Cluster(home / "var", password="x")
    made.create()
    made.start()
    connection = await asyncpg.connect(made.dsn(database="postgres"))
    await connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    os.kill(made._process.pid, signal.SIGKILL)
    made._process.wait()
    connection.terminate()

    again = Cluster(made.directory, password="x")
    again.start()
    try:
        assert await ask(again, "SELECT answer FROM kept") == 42
    finally:
        again.stop()


async def test_an_orphan_of_a_killed_supervisor_makes_way(made):
    # A supervisor that is killed in the moment before it could tell its server to stop.
    orphan = Cluster(made.directory, fast=True)
    orphan.start()

    made.start()

    assert orphan._process.wait() == 0
    assert await ask(made, "SELECT 1") == 1


async def test_a_pid_file_that_names_a_stranger_does_not_stop_a_start(made):
    # After a restart of the machine the old number may be somebody else's: here, a sleeper's.
    identity = made._as_user()
    with subprocess.Popen(["sleep", "600"], **identity) as stranger:
        (made.data / "postmaster.pid").write_text(
            f"{stranger.pid}\n{made.data}\n1\n5432\n\n\n 1 1\n"
        )
        try:
            made.start()
            assert await ask(made, "SELECT 1") == 1
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_another_major_is_refused_and_left_alone(made):
    (made.data / "PG_VERSION").write_text("17\n")

    with pytest.raises(PostgresError, match=f"made by PostgreSQL 17, this MOS carries {MAJOR}"):
        made.start()


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda data: (data / "PG_VERSION").unlink(), "PG_VERSION is missing"),
        (lambda data: (data / "PG_VERSION").write_bytes(b"\0\0"), "PG_VERSION cannot be read"),
        (lambda data: shutil.rmtree(data / "global"), "could not"),
        (lambda data: (data / "global" / "pg_control").write_bytes(b"x" * 8192), "incompatible"),
    ],
)
def test_a_damaged_directory_is_named_as_such(made, damage, why):
    damage(made.data)

    with pytest.raises(PostgresError, match=f"data directory is damaged .*{why}") as refusal:
        made.start()
    assert "\n" not in str(refusal.value)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can copy what belongs to others")
def test_a_copy_that_lost_its_owner_says_whose_it_has_to_be(made):
    for path in [made.data, *made.data.rglob("*")]:
        os.chown(path, 0, 0)
    copy = Cluster(made.directory, fast=True)

    with pytest.raises(PostgresError, match=r"belongs to root.*chown -R \w+: .*cp -a"):
        copy.start()


def test_a_full_disk_leaves_nothing_half_made(home):
    place = home / "small"
    place.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(place)]
    if subprocess.run(mounted, check=False, capture_output=True).returncode != 0:
        # Without the right to mount: what the server says then is what we must understand.
        said = 'FATAL:  could not write to file "pg_wal/xlogtemp.7": No space left on device'
        assert "is full: free some space" in _sentence(said, place / "pgdata")
        return
    try:
        with pytest.raises(PostgresError, match="is full: free some space and start again"):
            Cluster(place, fast=True).create()
        assert list(place.iterdir()) == []
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_a_killed_creation_is_begun_anew(home):
    (home / "var" / "pgdata.new" / "half").mkdir(parents=True)
    cluster = Cluster(home / "var", fast=True)

    assert not cluster.exists()
    cluster.create()
    assert cluster.exists()
    assert not (home / "var" / "pgdata.new").exists()


async def test_it_runs_inside_a_closed_home(home):
    # As root's own: nobody else may enter, and the server must not be root.
    home.chmod(0o700)
    cluster = Cluster(home / "var", fast=True)
    cluster.create()
    cluster.start()
    try:
        assert await ask(cluster, "SELECT 1") == 1
        assert home.stat().st_mode & 0o777 == 0o700
        assert cluster._uid() != 0
    finally:
        cluster.stop()


async def test_a_path_too_long_for_a_socket_is_no_obstacle(home):
    cluster = Cluster(home / ("long" * 30), fast=True)
    cluster.create()
    cluster.start()
    try:
        assert await ask(cluster, "SELECT 1") == 1
    finally:
        cluster.stop()
        shutil.rmtree(cluster.socket, ignore_errors=True)


def test_an_ordinary_user_needs_no_rights(home):
    if os.geteuid() == 0:
        somebody = pwd.getpwnam("nobody")
        os.chown(home, somebody.pw_uid, somebody.pw_gid)
        identity = {"user": somebody.pw_uid, "group": somebody.pw_gid, "extra_groups": []}
    else:
        identity = {}
    program = (
        "import sys; from pathlib import Path; from mos.ops.postgres import Cluster\n"
        "cluster = Cluster(Path(sys.argv[1]), fast=True); cluster.create(); cluster.start()\n"
        "cluster.stop(); print('stopped')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(home / "var")],
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": os.environ["PATH"]},
        check=False,
        capture_output=True,
        text=True,
        cwd="/",
        **identity,
    )

    assert done.stdout == "stopped\n", done.stderr


def test_root_goes_on_as_the_user_who_began(home):
    if os.geteuid() != 0:
        assert Cluster(home)._as_user() == {}
        return
    somebody = pwd.getpwnam("nobody")
    os.chown(home, somebody.pw_uid, somebody.pw_gid)

    assert Cluster(home)._uid() == somebody.pw_uid
