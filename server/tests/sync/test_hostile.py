"""Whoever means ill meets a real server over real HTTP: it says no, applies nothing, lives on."""

import asyncio
import gzip
import json
from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
from builders import PASSWORD, a_home
from devices import Device
from serving import serving

SECRET = "Elsas hemlighet"
MANY_MB = 10_000_000


class Attacker:
    """Somebody who is signed in, and sends what no app would."""

    def __init__(self, http, home, device):
        self.http, self.home, self.device = http, home, device

    def frame(self, **more):
        return {
            "proto": 1, "schema": 1, "device_id": str(self.device.id),
            "client_now": datetime.now(UTC).isoformat(), "batch": str(uuid4()),
        } | more  # fmt: skip

    def op(self, title=SECRET, **more):
        ms = int(datetime.now(UTC).timestamp() * 1000)
        return self.device.set(uuid4(), {"title": title}, ms=ms, **more)

    async def send(self, name, body, **headers):
        if not isinstance(body, bytes) and not hasattr(body, "__aiter__"):
            body = json.dumps(body).encode()
        headers = {"x-mos": "1", "content-type": "application/json"} | headers
        return await self.http.post(f"/sync/v1/{name}", content=body, headers=headers)

    async def push(self, *ops, **more):
        return await self.send("push", self.frame(ops=ops, **more))


@pytest.fixture
async def home(database):
    return await a_home(database)


@pytest.fixture
async def server(database, tmp_path):
    async with serving(database, tmp_path) as running:
        yield running


async def signed_in(http, device, email="caregiver@example.test"):
    body = {"email": email, "password": PASSWORD, "device_id": str(device)}
    return await http.post("/api/v1/session", json=body, headers={"x-mos": "1"})


@pytest.fixture
async def attacker(server, home, database):
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as http:
        device = Device(database, home.org, (home.space,))
        assert (await signed_in(http, device.id)).status_code == 201
        yield Attacker(http, home, device)


