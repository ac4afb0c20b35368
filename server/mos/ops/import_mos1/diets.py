"""What somebody could not eat in an earlier MOS, as allergies of this one. Pure.

There it was a list of words: no severity, and nothing that told an allergy from a wish. What is
unknown stays unknown and the safe way is taken: it counts as an allergy until somebody who knows
lowers it.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal

from mos.care.model import Role
from mos.ops.import_mos1.model import Diet, Finding, NewAccount, NewRecord, Weight

_GLUTEN = ("WHEAT", "RYE", "BARLEY", "OATS", "SPELT", "KHORASAN", "EMMER", "EINKORN")
_NUTS = (
    "ALMONDS", "HAZELNUTS", "WALNUTS", "CASHEWS", "PECANS", "BRAZIL_NUTS", "PISTACHIOS",
    "MACADAMIA",
    # "Nötfri" says of peanuts nothing: taken along, as the safe way.
    "PEANUTS",
)  # fmt: skip
# By what the list offered; the rest was typed.
_SUBSTANCES: dict[str, tuple[tuple[str, ...], str]] = {
    "glutenfri": (_GLUTEN, "allergy"),
    "laktosfri": (("MILK",), "intolerance"),
    "äggfri": (("EGGS",), "allergy"),
    "nötfri": (_NUTS, "allergy"),
}
_WISHES = {
    "vegetarisk": "Vegetarisk",
    "vegansk": "Vegansk",
    "prescetarian": "Pescetariansk",
    "halal": "Halal",
    "kosher": "Kosher",
    "diabetesanpassad": "Diabetesanpassad",
    "fodmap": "FODMAP",
}
_SOURCE = {
    "sv": "Tidigare MOS: {text}",
    "en": "Earlier MOS: {text}",
    "fi": "Aiempi MOS: {text}",
}
_LONGEST_WORD, _LONGEST_SOURCE = 60, 120


def diets(
    rows: Iterable[Diet],
    people: Mapping[Any, NewAccount],
    *,
    language: Literal["sv", "en", "fi"],
    now: datetime,
) -> tuple[list[NewRecord], list[Finding]]:
    """Return the allergies to write, each once for a resident."""
    records: list[NewRecord] = []
    findings: list[Finding] = []
    seen: set[tuple[Any, str]] = set()
    at = now.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    for row in rows:
        text = " ".join((row.text or "").split())
        if row.user not in people or (row.user, text.lower()) in seen:
            continue
        seen.add((row.user, text.lower()))
        if people[row.user].role is not Role.RESIDENT:
            findings.append(_about(row, "dropped", "diet_no_resident", text=text))
        elif text.lower() in {"", "annat"}:
            findings.append(_about(row, "dropped", "diet_says_nothing", text=text))
        else:
            substances, finding = _read(row, text)
            source = _SOURCE[language].format(text=text)[:_LONGEST_SOURCE]
            records += [
                NewRecord(row.user, "allergy", {"v": {**each, "source": source, "at": at}})
                for each in substances
            ]
            findings.append(finding)
    return records, findings


def _read(row: Diet, text: str) -> tuple[list[dict[str, str]], Finding]:
    known = _SUBSTANCES.get(text.lower())
    if known is not None:
        keys, severity = known
        finding = _about(row, "check", "diet_severity", text=text, severity=severity)
        return [{"key": key, "severity": severity} for key in keys], finding
    wish = _WISHES.get(text.lower())
    if wish is not None:
        finding = _about(row, "note", "diet_wish", text=text)
        return [{"word": wish, "severity": "preference"}], finding

    finding = _about(row, "check", "diet_typed", text=text)
    return [{"word": text[:_LONGEST_WORD].strip(), "severity": "allergy"}], finding


def _about(row: Diet, weight: Weight, code: str, **more: str) -> Finding:
    return Finding(weight, code, row.id, row.user, more)
