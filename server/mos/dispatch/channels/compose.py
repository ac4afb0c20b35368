"""Turns a delivery to a contact into its message."""

from datetime import UTC, datetime

from mos.dispatch.channels.message import Message
from mos.dispatch.channels.words import Kind, clock_time, words
from mos.dispatch.rules import weight
from mos.dispatch.store import Addressed
from mos.kernel.ids import named_id

# What a notice says, and where the app says more, by the first word of its subject.
_NOTICES: dict[str, Kind] = {
    "near": "near", "cap": "cap", "emergency": "emergency", "delegation": "delegation",
}  # fmt: skip
_PLACES = {
    "near": "admin", "cap": "admin", "emergency": "admin/logs", "delegation": "delegeringar",
}  # fmt: skip
_EVENTS = {"taken": "alert.taken", "close": "alert.closed"}


def composed(
    delivery: Addressed, to: str, public_url: str, *, secret: bytes, old_secret: bytes = b""
) -> Message:
    """Return the message of a delivery; the secrets are open, `public_url` is where the app is."""
    opened = delivery.opened_at or delivery.created_at
    time = clock_time(opened, delivery.zone or "UTC", delivery.language)
    said = words(delivery.language, _kind(delivery), time=time)
    return Message(
        id=named_id(delivery.org, f"delivery/{delivery.delivery}"),
        to=to,
        subject=said.subject,
        text=f"{said.text}\n{public_url}/#/{_place(delivery)}",
        data={
            "type": _event(delivery),
            "timestamp": moment(delivery.created_at),
            "data": {
                "space": str(delivery.space),
                "alert": delivery.subject,
                "kind": delivery.alert_kind,
                "step": delivery.step if delivery.kind == "alert" else None,
                "opened_at": moment(opened),
                "taken_by": str(delivery.taken_by) if delivery.taken_by else None,
                "closed_why": delivery.closed_why,
            },
        },
        secret=secret,
        old_secret=old_secret,
    )


def _place(delivery: Addressed) -> str:
    if delivery.kind == "notice":
        return _PLACES[delivery.subject.partition("/")[0]]
    return "larm"


def _kind(delivery: Addressed) -> Kind:
    if delivery.kind == "notice":
        return _NOTICES[delivery.subject.partition("/")[0]]
    if delivery.kind == "close":
        return "close"
    if weight(delivery.ladder or "", delivery.criticality or "") == "critical":
        return "urgent"
    return "again" if delivery.step > 1 else "alert"


def _event(delivery: Addressed) -> str:
    first = "alert.opened" if delivery.step == 1 else "alert.stepped"
    return _EVENTS.get(delivery.kind, first)


def moment(at: datetime) -> str:
    """Return a moment as programs read it: RFC 3339, in UTC."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
