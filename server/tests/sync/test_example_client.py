"""The example in the documents is a client that works: against a real server, on a bad line too."""

import asyncio
import importlib.util
import sys
from threading import Event, Thread
from uuid import UUID, uuid4

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
