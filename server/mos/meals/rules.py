"""Which allergies count. Pure.

The app counts alike: pwa/src/meals/allergy.ts, spec/vectors/allergy.json.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from mos.meals.model import SEVERITIES, name_of


def what_counts(
    allergies: Mapping[str, dict[str, Any]], lowerings: Iterable[dict[str, Any]]
) -> dict[str, str]:
    """Return the severity that counts for each substance that has one, by its name.

    `allergies` are the values of all allergies ever written down, by record; `lowerings` the active
    values of what was decided about them. An allergy that no decision covers counts, whatever was
    decided before it arrived: of several the severest. Nothing else ever takes one away.
    """
    decided = {name_of(v): v for v in lowerings}
    found: dict[str, str] = {}
    for rec, v in allergies.items():
        name = name_of(v)
        if rec not in decided.get(name, {}).get("covers", ()):
            found[name] = severest(found.get(name), str(v.get("severity")))
    for name, v in decided.items():
        if v.get("to") is not None:
            found[name] = severest(found.get(name), v["to"])
    return dict(sorted(found.items()))


def severest(one: str | None, other: str) -> str:
    """Return the more severe of two; a word of a later release counts as the worst."""
    return max(one or SEVERITIES[0], other, key=_rank)


def _rank(severity: Any) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)
