"""The protocol over HTTP: requests are bounded, and every answer is one a device understands."""

import gzip
import json
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from uuid import uuid4

import msgspec
import pytest
from browsers import Site
from builders import a_home, a_relation, an_account
from devices import COLLECTIONS, Device
from structlog.testing import capture_logs
from tablets import Tablet, a_tablet, app_of

from mos.db import Pool, Query
from mos.sync.metrics import HOOK_FAILURES


@pytest.fixture
async def home(database):
    return await a_home(database, residents=2)


@pytest.fixture
async def site(database, clock):
    async with AsyncExitStack() as stack:
        yield Site(app_of(database, clock), clock, database, stack)


@pytest.fixture
async def tablet(site, home):
    """The caregiver's browser, and the device in it that writes ops."""
    return await a_tablet(site, home)


async def test_a_device_says_hello_pushes_and_pulls(tablet, home):
    op = tablet.op()
    hello = await tablet.post("hello", tablet.frame(proto=[1, 1], app="0.1.0", sent={}))
    push = await tablet.push(op)
    pull = await tablet.pull(**{str(home.space): ""})

    greeting = hello.json()
    assert greeting["limits"] == {"ops": 500, "bytes": 1_048_576, "skew_ms": 60_000}
    assert greeting["schema"] == {
        "current": 1, "min_pull": 1, "min_push": 1, "colls": dict.fromkeys(COLLECTIONS, 1),
    }  # fmt: skip
    assert [space["id"] for space in greeting["spaces"]] == sorted(map(str, tablet.device.spaces))
    spaces = {space["id"]: space for space in greeting["spaces"]}
    assert spaces[str(home.space)] | {"permissions": ...} == {
        "id": str(home.space), "role": "caregiver", "permissions": ..., "kind": "resident",
        "cur_hint": "1.0", "floor": 0,
    }  # fmt: skip
    assert greeting["lease_until"] == "2026-12-09T09:00:00Z"
    assert push.json() == {
        "server_now": "2026-11-25T09:00:00Z",
        "results": [{"op": op["op"], "s": "applied", "seq": 1}],
        "restamped": {},
        "acked": {str(home.space): 1},
        "heads": {str(home.space): 1},
    }
    assert pull.json()["spaces"][0]["cur"].startswith("1.1.")
    assert pull.json() == {
        "server_now": "2026-11-25T09:00:00Z",
        "spaces": [{
            "id": str(home.space),
            "rows": [["reminder", op["rec"], 1, {"title": "Frukost"}, {"title": op["hlc"]}]],
            "cur": pull.json()["spaces"][0]["cur"],
            "more": False,
            "check": {"n": 1, "sum": "1", "sq": "1"},
        }],
        "added": [
            {name: space[name] for name in ("id", "role", "permissions", "kind")}
            | ({"of": space["of"]} if "of" in space else {})
            | {"snap": f"/sync/v1/snapshot/{space['id']}"}
            for space in greeting["spaces"] if space["id"] != str(home.space)
        ],
        "gone": [],
        "reset": [],
    }  # fmt: skip


async def test_hello_tells_how_far_the_device_is_acknowledged(tablet, home):
    await tablet.push(tablet.op(), tablet.op())
    sent = {str(home.space): 5, str(home.residents[1].space): 0, str(uuid4()): 3}
    answer = await tablet.post("hello", tablet.frame(proto=[1, 3], sent=sent))

    assert answer.json()["acked"] == {str(home.space): 2, str(home.residents[1].space): 0}


async def test_who_may_not_see_the_plan_sees_no_space(site, database, home):
    relative = await site.as_account(home.org, home.admin)
    await a_relation(database, home.org, home.admin, space=home.space, permissions=("meals.view",))
    tablet = Tablet(relative, Device(database, home.org, (home.space,), id=relative.device),
                    site.clock)  # fmt: skip
    pull = await tablet.pull(**{str(home.space): ""})
    push = await tablet.push(tablet.op())

    assert pull.json()["gone"] == [{"id": str(home.space), "why": "revoked", "purge": True}]
    assert pull.json()["added"] == []
    assert push.json()["results"][0]["code"] == "no_access"


