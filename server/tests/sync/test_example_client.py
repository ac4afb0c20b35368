"""The example in the documents is a client that works: against a real server, on a bad line too."""

import asyncio
import importlib.util
import subprocess
import sys
import time
from threading import Event, Thread
from uuid import RFC_4122, UUID, uuid4

import pytest
from builders import PASSWORD, a_home
from serving import serving

from mos.ops.settings import ROOT

EXAMPLE = ROOT / "docs" / "examples" / "sync_client.py"


def load():
    spec = importlib.util.spec_from_file_location("sync_client", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_without_arguments_it_says_how_it_is_started():
    told = subprocess.run(
        [sys.executable, EXAMPLE], capture_output=True, text=True, check=False, timeout=60
    )

    assert told.returncode == 1
    assert told.stderr == "usage: sync_client.py URL EMAIL PASSWORD FILE [OCCURRENCE]\n"


@pytest.fixture
async def home(database):
    return await a_home(database)


@pytest.fixture
async def url(database, tmp_path, home):
    async with serving(database, tmp_path) as server:
        yield server.url


def test_it_fits_on_a_few_pages_and_needs_nothing_else():
    lines = EXAMPLE.read_text().splitlines()
    imports = {line.split()[1].partition(".")[0] for line in lines
               if line.startswith(("import ", "from "))}  # fmt: skip

    assert len(lines) < 200
    assert imports <= set(sys.stdlib_module_names)


async def test_it_signs_in_says_klar_hears_of_it_and_survives_a_lost_answer(
    url, home, database, tmp_path, monkeypatch
):
    module = load()
    space = str(home.space)
    occ = f"{uuid4()}@2026-11-27T08:00"

    def one(name):
        client = module.Client(url, tmp_path / f"{name}.json")
        client.sign_in("caregiver@example.test", PASSWORD)
        client.sync()
        return client

    client, other = await asyncio.to_thread(one, "one"), await asyncio.to_thread(one, "two")
    heard, connected = Event(), Event()

    def listen():
        for poke in other.listen(20):
            if connected.is_set() and poke == "heads":
                heard.set()
                return
            connected.set()

    ear = Thread(target=listen, daemon=True)
    ear.start()
    assert await asyncio.to_thread(connected.wait, 20)

    # The server takes the push, and its answer never arrives.
    ask, lost = client._ask, []

    def deaf_once(path, body):
        answer = ask(path, body)
        if path.endswith("/push") and not lost:
            lost.append(answer)
            raise ConnectionResetError
        return answer

    monkeypatch.setattr(client, "_ask", deaf_once)
    op = client.klar(space, occ)
    await asyncio.to_thread(client.sync)
    assert await asyncio.to_thread(heard.wait, 20)
    await asyncio.to_thread(other.sync)

    assert lost[0]["results"][0]["s"] == "applied"
    assert client.kept["outbox"] == []
    assert [row["op_id"] for row in await database.sql("SELECT op_id FROM op")] == [UUID(op)]
    assert other.kept["rows"][space][op][3]["v"]["occ"] == occ
    assert other.kept["rows"] == client.kept["rows"]
    # Whatever it knows it still knows after a crash.
    again = module.Client(url, tmp_path / "one.json")
    assert again.kept == client.kept


async def test_a_server_that_was_put_back_from_a_copy_gets_again_what_it_has_forgotten(
    url, home, database, tmp_path
):
    module = load()
    client = module.Client(url, tmp_path / "one.json")
    await asyncio.to_thread(client.sign_in, "caregiver@example.test", PASSWORD)
    await asyncio.to_thread(client.sync)
    space, occ = str(home.space), f"{uuid4()}@2026-11-27T08:00"
    copied = client.klar(space, occ)
    await asyncio.to_thread(client.sync)
    made = UUID(copied)
    assert (made.version, made.variant) == (7, RFC_4122)
    assert abs((made.int >> 80) / 1000 - time.time()) < 60

    # It answers what it said when only the first was there, and asks for that one, too.
    ask, asked = client._ask, []

    def put_back(path, body):
        answer = ask(path, body)
        asked.append((path, body))
        if path.endswith("/hello") and len(asked) == 1:
            return answer | {"acked": {space: 1}, "missing": {space: [[1, 1]]}}
        return answer

    forgotten = client.klar(space, occ)
    await asyncio.to_thread(client.sync)
    client._ask = put_back
    await asyncio.to_thread(client.sync)

    pushed = [[op["op"] for op in body["ops"]] for path, body in asked if path.endswith("/push")]
    assert pushed == [[copied, forgotten]]
    assert client.kept["outbox"] == []
    assert [op["op"] for op in client.kept["ring"]] == [copied, forgotten]
    assert not any("lost" in body for _, body in asked)


async def test_it_tells_its_person_of_what_is_gone(url, home, tmp_path, monkeypatch):
    module = load()
    client = module.Client(url, tmp_path / "one.json")
    await asyncio.to_thread(client.sign_in, "caregiver@example.test", PASSWORD)
    ask = client._ask

    def erased(path, body):
        answer = ask(path, body)
        if path.endswith("/push"):
            answer["results"] = [{"op": op["op"], "s": "gone"} for op in body["ops"]]
        return answer

    monkeypatch.setattr(client, "_ask", erased)
    op = client.klar(str(home.space), f"{uuid4()}@2026-11-27T08:00")
    await asyncio.to_thread(client.sync)

    assert [(kept["op"], kept["why"]["s"]) for kept in client.kept["refused"]] == [(op, "gone")]


async def test_it_follows_what_happens_after_the_stream_has_ended(url, home, tmp_path, monkeypatch):
    module = load()
    ends = 0

    def ended(client, patience_s=60):
        nonlocal ends
        ends += 1
        if ends == 1:
            yield "bye"
            return
        if ends == 2:
            raise ConnectionResetError
        raise SystemExit

    monkeypatch.setattr(module.Client, "listen", ended)
    monkeypatch.setattr(module.time, "sleep", lambda _: None)
    with pytest.raises(SystemExit):
        await asyncio.to_thread(
            module.main, url, "caregiver@example.test", PASSWORD, str(tmp_path / "one.json")
        )

    assert ends == 3


async def test_it_keeps_what_was_refused_for_its_person(url, home, tmp_path):
    module = load()
    client = module.Client(url, tmp_path / "one.json")
    await asyncio.to_thread(client.sign_in, "caregiver@example.test", PASSWORD)
    client.event(str(home.space), "unheard", {})
    await asyncio.to_thread(client.sync)

    assert client.kept["outbox"] == []
    assert client.kept["refused"][0]["why"]["code"] == "unknown_collection"
    with pytest.raises(module.Refused, match="sign_in_failed"):
        await asyncio.to_thread(client.sign_in, "caregiver@example.test", "not the password")
