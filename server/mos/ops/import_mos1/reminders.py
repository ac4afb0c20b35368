"""What an earlier MOS was to remind of, as reminders of this one. Pure.

There a reminder was a moment, or weekdays by clock times; it rang for nobody, nobody said "done",
and what it was of stood in its note.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Literal

from mos.care.model import Role
from mos.kernel.zones import wall_time
from mos.ops.import_mos1.model import Finding, NewAccount, NewRecord, OldReminder, Weight
from mos.ops.import_mos1.people import words_of

_DAYS = {
    name.casefold(): day
    for day, names in {
        "mon": ("Mån", "Måndag", "Mon", "Monday"),
        "tue": ("Tis", "Tisdag", "Tue", "Tuesday"),
        "wed": ("Ons", "Onsdag", "Wed", "Wednesday"),
        "thu": ("Tor", "Torsdag", "Thu", "Thursday"),
        "fri": ("Fre", "Fredag", "Fri", "Friday"),
        "sat": ("Lör", "Lördag", "Sat", "Saturday"),
        "sun": ("Sön", "Söndag", "Sun", "Sunday"),
    }.items()
    for name in names
}
_ORDER = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3])[:.]([0-5][0-9])(?::00)?")
_LABEL = re.compile(r"\*([^*]+)\*(.*)")
_BLANK = " \t\r\n"

_TITLE, _NOTE, _OWN_WORD = 80, 400, 40

# By the earlier word: category, what it is called here, and what the plan's editor begins with:
# picture, minutes, whether somebody says "Klar", and how much hangs on it (pwa/src/plan/editor).
_USUAL: dict[str, tuple[str, dict[str, str], str, int, bool, str]] = {
    "MEAL": ("meal", {"sv": "Måltid", "en": "Meal", "fi": "Ateria"}, "meal", 30, True, "important"),
    "MEDICATION": (
        "medication", {"sv": "Medicin", "en": "Medicine", "fi": "Lääke"},
        "medication", 0, True, "critical",
    ),
    "EXERCISE": (
        "movement", {"sv": "Rörelse", "en": "Movement", "fi": "Liikunta"},
        "walk", 30, True, "normal",
    ),
    "REST": ("rest", {"sv": "Vila", "en": "Rest", "fi": "Lepo"}, "rest", 45, False, "normal"),
    "MEETING": (
        "meeting", {"sv": "Möte", "en": "Meeting", "fi": "Tapaaminen"},
        "meeting", 60, False, "important",
    ),
    "SHOWER": (
        "hygiene", {"sv": "Dusch", "en": "Shower", "fi": "Suihku"},
        "shower", 30, True, "normal",
    ),
    "CLEANING": (
        "cleaning", {"sv": "Städning", "en": "Cleaning", "fi": "Siivous"},
        "cleaning", 30, True, "normal",
    ),
    "OTHER": (
        "other", {"sv": "Påminnelse", "en": "Reminder", "fi": "Muistutus"},
        "", 30, True, "normal",
    ),
}  # fmt: skip


def reminders(
    rows: Iterable[OldReminder],
    people: Mapping[Any, NewAccount],
    *,
    zone: str,
    language: Literal["sv", "en", "fi"],
    now: datetime,
) -> tuple[list[NewRecord], list[Finding]]:
    """Return the reminders to write. `zone` is the home's: the earlier MOS knew none.

    A moment before `now` is past and stays behind; a weekly one begins on the day of `now` there.
    """
    records: list[NewRecord] = []
    findings: list[Finding] = []
    today = date.fromisoformat(wall_time(now, zone)[:10])
    for row in rows:
        if row.user not in people:
            # An example's, or of somebody whom a finding names.
            continue
        told = (row.note or "").strip(_BLANK)
        if people[row.user].role is not Role.RESIDENT:
            findings.append(_about(row, "dropped", "no_resident", text=told))
            continue
        rule, more = _rule(row, zone, now, today)
        findings += more
        if rule is not None:
            groups, more = _groups(row, language)
            records.append(NewRecord(row.user, "reminder", {**groups, "rule": rule}))
            findings += more
    return records, findings


# ───────────────────────────────────────────────────────────── when
def _rule(
    row: OldReminder, zone: str, now: datetime, today: date
) -> tuple[dict[str, Any] | None, list[Finding]]:
    told = (row.note or "").strip(_BLANK)
    if row.kind.strip().lower() != "once":
        return _weekly(row, zone, today)
    if row.at is None:
        return None, [_about(row, "dropped", "once_without_time", text=told)]
    at = wall_time(row.at, zone)[:16]
    if row.at < now:
        return None, [_about(row, "note", "past", text=told, at=at)]
    # Saving one unchanged moved it by the zone's offset there; nobody can tell which were saved.
    moved = _about(row, "check", "once_may_have_moved", text=told, at=at)
    return {"zone": zone, "kind": "once", "at": at}, [moved]


def _weekly(
    row: OldReminder, zone: str, today: date
) -> tuple[dict[str, Any] | None, list[Finding]]:
    told = (row.note or "").strip(_BLANK)
    said = {key: words_of(row.recurrence, key) for key in ("days", "times")}
    days, odd_days = _read(said["days"], lambda word: _DAYS.get(word.strip(". ").casefold()))
    times, odd_times = _read(said["times"], _clock)
    when = {"days": ", ".join(said["days"]) or "-", "times": ", ".join(said["times"]) or "-"}
    if not days or not times:
        return None, [_about(row, "dropped", "no_when", text=told, **when)]
    findings = []
    if odd_days or odd_times:
        odd = ", ".join((*odd_days, *odd_times))
        findings.append(_about(row, "check", "odd_when", text=told, odd=odd))
    if row.kind.strip().lower() != "recurring":
        findings.append(_about(row, "check", "odd_kind", text=told, kind=row.kind))
    rule = {
        "zone": zone,
        "kind": "weekly",
        "days": [day for day in _ORDER if day in days],
        "times": sorted(times),
        "start": today.isoformat(),
    }
    return rule, findings


def _read(words: Iterable[str], known: Any) -> tuple[set[str], list[str]]:
    found, odd = set(), []
    for word in words:
        value = known(word)
        if value is None:
            odd.append(word)
        else:
            found.add(value)
    return found, odd


def _clock(word: str) -> str | None:
    match = _CLOCK.fullmatch(word.strip(_BLANK))
    return f"{int(match[1]):02d}:{match[2]}" if match else None


# ───────────────────────────────────────────────────────────── what
def _groups(row: OldReminder, language: str) -> tuple[dict[str, Any], list[Finding]]:
    findings = []
    usual = _USUAL.get(row.category.strip().upper())
    category, names, symbol, minutes, checkable, criticality = usual or _USUAL["OTHER"]
    label, rest = _labelled(row.note or "")
    own_word = label
    if usual is None:
        # The plan shows an own word, so nothing of what was meant is lost.
        own_word = row.category.strip(_BLANK)
        findings.append(_about(row, "check", "category", category=row.category, text=rest))
    if category == "medication":
        findings.append(_about(row, "check", "medicine", text=rest or names[language]))
    title, note = _title(label, rest, names[language])
    whole = len(title) <= _TITLE and len(note) <= _NOTE
    if not whole:
        findings.append(_about(row, "check", "too_long", text=(row.note or "").strip(_BLANK)))
    groups = {
        "title": title[:_TITLE].strip(_BLANK),
        "category": category,
        "label": own_word[:_OWN_WORD].strip(_BLANK) if category == "other" else "",
        "symbol": symbol,
        "note": note[:_NOTE].strip(_BLANK),
        "minutes": minutes,
        "checkable": checkable,
        "grace": None,
        "criticality": criticality,
        "ring": {"start": True, "again": checkable, "before": None},
        "deleted": False,
    }
    return groups, findings


def _labelled(note: str) -> tuple[str, str]:
    """Return the label that was hidden in a note as `*label*rest`, and the rest."""
    text = note.strip(_BLANK)
    first, line_end, others = text.partition("\n")
    match = _LABEL.fullmatch(first.rstrip("\r"))
    if match is None or not match[1].strip(_BLANK):
        return "", text
    return match[1].strip(_BLANK), f"{match[2]}{line_end}{others}".strip(_BLANK)


def _title(label: str, rest: str, usual: str) -> tuple[str, str]:
    """Return a title and a note: a label is a title, and so is a note of one short line."""
    if label:
        return label, rest
    if not rest:
        return usual, ""
    if "\n" not in rest and len(rest) <= _TITLE:
        return rest, ""
    return usual, rest


def _about(row: OldReminder, weight: Weight, code: str, **more: str) -> Finding:
    return Finding(weight, code, row.id, row.user, more)