async def test_the_two_spaces_are_granted_apart_each_with_the_words_that_mean_something_there(
    site, database, home
):
    nurse = await an_account(database, home.org, "nurse")
    words = ("plan.view", "plan.edit", "medication.edit", "medication.view", "outcome.record")
    await a_relation(database, home.org, nurse, space=home.space, permissions=words)
    tablet = await a_tablet(site, home, nurse)
    medication = home.resident.medication

    spaces = {space["id"]: space for space in (await tablet.hello()).json()["spaces"]}
    answer = await tablet.push(
        tablet.op(space=medication), tablet.op(space=home.space), tablet.event(space=medication)
    )

    assert spaces.keys() == {str(home.space), str(medication)}
    assert spaces[str(home.space)]["permissions"] == [
        "medication.view", "outcome.record", "plan.edit", "plan.view",
    ]  # fmt: skip
    assert (spaces[str(medication)]["kind"], spaces[str(medication)]["of"]) == (
        "medication", str(home.space),
    )  # fmt: skip
    assert spaces[str(medication)]["permissions"] == [
        "medication.edit", "medication.view", "outcome.record",
    ]  # fmt: skip
    assert [(r["s"], r.get("code")) for r in answer.json()["results"]] == [
        ("forbidden", "permission"), ("applied", None), ("applied", None),
    ]  # fmt: skip


async def test_nobody_gets_in_without_a_session_or_from_elsewhere(tablet):
    body = tablet.frame(spaces={})
    assert (await tablet.post("pull", body, **{"x-mos": "0"})).status_code == 403
    assert (await tablet.post("pull", body, origin="https://evil.test")).status_code == 403
    tablet.browser.http.cookies.clear()
    for name in ("hello", "push", "pull"):
        assert (await tablet.post(name, body)).status_code == 401
    assert (await tablet.browser.http.get("/sync/v1/poke")).status_code == 401


async def test_one_device_cannot_take_all_the_room(tablet, site, home):
    import asyncio

    held = asyncio.Event()

    async def slowly():
        await held.wait()
        yield json.dumps(tablet.frame(spaces={})).encode()

    def ask():
        return tablet.browser.http.post("/sync/v1/pull", content=slowly(), headers={"x-mos": "1"})

    waiting = [asyncio.create_task(ask()) for _ in range(9)]
    refused = await next(iter(asyncio.as_completed(waiting, timeout=5)))
    resident = await site.as_account(home.org, home.resident.account)
    body = {**tablet.frame(spaces={}), "device_id": str(resident.device)}
    other = await resident.http.post("/sync/v1/pull", json=body, headers={"x-mos": "1"})
    held.set()
    answers = await asyncio.gather(*waiting)

    assert (refused.status_code, refused.json()["code"]) == (429, "too_many")
    assert other.status_code == 200
    assert sorted(answer.status_code for answer in answers) == [200] * 8 + [429]


async def test_a_session_speaks_for_its_own_device_alone(tablet):
    answer = await tablet.post("push", tablet.frame(device_id=str(uuid4()), ops=[]))

    assert (answer.status_code, answer.json()["code"]) == (401, "other_device")


@pytest.mark.parametrize(
    ("name", "frame"),
    [("hello", {"proto": [2, 3]}), ("push", {"proto": 2, "ops": []}),
     ("pull", {"proto": 2, "spaces": {}}), ("pull", {"schema": 0, "spaces": {}})],
)  # fmt: skip
async def test_an_app_of_another_age_is_asked_to_upgrade(tablet, name, frame):
    answer = await tablet.post(name, tablet.frame(**frame))

    assert (answer.status_code, answer.json()["code"]) == (426, "upgrade_required")


async def test_an_old_app_may_always_push(tablet):
    assert (await tablet.post("push", tablet.frame(schema=0, ops=[tablet.op()]))).status_code == 200


