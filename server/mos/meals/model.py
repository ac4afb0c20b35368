"""What a resident cannot eat, and how food must be, as records hold it (docs/records.md).

The app judges alike in pwa/src/meals/allergy.ts; spec/vectors/allergy.json holds the two together.
"""

import re
from typing import Any

from mos.kernel.errors import Invalid

# The substances of Regulation (EU) 1169/2011, annex II, with cereals and tree nuts by their kinds.
KEYS = (
    "WHEAT", "RYE", "BARLEY", "OATS", "SPELT", "KHORASAN", "EMMER", "EINKORN",
    "CRUSTACEANS", "EGGS", "FISH", "PEANUTS", "SOY", "MILK",
    "ALMONDS", "HAZELNUTS", "WALNUTS", "CASHEWS", "PECANS", "BRAZIL_NUTS", "PISTACHIOS",
    "MACADAMIA",
    "CELERY", "MUSTARD", "SESAME", "SULPHITES", "LUPINS", "MOLLUSCS",
)  # fmt: skip
# The mildest first.
SEVERITIES = ("preference", "intolerance", "allergy", "anaphylaxis")

_BLANK = " \t\r\n\u00a0"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?Z")
_MOST_COVERED = 500


def name_of(v: dict[str, Any]) -> str:
    """Return what an allergy is of: one of the keys, or a person's own word in small letters."""
    return v["key"] if "key" in v else str(v["word"]).strip(_BLANK).lower()


def check_allergy(groups: dict[str, Any]) -> None:
    """Pass an allergy. Raises Invalid."""
    v = _fields(groups, {"severity", "source", "at"}, {"key", "word"})
    _substance(v)
    _one_of(v, "severity", SEVERITIES)
    _text(v, "source", 0, 120)
    if not isinstance(v["at"], str) or not _MOMENT.fullmatch(v["at"]):
        raise _wrong("at", "malformed")


def check_lowering(groups: dict[str, Any]) -> None:
    """Pass a decision that less counts than was once written down. Raises Invalid."""
    v = _fields(groups, {"covers", "to", "why"}, {"key", "word"})
    _substance(v)
    covers = v["covers"]
    if not isinstance(covers, list) or not all(_is_id(each) for each in covers):
        raise _wrong("covers", "malformed")
    if not covers:
        raise _wrong("covers", "empty")
    if len(covers) > _MOST_COVERED:
        raise _wrong("covers", "too_many")
    if v["to"] is not None:
        _one_of(v, "to", SEVERITIES)
    _text(v, "why", 1, 400)


def check_texture(groups: dict[str, Any]) -> None:
    """Pass how thick drinks and how soft food must be. Raises Invalid."""
    v = _fields(groups, {"food", "drink", "source", "why"}, set())
    food = v["food"]
    if food is not None:
        if not isinstance(food, dict) or food.keys() != {"scale", "level"}:
            raise _wrong("food", "malformed")
        if food["scale"] != "iddsi":
            raise _wrong("food.scale", "unknown")
        _level(food["level"], "food.level", 7)
    if v["drink"] is not None:
        _level(v["drink"], "drink", 4)
    _text(v, "source", 0, 120)
    _text(v, "why", 1, 400)


def _fields(groups: dict[str, Any], needed: set[str], others: set[str]) -> dict[str, Any]:
    v = groups.get("v")
    if not isinstance(v, dict):
        raise Invalid("v is not as a record has it", field="v", code="malformed")
    for field in sorted(needed - v.keys()):
        raise _wrong(field, "missing")
    for field in sorted(v.keys() - needed - others):
        raise _wrong(field[:40], "unknown")
    return v


def _substance(v: dict[str, Any]) -> None:
    if ("key" in v) == ("word" in v):
        raise _wrong("key", "missing" if "key" not in v else "unknown")
    if "key" in v:
        _one_of(v, "key", KEYS)
    else:
        _text(v, "word", 1, 60)


def _one_of(v: dict[str, Any], field: str, words: tuple[str, ...]) -> None:
    if not isinstance(v[field], str) or v[field] not in words:
        raise _wrong(field, "unknown")


def _text(v: dict[str, Any], field: str, least: int, most: int) -> None:
    if not isinstance(v[field], str):
        raise _wrong(field, "malformed")
    if least and not v[field].strip(_BLANK):
        raise _wrong(field, "empty")
    if len(v[field]) > most:
        raise _wrong(field, "too_long")


def _level(value: Any, field: str, most: int) -> None:
    # True is an int to Python.
    if type(value) is not int or not 0 <= value <= most:
        raise _wrong(field, "out_of_range")


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and _UUID.fullmatch(value) is not None


def _wrong(field: str, code: str) -> Invalid:
    return Invalid(f"v.{field} is {code.replace('_', ' ')}", field=f"v.{field}", code=code)
