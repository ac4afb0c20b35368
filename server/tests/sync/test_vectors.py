"""The vectors that the app runs too: clocks, and the merge and safety against PostgreSQL."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from builders import a_home
from devices import COLLECTIONS, Device, fingerprint, replayed
from msgspec import UNSET

from mos.db import connect
from mos.ops.sim.reference import Kind, Reference, Who
from mos.ops.sim.reference.batch import made as reference_made
from mos.privacy.keyring import Unsealed
from mos.sync import hlc, rules

VECTORS = Path(__file__).parents[3] / "spec" / "vectors"
CLOCKS = json.loads((VECTORS / "hlc.json").read_text())
MERGE = json.loads((VECTORS / "merge.json").read_text())
SAFETY = json.loads((VECTORS / "safety.json").read_text())


def named(cases):
    return [pytest.param(case, id=case["name"]) for case in cases]


@pytest.mark.parametrize("case", named(CLOCKS["send"]))
def test_a_new_change_is_stamped_as_the_vector_says(case):
    assert hlc.send(case["last"], case["now_ms"], case["actor"]) == case["out"]


@pytest.mark.parametrize("case", named(CLOCKS["receive"]))
def test_a_seen_clock_moves_ours_as_the_vector_says(case):
    out = hlc.receive(case["last"], case["remote"], case["now_ms"], case["actor"])
    assert out == case["out"]


@pytest.mark.parametrize("case", CLOCKS["compare"])
def test_clocks_are_ordered_by_plain_text(case):
    assert (case["a"] > case["b"]) - (case["a"] < case["b"]) == case["order"]


@pytest.mark.parametrize("case", named(CLOCKS["clamp"]))
def test_a_clock_ahead_is_stamped_anew_as_the_vector_says(case):
    out = hlc.clamp(
        case["claimed"], floor=case["floor"], now_ms=case["now_ms"], limit_ms=case["limit_ms"]
    )
    assert list(out) == case["out"]


@pytest.mark.parametrize("case", named(CLOCKS["made"]))
def test_when_something_was_written_is_reckoned_as_the_vector_says(case):
    asked = case["claimed"], UUID(case["op"])
    assert rules.made(*asked, skew_ms=case["skew_ms"], now_ms=case["now_ms"]) == case["out"]
    op = {"op": case["op"], "claimed": case["claimed"]}
    assert reference_made(op, case["now_ms"], case["skew_ms"]) == case["out"]


@pytest.mark.parametrize("batch", [1, 2, 500], ids=["singly", "in pairs", "at once"])
async def test_the_server_merges_as_the_vectors_say(database, batch):
    home = await a_home(database, residents=len(MERGE["fold"]))
    for case, resident in zip(MERGE["fold"], home.residents, strict=True):
        device = Device(database, home.org, (resident.space,), account=UUID(case["by"]))
        ops = [op | {"n": n, "space": str(resident.space)} for n, op in enumerate(case["ops"], 1)]
        results = []
        for start in range(0, len(ops), batch):
            answer = await device.push(*ops[start : start + batch])
            results += [
                {key: getattr(result, key) for key in want}
                for result, want in zip(answer.results, case["results"][start:], strict=False)
            ]
        rows = (await device.pull())[resident.space]

        assert results == case["results"], case["name"]
        assert rows == {
            rec["rec"]: (rec["coll"], rec["seq"], rec["doc"], rec["clk"]) for rec in case["recs"]
        }, case["name"]


@pytest.mark.parametrize("case", named(MERGE["fingerprint"]))
def test_a_fingerprint_counts_what_is_not_deleted(case):
    rows = {
        str(index): ("reminder", row["seq"], {"deleted": row["deleted"]}, {})
        for index, row in enumerate(case["rows"])
    }
    assert fingerprint(rows) == case["check"]


# ────────────────────────────────────────────────── safety

SAFETY_COLLECTIONS = {
    one.name: one
    for one in (
        replace(COLLECTIONS["dose"], write="propose", confirm="confirm"),
        replace(COLLECTIONS["conflict"], write="propose"),
        replace(COLLECTIONS["reminder"], write="propose"),
        replace(COLLECTIONS["completion"], write="propose"),
    )
}
SAFETY_KINDS = {
    "dose": Kind("safety", "propose", "confirm", needs_two="double"),
    "conflict": Kind("set", "propose", people_may=frozenset()),
    "reminder": Kind("set", "propose", text="title"),
    "completion": Kind("event", "propose"),
}


async def test_the_server_decides_about_safety_as_the_vectors_say(database):
    home = await a_home(database)
    # The vectors say the digests of plain values; those of sealed ones depend on the person's key.
    plain = await connect(database.settings.app_url, size=2, keyring=Unsealed())
    database = replace(database, app=plain)
    for case in SAFETY["cases"]:
        space = UUID(case["space"])
        await database.sql(
            "INSERT INTO space (org_id, space_id, kind) VALUES ($1, $2, 'resident')",
            home.org, space,
        )  # fmt: skip
        people = {name: a_person(database, home.org, space, name) for name in SAFETY["people"]}
        for step in case["steps"]:
            at = datetime.fromtimestamp(step["at"] / 1000, UTC)
            answer = await people[step["by"]].push(*step["ops"], now=at)
            missing = {} if answer.missing is UNSET else answer.missing
            assert msgspec.to_builtins(answer.results) == step["verdicts"], case["name"]
            assert missing.get(space, []) == step["missing"], case["name"]
        reader = people["nora"]
        rows = (await reader.pull()).get(space, {})

        assert rows == {
            rec: (coll, seq, doc, clk) for coll, rec, seq, doc, clk in case["final"]["rows"]
        }, case["name"]
        log = await database.sql("SELECT * FROM op WHERE space_id = $1 ORDER BY seq", space)
        assert len(log) == case["final"]["head"], case["name"]
        assert replayed(case["space"], log) == rows, case["name"]
    await plain.close()


def a_person(database, org, space, name):
    who = SAFETY["people"][name]
    return Device(
        database, org, (space,), frozenset(who["words"]), SAFETY_COLLECTIONS,
        account=UUID(who["account"]), id=UUID(who["device"]),
    )  # fmt: skip


@pytest.mark.parametrize("case", named(SAFETY["cases"]))
def test_the_reference_decides_about_safety_as_the_vectors_say(case):
    reference = Reference([case["space"]], SAFETY_KINDS)
    for step in case["steps"]:
        who = SAFETY["people"][step["by"]]
        answer = reference.push(
            Who(who["account"], who["device"], {case["space"]: frozenset(who["words"])}),
            step["ops"],
            step["at"],
        )
        assert answer["results"] == step["verdicts"]
    assert reference.rows_after(case["space"], 0) == case["final"]["rows"]