async def test_an_old_app_may_not_write_a_safety_value_that_it_cannot_show(database, clock, home):
    collections = COLLECTIONS | {"dose": replace(COLLECTIONS["dose"], min_push=2)}
    async with AsyncExitStack() as stack:
        site = Site(app_of(database, clock, collections), clock, database, stack)
        tablet = await a_tablet(site, home)
        dose = tablet.op() | {
            "k": "safety",
            "coll": "dose",
            "base": None,
            "trunk": None,
            "v": {"dose": "5"},
        }
        del dose["f"]
        greeting = (await tablet.hello()).json()
        answer = (await tablet.push(dose, tablet.op())).json()

    assert greeting["schema"]["colls"]["dose"] == 2
    assert [(result["s"], result.get("code")) for result in answer["results"]] == [
        ("invalid", "schema"), ("applied", None),
    ]  # fmt: skip
    assert [row["reason"] for row in await database.sql("SELECT reason FROM quarantine")] == [
        "invalid schema"
    ]


async def test_a_field_of_a_newer_app_is_passed_over(tablet):
    answer = await tablet.post("pull", tablet.frame(spaces={}, colour="red"))

    assert answer.status_code == 200


MALFORMED = [
    b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b'{"ops": NaN}', b"[" * 10_000 + b"]" * 10_000,
    b'{"ops":' + b'{"a":' * 10_000 + b"1" + b"}" * 10_001,
    b'{"proto":1,"schema":1,"device_id":"x","client_now":"2026-11-25T09:00:00Z","ops":[]}',
    b'{"proto":"1"}', b'{"proto":1e999}', b'{"proto":' + b"9" * 5_000 + b"}",
]  # fmt: skip


@pytest.mark.parametrize("name", ["hello", "push", "pull"])
async def test_what_cannot_be_read_is_malformed(tablet, name):
    for body in MALFORMED:
        answer = await tablet.post(name, body)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed"), body[:40]


async def test_a_moment_without_a_zone_is_malformed(tablet):
    answer = await tablet.post("push", tablet.frame(client_now="2026-11-25T09:00:00", ops=[]))

    assert answer.status_code == 400


async def test_ops_that_cannot_be_named_make_the_batch_malformed(tablet, database):
    for op in (1, None, {}, {"op": "x", "space": "y"}, [tablet.op()], tablet.op() | {"op": None}):
        answer = await tablet.push(tablet.op(), op)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed"), op
    assert await database.sql("SELECT 1 FROM op") == []


async def test_wrong_types_in_one_op_spoil_only_that_op(tablet):
    good = tablet.op()
    wrong = [
        tablet.op() | {field: value}
        for field in ("n", "hlc", "coll", "rec", "f", "k")
        for value in (None, 1.5, -1, "", [], {}, True, "x" * 100)
    ]
    for op in wrong:
        results = (await tablet.push(good, op)).json()["results"]
        assert [result["s"] for result in results[1:]] == ["invalid"], op
        assert results[0]["seq"] == 1


async def test_a_key_twice_means_the_last(tablet, home):
    text = json.dumps(tablet.op("first"))
    text = text.replace('"title": "first"', '"title": "first", "title": "last"')
    body = json.dumps(tablet.frame(ops=[])).replace("[]", f"[{text}]").encode()
    await tablet.post("push", body)
    [space] = (await tablet.pull(**{str(home.space): ""})).json()["spaces"]

    assert space["rows"][0][3] == {"title": "last"}


async def test_too_much_is_refused_whole(tablet, database):
    many = await tablet.push(*[{"op": 1}] * 501)
    very_many = await tablet.post("push", tablet.frame(ops=[0] * 100_000))
    large = await tablet.post("push", b" " * 10_000_000)
    proposed = await tablet.push(*[
        tablet.device.safety(uuid4(), {"dose": "5"}, ms=tablet.now_ms) for _ in range(21)
    ])  # fmt: skip
    hello = await tablet.post("hello", tablet.frame(
        proto=[1, 1], sent={str(uuid4()): 1 for _ in range(10_001)}))  # fmt: skip

    refused = (many, very_many, large, proposed)
    assert {answer.status_code for answer in refused} == {413}
    assert {answer.json()["code"] for answer in refused} == {"too_large"}
    assert hello.status_code == 400
    assert await database.sql("SELECT 1 FROM quarantine") == []


