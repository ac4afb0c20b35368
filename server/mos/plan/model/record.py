"""How records of the plan are checked: exact shapes; a refusal names the place, not the value."""

import re
from datetime import date, datetime
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from mos.kernel.errors import Invalid

Shape = TypeVar("Shape")

Day = date
Clock = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z")]
Minutes = Annotated[int, Meta(ge=0, le=1440)]
Moment = Annotated[datetime, Meta(tz=True)]
# The reminder's id and the scheduled wall time.
Occ = Annotated[
    str,
    Meta(
        pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
        r"@[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}\Z"
    ),
]

_PLACE = re.compile(r" - at `\$\.?(?P<path>[^`]*)`\Z")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>[^`]{1,64})`")
_MISSING = re.compile(r"Object missing required field `(?P<name>[^`]{1,64})`")


def shaped(value: Any, shape: type[Shape]) -> Shape:
    """Return decoded JSON as `shape`. Raises Invalid with the `field` that is wrong."""
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        field = _field(str(error))
        raise Invalid(f"{field or 'it'} is not as a record has it", field=field) from None


def _field(message: str) -> str | None:
    place = _PLACE.search(message)
    path = place["path"] if place else ""
    named = _UNKNOWN.search(message) or _MISSING.search(message)
    parts = [path, named["name"] if named else ""]
    return ".".join(part for part in parts if part) or None


def require_order(first: Any, then: Any, *, field: str) -> None:
    """Raise Invalid unless `first` ≤ `then`."""
    if then < first:
        raise Invalid(f"{field} runs backwards", field=field, code="backwards")
