"""Orders of medicine in the engine's world: written, and given."""

from mos.kernel.ids import new_id

EVERY_DAY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def order(*times, **more):
    return {
        "drug": "Metoprolol", "strength": "50 mg", "form": "tablett", "dose": "1",
        "unit": "tablett", "route": "oral", "kind": "times", "from": "2026-01-01", "until": None,
        "prescriber": "", "text": "", "double": False, "critical": False, "window": None,
        "stopped": None,
        "rule": {
            "zone": "Europe/Stockholm", "kind": "weekly", "days": EVERY_DAY,
            "times": list(times), "start": "2026-01-01",
        },
    } | more  # fmt: skip


async def propose(world, v, *, rec=None, base=None, verdict="applied", by=None, **more):
    """Let the caregiver's account, whom this world lets do everything, write an order."""
    rec, op = rec or new_id(world.now), new_id(world.now)
    await world.push(
        {
            "op": op, "k": "safety", "space": world.home.resident.medication, "coll": "order",
            "rec": rec, "base": base, "trunk": base, "v": v,
        } | more,
        by=by or world.home.caregiver,
        verdict=verdict,
    )  # fmt: skip
    return rec, op


async def given(world, occ, *, st="done", by=None, **more):
    space = world.home.resident.medication
    return await world.say("completion", by=by, space=space, occ=occ, st=st, **more)