async def test_whoever_sees_thousands_of_spaces_is_greeted_and_asks_in_parts(tablet, home):
    many = {str(uuid4()): 1 for _ in range(10_000)}
    greeted = await tablet.hello(sent=many, purged=list(many))
    part = await tablet.post("pull", tablet.frame(spaces={str(home.space): ""}, part=True))
    whole = await tablet.post("pull", tablet.frame(spaces={str(home.space): ""}))

    assert greeted.status_code == 200
    assert part.json()["added"] == []
    assert len(whole.json()["added"]) == 3


async def test_five_hundred_ops_are_not_too_much(tablet):
    answer = await tablet.push(*[tablet.op(str(number)) for number in range(500)])

    assert [result["seq"] for result in answer.json()["results"]] == list(range(1, 501))


async def test_a_body_that_never_ends_is_cut_off(tablet, site):
    sent = 0

    async def endless():
        nonlocal sent
        while True:
            sent += 1
            yield b" " * 65_536

    answer = await tablet.browser.http.post(
        "/sync/v1/push",
        content=endless(),
        headers={"x-mos": "1", "content-type": "application/json"},
    )
    assert answer.status_code == 413
    assert sent < 20


async def test_other_methods_and_addresses_are_refused(tablet):
    http = tablet.browser.http
    assert (await http.get("/sync/v1/push")).status_code == 405
    assert (await tablet.post("poke", b"{}")).status_code == 405
    assert (await tablet.post("other", b"{}")).status_code == 404


async def test_a_long_answer_is_compressed_for_who_takes_it(tablet, home):
    await tablet.push(*[tablet.op("a title of some length") for _ in range(400)])
    body = tablet.frame(spaces={str(home.space): ""})
    plain = await tablet.post("pull", body, **{"accept-encoding": "identity"})
    packed = await tablet.post("pull", body, **{"accept-encoding": "gzip, br"})

    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) * 4 < len(plain.content)
    assert packed.json() == plain.json()
    assert gzip.decompress(gzip.compress(plain.content)) == packed.content


_CRASH = Query("crash", "SELECT 1 / 0", (), type(None))


@asynccontextmanager
async def a_tablet_where(database, clock, home, applied):
    """A tablet on a server whose domain of reminders has the hook `applied`."""
    collections = COLLECTIONS | {"reminder": replace(COLLECTIONS["reminder"], applied=applied)}
    async with AsyncExitStack() as stack:
        site = Site(app_of(database, clock, collections), clock, database, stack)
        browser = await site.as_account(home.org, home.caregiver)
        device = Device(database, home.org, (home.space,), id=browser.device)
        yield Tablet(browser, device, clock)


async def test_a_database_that_is_away_makes_the_device_try_again(database, clock, home):
    async def cut_off(_db, _org, _changes, _now):
        raise ConnectionResetError

    async with a_tablet_where(database, clock, home, cut_off) as tablet:
        answer = await tablet.push(tablet.op())

    assert (answer.status_code, answer.json()["code"]) == (503, "try_again")
    assert await database.sql("SELECT 1 FROM op") == []
    assert await database.sql("SELECT 1 FROM quarantine") == []


@pytest.mark.parametrize("what", ["hello", "push", "pull"])
async def test_whatever_a_device_asks_while_the_database_is_away_it_tries_again(
    tablet, home, monkeypatch, what
):
    asked = {
        "hello": {"proto": [1, 1], "app": "0.1.0", "sent": {}},
        "push": {"batch": str(uuid4()), "ops": [tablet.op()]},
        "pull": {"spaces": {str(home.space): ""}, "limit": 2000, "check": True},
    }[what]

    def away(*_args):
        raise ConnectionRefusedError

    with monkeypatch.context() as patched:
        patched.setattr(Pool, "transaction", away)
        answer = await tablet.post(what, tablet.frame(**asked))
    assert (answer.status_code, answer.json()["code"]) == (503, "try_again")

    assert (await tablet.post(what, tablet.frame(**asked))).status_code == 200


