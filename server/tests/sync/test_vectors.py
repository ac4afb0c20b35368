"""The vectors that the app runs too: clocks and the merge, the latter against PostgreSQL."""

import json
from pathlib import Path
from uuid import UUID

import pytest
from builders import a_home
from devices import Device, fingerprint

from mos.sync import hlc

VECTORS = Path(__file__).parents[3] / "spec" / "vectors"
CLOCKS = json.loads((VECTORS / "hlc.json").read_text())
MERGE = json.loads((VECTORS / "merge.json").read_text())


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
