"""Why an op cannot be taken, whatever its space holds."""

from uuid import UUID

from mos.ops.sim.reference.space import Json, Kind

_KINDS = {"set": "set", "event": "event", "safety": "safety", "resolve": "safety"}


def own_refusal(op: Json, kind: Kind | None, words: frozenset[str], schema: int) -> Json | None:
    """Return why an op cannot be taken whatever its space holds, or None."""
    if kind is None:
        return result_of(op, "invalid", code="unknown_collection", path="coll")
    if kind.kind != _KINDS[op["k"]]:
        return result_of(op, "invalid", code="kind", path="k")
    if (kind.confirm if op["k"] == "resolve" else kind.write) not in words:
        return result_of(op, "forbidden", code="permission")
    refusal = _refusal_of_groups(op, kind) or _refusal_of_app(op, kind, schema)
    is_named = op["k"] != "resolve" and UUID(rec_of(op)).version == 5
    if refusal is None and is_named:
        # No collection here has names of its own.
        return result_of(op, "invalid", code="named", path="op" if op["k"] == "event" else "rec")
    return refusal


def _refusal_of_app(op: Json, kind: Kind, schema: int) -> Json | None:
    # It could not show what it changes; of everything else it writes what it always wrote.
    if kind.kind == "safety" and schema < kind.min_push:
        return result_of(op, "invalid", code="schema", path="coll")
    return None


def _refusal_of_groups(op: Json, kind: Kind) -> Json | None:
    if op["k"] == "resolve" and op["choose"] not in (op["base"], *op["seen"]):
        return result_of(op, "invalid", code="not_seen", path="choose")
    groups = op["f"] if op["k"] == "set" else {}
    if kind.people_may is not None and groups.keys() - kind.people_may:
        return result_of(op, "forbidden", code="group", path=min(groups.keys() - kind.people_may))
    if kind.text is not None and not isinstance(groups.get(kind.text, ""), str):
        return result_of(op, "invalid", code="invalid", path=kind.text)
    return None


def rec_of(op: Json) -> str:
    """Return the record that an op writes."""
    rec: str = op["op"] if op["k"] == "event" else op["rec"]
    return rec


def result_of(op: Json, verdict: str, **more: object) -> Json:
    """Return the answer to one op."""
    return {"op": op["op"], "s": verdict} | more