async def test_an_op_over_which_its_domain_crashes_holds_up_no_other(database, clock, home):
    told = []

    async def crashes(db, _org, changes, _now):
        titles = [change.groups["title"] for change in changes]
        if "a riddle" in titles:
            # Not Python alone: a statement that fails gives its transaction up.
            await db.run(_CRASH)
        told.extend(titles)

    failures = HOOK_FAILURES.labels("reminder")._value.get()
    async with a_tablet_where(database, clock, home, crashes) as tablet:
        ops = [tablet.op(title) for title in ("a", "b", "a riddle", "c", "d")]
        ops += [tablet.device.event({"occ": "x"}), tablet.op("a riddle"), tablet.op("e")]
        with capture_logs() as logs:
            answer = (await tablet.push(*ops)).json()
        again = (await tablet.push(*ops)).json()

    verdicts = [result["s"] for result in answer["results"]]
    assert verdicts == [*["applied"] * 2, "invalid", *["applied"] * 3, "invalid", "applied"]
    assert [result["op"] for result in answer["results"]] == [op["op"] for op in ops]
    assert {result.get("code") for result in answer["results"]} == {None, "hook_failed"}
    assert answer["acked"] == {str(home.space): 8}
    assert answer["heads"] == {str(home.space): 6}
    assert told == ["a", "b", "c", "d", "e"]
    kept = await database.sql("SELECT op_id, reason, payload FROM quarantine ORDER BY op_id")
    assert [str(row["op_id"]) for row in kept] == sorted([ops[2]["op"], ops[6]["op"]])
    assert {row["reason"] for row in kept} == {"invalid hook_failed"}
    assert {row["payload"]["val"]["title"] for row in kept} == {"a riddle"}
    # Whoever lost the answer gets the same one.
    assert [result["s"] for result in again["results"]] == [
        "dup" if verdict == "applied" else verdict for verdict in verdicts
    ]
    assert HOOK_FAILURES.labels("reminder")._value.get() == failures + 4
    assert [line["coll"] for line in logs if line["event"] == "hook_failed"] == ["reminder"] * 2
    assert "riddle" not in json.dumps(logs, default=str)


async def test_a_crash_that_was_a_chance_sets_nothing_aside(database, clock, home):
    crashes = [ZeroDivisionError, ZeroDivisionError]

    async def clumsy(_db, _org, _changes, _now):
        if crashes:
            raise crashes.pop()

    async with a_tablet_where(database, clock, home, clumsy) as tablet:
        answer = (await tablet.push(tablet.op(), tablet.op())).json()

    assert [result["s"] for result in answer["results"]] == ["applied", "applied"]
    assert await database.sql("SELECT 1 FROM quarantine") == []


async def test_answers_are_what_the_protocol_says_byte_for_byte(tablet, home):
    """Moments end in Z, ids are lower case, what is not there is left out."""
    answer = await tablet.push(tablet.op(), tablet.device.set(uuid4(), {"title": 8}))
    refused = msgspec.json.decode(answer.content)["results"][1]

    assert refused.keys() == {"op", "s", "code", "path"}
    assert answer.headers["cache-control"] == "no-store"


async def test_what_lies_between_the_ops_of_a_group_is_not_set_aside_with_it(database, clock, home):
    async def crashes(db, _org, changes, _now):
        if any(change.groups["title"] == "a riddle" for change in changes):
            await db.run(_CRASH)

    async with a_tablet_where(database, clock, home, crashes) as tablet:
        group = str(uuid4())
        ops = [tablet.op("a riddle", g=group), tablet.event(), tablet.op("b", g=group)]
        answer = (await tablet.push(*ops)).json()

    assert [(result["op"], result["s"]) for result in answer["results"]] == [
        (ops[0]["op"], "invalid"), (ops[1]["op"], "applied"), (ops[2]["op"], "invalid"),
    ]  # fmt: skip