def said_no(answer, status, code):
    """The one shape of an error, and nothing of what was sent in it."""
    body = answer.json()
    assert (answer.status_code, body["status"], body["code"]) == (status, status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert body.keys() >= {"type", "title", "status", "code", "detail"}
    assert SECRET not in answer.text


async def nothing_was_applied(database, server):
    for table in ("op", "rec", "quarantine", "device_space"):
        assert await database.sql(f"SELECT 1 FROM {table}") == [], table
    assert server.process.poll() is None
    assert SECRET not in server.log.read_text()


async def test_ten_megabytes_and_a_hundred_thousand_ops_cost_no_memory(attacker, server, database):
    async def unending():
        for _ in range(MANY_MB // 65_536):
            yield b" " * 65_536

    await attacker.push()
    before = server.peak_mb()
    many = json.dumps(attacker.frame(ops=[0] * 100_000)).encode()
    real = json.dumps(attacker.frame(ops=[attacker.op()] * 5_000)).encode()
    bodies = [many, many, b" " * MANY_MB, b'{"ops":"' + b"x" * MANY_MB, real, unending(), many]
    for some in (bodies[:4], bodies[4:]):
        for answer in await asyncio.gather(*(attacker.send("push", body) for body in some)):
            said_no(answer, 413, "too_large")

    assert server.peak_mb() - before < 60
    await nothing_was_applied(database, server)
    # It takes the next one as ever.
    assert (await attacker.push(attacker.op())).json()["results"][0]["s"] == "applied"


async def test_what_is_no_json_is_refused(attacker, server, database):
    op = json.dumps(attacker.op())
    frame = json.dumps(attacker.frame(ops=[])).replace("[]", "[OPS]")
    bodies = [
        b"[" * 50_000 + b"]" * 50_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        *(frame.replace("OPS", op.replace(f'"{SECRET}"', word)).encode()
          for word in ("NaN", "Infinity", "-Infinity", "1e", "'x'", "\ud800")
          if word.isascii()),
        frame.replace("OPS", op[:-1]).encode(),
        frame.replace("OPS", op + ",").encode(),
        frame.replace("OPS", op).encode("utf-16"),
        b"\x00" * 100, b"\xff" * 100, b"", b"null", b"[]", b"1",
    ]  # fmt: skip
    for body in bodies:
        for name in ("push", "pull", "hello"):
            said_no(await attacker.send(name, body), 400, "malformed")
    await nothing_was_applied(database, server)


WRONG = [None, True, 1.5, -1, "", "x" * 200, [], {}, [[]], 2**70, "\u0000"]


async def test_wrong_types_are_refused_wherever_they_stand(attacker, server, database):
    space = str(attacker.home.space)
    requests = {
        "hello": (attacker.frame(proto=[1, 1]), ("proto", "schema", "device_id", "client_now")),
        "pull": (attacker.frame(spaces={space: ""}),
                 ("proto", "schema", "device_id", "spaces")),
        "push": (attacker.frame(ops=[attacker.op()]),
                 ("proto", "schema", "device_id", "client_now", "ops", "as", "batch")),
    }  # fmt: skip
    fine = {("pull", "spaces", "{}"), ("push", "ops", "[]"), ("push", "as", "null"),
            ("push", "batch", '""'), ("push", "batch", '"\\u0000"')}  # fmt: skip
    for name, (frame, fields) in requests.items():
        for field in fields:
            for value in WRONG:
                if (name, field, json.dumps(value)) in fine or field == "schema":
                    continue
                answer = await attacker.send(name, frame | {field: value})
                if field == "proto" and isinstance(value, int) and not isinstance(value, bool):
                    assert answer.status_code in (400, 426), value
                    continue
                said_no(answer, 400, "malformed")
    for field in ("lost", "purged", "sent"):
        for value in ("x", 1, [1], {"x": 1}, {space: "x"}, {space: [[1]]}):
            said_no(await attacker.send("hello", requests["hello"][0] | {field: value}),
                    400, "malformed")  # fmt: skip
    await nothing_was_applied(database, server)


async def test_a_deep_a_long_and_a_poisoned_op_spoil_no_other(attacker, database):
    deep = attacker.op()
    for _ in range(100):
        deep["f"]["title"] = [deep["f"]["title"]]
    long, nul = attacker.op("x" * 70_000), attacker.op("a\u0000b")
    wide = attacker.op() | {"f": {f"g{chr(97 + at % 26)}{chr(97 + at // 26)}": 1
                                  for at in range(65)}}  # fmt: skip
    good = attacker.op("Frukost")
    answer = (await attacker.push(deep, long, nul, wide, good)).json()

    assert [(result["s"], result.get("code")) for result in answer["results"]] == [
        ("invalid", "too_deep"), ("invalid", "too_large"), ("invalid", "nul"),
        ("invalid", "malformed"), ("applied", None),
    ]  # fmt: skip
    assert len(await database.sql("SELECT 1 FROM rec")) == 1


async def test_what_is_no_text_is_refused_not_asked_for_again(attacker, server, database):
    good = attacker.op("Frukost")
    for frame in (attacker.frame(ops=[attacker.op("XX"), good]),
                  attacker.frame(ops=[attacker.op() | {"XX": 1}, good]),
                  attacker.frame(ops=[attacker.op() | {"g": "XX"}, good])):  # fmt: skip
        body = json.dumps(frame).encode()
        # And half an emoji, as of a text that was cut in the middle of one.
        for bad in (b"\xff\xfe", b"\xed\xa0\x80", b"\xc3", b"\\ud83d", b"\\udc00x"):
            said_no(await attacker.send("push", body.replace(b"XX", bad)), 400, "malformed")
    await nothing_was_applied(database, server)


async def test_a_key_twice_gets_nobody_past_a_check(attacker, server, database):
    own, other = str(attacker.device.id), str(uuid4())
    body = json.dumps(attacker.frame(ops=[attacker.op()]))
    twice = body.replace(f'"device_id": "{own}"', f'"device_id": "{own}", "device_id": "{other}"')
    said_no(await attacker.send("push", twice.encode()), 401, "other_device")
    proto = body.replace('"proto": 1', '"proto": 1, "proto": 2')
    said_no(await attacker.send("push", proto.encode()), 426, "upgrade_required")
    many = body.replace('"ops":', f'"ops": {json.dumps([0] * 501)}, "ops":')
    # The last counts, and it is checked.
    assert (await attacker.send("push", many.encode())).status_code == 200
    assert len(await database.sql("SELECT 1 FROM op")) == 1


async def test_another_organisations_ids_open_nothing(attacker, server, database):
    others = await a_home(database, name="Andra", email_domain="other.test")
    async with httpx.AsyncClient(base_url=server.url) as http:
        device = Device(database, others.org, (others.space,))
        await signed_in(http, device.id, "caregiver@other.test")
        theirs = Attacker(http, others, device)
        op = theirs.op()
        await theirs.push(op)
    before = await database.sql("SELECT * FROM rec")
    space = str(others.space)
    tries = [
        attacker.op(space=others.space), attacker.op(space=others.space) | {"rec": op["rec"]},
        attacker.op(space=others.space) | {"op": op["op"]}, op,
    ]  # fmt: skip
    results = (await attacker.push(*tries)).json()["results"]
    unknown = (await attacker.push(attacker.op(space=uuid4()))).json()["results"]
    pull = (await attacker.send("pull", attacker.frame(spaces={space: ""}))).json()
    hello = (await attacker.send("hello", attacker.frame(
        proto=[1, 1], sent={space: 9}, lost={space: [[1, 9]]}, purged=[space]))).json()  # fmt: skip
    snapshot = await attacker.http.get(f"/sync/v1/snapshot/{space}")
    absent = await attacker.http.get(f"/sync/v1/snapshot/{uuid4()}")

    assert {(result["s"], result["code"]) for result in results + unknown} == {
        ("forbidden", "no_access")
    }
    assert pull["spaces"] == []
    assert pull["gone"] == [{"id": space, "why": "revoked", "purge": True}]
    # That they were refused is told again, of the one that is not there as of the one that is.
    told = hello.pop("refused")
    assert {each["op"] for each in told} == {result["op"] for result in results + unknown}
    assert [(each["what"], each["rec"], each["bare"]) for each in told] == [
        ({}, None, True) for _ in told
    ]
    assert space not in json.dumps(hello)
    assert (snapshot.status_code, snapshot.json()) == (absent.status_code, absent.json())
    assert await database.sql("SELECT * FROM rec") == before
    assert SECRET not in server.log.read_text()


async def test_a_replayed_request_counts_once(attacker, database):
    body = json.dumps(attacker.frame(ops=[attacker.op()])).encode()
    answers = [(await attacker.send("push", body)).json() for _ in range(5)]

    assert [answer["results"][0]["s"] for answer in answers] == ["applied"] + ["dup"] * 4
    assert len(await database.sql("SELECT 1 FROM op")) == 1


async def test_a_session_can_be_neither_fixed_before_nor_used_after(server, home, database):
    async with httpx.AsyncClient(base_url=server.url) as victim:
        victim.cookies.set("mos", "chosen-by-the-attacker")
        device = Device(database, home.org, (home.space,))
        answer = await signed_in(victim, device.id)
        token = answer.cookies["mos"]
        person = Attacker(victim, home, device)
        frame = person.frame(spaces={})
        fixed = await _with_cookie(server, "chosen-by-the-attacker", frame)
        open_ = await _with_cookie(server, token, frame)
        await victim.request("DELETE", "/api/v1/session", headers={"x-mos": "1"})
        after = await _with_cookie(server, token, frame)

    assert token != "chosen-by-the-attacker"
    assert open_.status_code == 200
    said_no(fixed, 401, "session_expired")
    said_no(after, 401, "session_expired")


async def _with_cookie(server, token, frame):
    async with httpx.AsyncClient(base_url=server.url, cookies={"mos": token}) as http:
        return await http.post("/sync/v1/pull", json=frame, headers={"x-mos": "1"})


async def test_a_slow_body_holds_up_nobody(attacker, server):
    address = urlsplit(server.url)
    head = (
        "POST /sync/v1/push HTTP/1.1\r\nhost: x\r\nx-mos: 1\r\ncontent-type: application/json\r\n"
        "content-length: 1000\r\n{}\r\n"
    )
    cookie = f"cookie: mos={attacker.http.cookies['mos']}\r\n"
    lines = [await asyncio.open_connection(address.hostname, address.port) for _ in range(60)]
    for at, (_, writer) in enumerate(lines):
        # Some are signed in, some are nobody.
        writer.write(head.format(cookie if at < 20 else "").encode() + b"{")
    # Nobody waits for a body of whoever is not let in; and one session holds eight at most.
    answers = [await asyncio.wait_for(reader.readline(), 10) for reader, _ in lines[20:]]
    first = [asyncio.create_task(reader.readline()) for reader, _ in lines[:20]]
    await asyncio.wait(first, timeout=3)
    refused = [line.result() for line in first if line.done()]
    other = await attacker.http.get("/api/v1/session")
    for line in first:
        line.cancel()
    for _, writer in lines:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    assert {line.split()[1] for line in answers} == {b"401"}
    assert [line.split()[1] for line in refused] == [b"429"] * 12
    assert other.status_code == 200


async def test_compressed_requests_are_not_opened(attacker, server, database):
    bomb = gzip.compress(b" " * 100_000_000)
    before = server.peak_mb()
    for coding in ("gzip", "br", "deflate", "GZIP", "gzip, gzip"):
        answer = await attacker.send("push", bomb, **{"content-encoding": coding})
        said_no(answer, 415, "media_type")
    packed = gzip.compress(json.dumps(attacker.frame(ops=[attacker.op()])).encode())
    said_no(await attacker.send("push", packed, **{"content-encoding": "gzip"}), 415, "media_type")
    said_no(await attacker.send("push", packed), 400, "malformed")

    assert server.peak_mb() - before < 30
    await nothing_was_applied(database, server)


async def test_a_protocol_of_the_future_is_asked_to_wait(attacker, server, database):
    for name, frame in (
        ("hello", attacker.frame(proto=[2, 9])), ("hello", attacker.frame(proto=[-5, 0])),
        ("push", attacker.frame(proto=2, ops=[attacker.op()])),
        ("push", attacker.frame(proto=2**31, ops=[attacker.op()])),
        ("pull", attacker.frame(proto=7, spaces={})),
    ):  # fmt: skip
        said_no(await attacker.send(name, frame), 426, "upgrade_required")
    await nothing_was_applied(database, server)


async def test_wrong_cursors_and_limits_crash_nothing(attacker, server):
    space = str(attacker.home.space)
    for cursor in ("1.0", "-1.0.00000000", "1.99999999999999999999.00000000", "x", "1.5.zzzzzzzz",
                   "9.0.00000000", "1.0.00000000.999999999999999999", "1.7.deadbeef.5",
                   "0" * 64):  # fmt: skip
        answer = await attacker.send("pull", attacker.frame(spaces={space: cursor}))
        assert answer.status_code == 200, cursor
        assert answer.json()["spaces"] == [], cursor
    for limit in (0, -1, 5001, 2**63, "9"):
        answer = await attacker.send("pull", attacker.frame(spaces={}, limit=limit))
        said_no(answer, 400, "malformed")
    after = uuid4()
    for query in (
        f"?epoch=1&at=99999999999999999999&after={after}", f"?epoch=99999999999&at=0&after={after}",
        f"?epoch=9&at=0&after={after}", "?" + "a=1&" * 100, "?after=%00&at=%FF&epoch=1", "?%",
    ):  # fmt: skip
        answer = await attacker.http.get(f"/sync/v1/snapshot/{space}{query}")
        assert answer.status_code in (400, 409), query
        assert answer.headers["content-type"] == "application/problem+json"
    assert "crash" not in server.log.read_text()
