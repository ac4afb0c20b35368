"""What there is of a person, as they read it: in words, names in place of ids, their own times.

Everything is in the data file; this tells what a person can make something of.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from importlib import resources
from typing import Any
from uuid import UUID

import msgspec

from mos.db import Db
from mos.dispatch.channels import words as channels
from mos.kernel.zones import zone
from mos.rights import store
from mos.rights.actions.reading import Count
from mos.rights.model import Language, Readable, Section

# Of what grows with each day so many are told: a document of ten thousand lines nobody reads, and
# to set it takes half a gigabyte.
MOST = 2000

# How wide a column is beside the others, where that is not 2.
_WIDTHS = {"may": 5, "did": 4, "says": 4, "title_of": 3, "note": 3, "reason": 3, "drug": 3}

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_OF_ROWS = frozenset({
    "account", "resident", "resident_past", "relation", "emergency", "device", "session", "contact",
    "duty", "access_log", "rec",
})  # fmt: skip
_OF_RECORDS = frozenset({
    "profile", "reminder", "order", "completion", "retract", "snooze", "help", "allergy",
    "allergy_lowering", "texture", "alert",
})  # fmt: skip


class Gathered:
    """What is read of a person's rows as they go by; the rest stands in the data alone."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.records: dict[str, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
        self.whose: UUID | None = None

    def row(self, table: str, row: dict[str, Any]) -> None:
        """Keep a row, if it is told."""
        if table == "rec":
            if row["coll"] in _OF_RECORDS:
                self.records[row["coll"]].append((str(row["rec_id"]), row["doc"]))
        elif table == "archive":
            # An event is what it was; what was set since stands in its record.
            if row.get("coll") in _OF_RECORDS and row.get("kind") == "event":
                self.records[row["coll"]].append((str(row["rec_id"]), row.get("val") or {}))
        elif table in _OF_ROWS:
            self.rows[table].append(row)


async def readable(  # noqa: PLR0913, PLR0917  of whom, in which words
    db: Db,
    org: UUID,
    account: UUID,
    gathered: Gathered,
    language: Language,
    now: datetime,
    count: Count,
) -> Readable:
    """Return what is read of what was gathered, with the names that people have now."""
    place = await store.place(db, org, account)
    # Of a resident's own rows it is known who they are.
    gathered.whose = account
    residents = {row["space_id"] for row in gathered.rows["relation"] if _runs(row, now)}
    names = _Names(
        people=await store.people(db, org, _accounts_in(gathered)),
        units=await store.units(db, org),
        residents=await store.residents(db, org, residents - {None}),
    )
    telling = _Telling(gathered, names, place, language)
    # Of years it takes a second: what rings does not wait for it.
    return await asyncio.to_thread(telling.told, now, count.rows)


class _Names(msgspec.Struct, frozen=True):
    people: Mapping[UUID, store.Person]
    units: Mapping[UUID, store.Unit]
    residents: Mapping[UUID, str]


def _accounts_in(gathered: Gathered) -> set[UUID]:
    found = {
        row.get(column)
        for rows in gathered.rows.values()
        for row in rows
        for column in ("account_id", "reviewed_by")
    }
    for records in gathered.records.values():
        for _, doc in records:
            found |= {_uuid(doc.get("by")), _uuid((doc.get("taken") or {}).get("by"))}
            found.add(_uuid((doc.get("active") or {}).get("by")))
    return {each for each in found if each is not None}


class _Telling:
    """Tells it in one language, and in the times of one place."""

    def __init__(
        self, gathered: Gathered, names: _Names, place: store.Place, language: Language
    ) -> None:
        self._rows, self._records = gathered.rows, gathered.records
        self._whose = gathered.whose
        self._names, self._place, self._language = names, place, language
        self._words = _catalogue(language)
        self._titles = {
            rec: str(doc.get("title", "")) for rec, doc in self._records["reminder"]
        } | {rec: self._drug(_value(doc)) for rec, doc in self._records["order"]}

    def told(self, now: datetime, rows: int) -> Readable:
        name = next((row["name"] for row in self._rows["account"]), "")
        day, time = self._day(now), self._time(now)
        made = [
            self._section("you", ("what", "says"), self._you()),
            self._section("relations", ("whom", "may", "from", "until", "consent"),
                          self._relations()),
            self._section("helpers", ("who", "may", "from", "until", "consent"), self._helpers()),
            self._section("plan", ("title_of", "when", "category", "note"), self._plan()),
            self._section("orders", ("drug", "dose", "when", "prescriber", "note"), self._orders()),
            self._section("food", ("what", "says", "source", "by"), self._food()),
            self._section("events", ("when", "title_of", "outcome", "note", "by"), self._events()),
            self._section("alerts", ("when", "what", "title_of", "taken", "closed"),
                          self._alerts()),
            self._section("seen", ("day", "who", "did"), self._seen(), note=self._t("seen.note")),
            self._section("emergencies", ("when", "until", "who", "reason", "looked"),
                          self._emergencies()),
            self._section("contacts", ("channel", "address", "label"), self._contacts()),
            self._section("devices", ("name", "added", "seen_last", "ended"), self._devices()),
            self._section("sessions", ("began", "seen_last", "ended"), self._sessions()),
            self._section("duty", ("from", "until", "unit"), self._duty()),
        ]  # fmt: skip
        return Readable(
            language=self._language,
            title=self._t("title", name=name),
            foot=self._t("foot", name=name, day=day, page="{page}", pages="{pages}"),
            about=[
                self._t("about.what", organisation=self._place.name, name=name, day=day, time=time),
                self._t("about.json", rows=str(rows)),
                self._t("about.zone", zone=self._place.zone),
            ],
            sections=[section for section in made if section.rows],
        )

    # ── who they are

    def _you(self) -> Iterator[list[str]]:
        for row in self._rows["account"]:
            yield from self._pairs(
                name=row["name"],
                email=row["email"],
                role=self._word("role", row["role"]),
                language=self._word("language", row["language"]),
                added=self._moment(row["created_at"]),
            )
            if row["quiet_from"] is not None:
                times = (f"{row[each]:%H:%M}" for each in ("quiet_from", "quiet_to"))
                yield [self._t("quiet"), self._span(*times)]
        for row in self._rows["resident"]:
            yield from self._pairs(
                unit=self._unit(row["unit_id"]),
                flat=row["flat"],
                archived=self._moment(row["archived_at"]),
            )
        for row in self._rows["resident_past"]:
            until = f"{self._unit(row['unit_id'])}, {self._moment(row['until'])}"
            yield [self._t("former_unit"), until]
        for _, doc in self._records["profile"]:
            night = doc.get("night") or {}
            yield [self._t("profile.level"), str(doc.get("level", ""))]
            if night:
                yield [self._t("profile.night"), self._span(night.get("from"), night.get("to"))]
            for pause in doc.get("pause") or []:
                days = self._span(pause.get("from"), pause.get("to"))
                yield [self._t("profile.pause"), f"{days} {pause.get('why', '')}".strip()]

    def _pairs(self, **told: str | None) -> Iterator[list[str]]:
        for what, says in told.items():
            if says:
                yield [self._t(what), says]

    def _relations(self) -> Iterator[list[str]]:
        for row in self._rows["relation"]:
            if row["account_id"] != self._whose:
                continue
            if row["space_id"] is None:
                whom = self._unit(row["unit_id"])
            else:
                # Whom somebody helped before is that one's to tell.
                whom = self._names.residents.get(row["space_id"]) or self._t("resident")
            yield [whom, *self._gives(row)]

    def _helpers(self) -> Iterator[list[str]]:
        for row in self._rows["relation"]:
            if row["account_id"] != self._whose:
                yield [self._who(row["account_id"]), *self._gives(row)]

    def _gives(self, row: Mapping[str, Any]) -> list[str]:
        return [
            ", ".join(self._word("permission", each) for each in row["permissions"]),
            self._moment(row["valid_from"]),
            self._moment(row["valid_to"]),
            row["consent"],
        ]

    # ── what is planned

    def _plan(self) -> Iterator[list[str]]:
        live = [doc for _, doc in self._records["reminder"] if not doc.get("deleted")]
        for doc in sorted(live, key=lambda doc: str(doc.get("title", "")).casefold()):
            category = doc.get("label") or self._word("category", str(doc.get("category", "")))
            note = str(doc.get("note") or "")
            yield [str(doc.get("title", "")), self._rule(doc.get("rule")), category, note]

    def _orders(self) -> Iterator[list[str]]:
        for _, doc in self._records["order"]:
            order = _value(doc)
            when = self._rule(order.get("rule"))
            if order.get("kind") == "as_needed":
                when = self._t("as_needed", why=str(order.get("why_needed", "")))
            stopped = order.get("stopped")
            note = [str(order.get("text") or "")]
            if isinstance(stopped, dict):
                at = self._instant(stopped.get("at"))
                note.append(self._t("stopped", day=at, why=str(stopped.get("why", ""))))
            yield [
                self._drug(order),
                f"{order.get('dose', '')} {order.get('unit', '')}".strip(),
                when,
                str(order.get("prescriber") or ""),
                " ".join(each for each in note if each),
            ]

    def _food(self) -> Iterator[list[str]]:
        for _, doc in self._records["allergy"]:
            value = _plain(doc.get("v"))
            severity = self._word("severity", str(value.get("severity", "")))
            yield [
                self._t("allergy"), f"{self._substance(value)} ({severity})",
                str(value.get("source", "")), self._person(doc.get("by")),
            ]  # fmt: skip
        for _, doc in self._records["allergy_lowering"]:
            value = _value(doc)
            to = value.get("to")
            lowered = self._word("severity", str(to)) if to else self._t("none")
            yield [
                self._t("lowering"),
                f"{self._substance(value)}: {lowered}. {value.get('why', '')}".strip(),
                "", self._person((doc.get("active") or {}).get("by")),
            ]  # fmt: skip
        for _, doc in self._records["texture"]:
            value = _value(doc)
            food = _plain(value.get("food"))
            says = self._t(
                "texture.says",
                food=f"{food.get('scale', '')} {food.get('level', self._t('none'))}".strip(),
                drink=str(value.get("drink", self._t("none"))),
            )
            yield [
                self._t("texture"), f"{says}. {value.get('why', '')}".strip(),
                str(value.get("source", "")), self._person((doc.get("active") or {}).get("by")),
            ]  # fmt: skip

    def _substance(self, value: Mapping[str, Any]) -> str:
        key = value.get("key")
        return self._word("allergen", key) if key else str(value.get("word", ""))

    # ── what happened

    def _events(self) -> Iterator[list[str]]:
        undone = {_plain(doc.get("v")).get("of") for _, doc in self._records["retract"]}
        # In the archive and in its record: an event is told once.
        found = {
            rec: (kind, doc)
            for kind in ("completion", "snooze", "help")
            for rec, doc in self._records[kind]
        }
        told = []
        for rec, (kind, doc) in found.items():
            value = _plain(doc.get("v"))
            how = self._how(kind, value)
            if rec in undone:
                how = f"{how} ({self._t('retracted')})"
            note = [str(value.get("note") or ""), str(value.get("amount") or "")]
            by = str(value.get("given_by") or "") or self._person(doc.get("by"))
            told.append((
                str(value.get("at", "")),
                [
                    self._instant(value.get("at")), self._title(value.get("occ")), how,
                    " ".join(each for each in note if each), by,
                ],
            ))  # fmt: skip
        for _, row in sorted(told, key=lambda each: each[0], reverse=True):
            yield row

    def _how(self, kind: str, value: Mapping[str, Any]) -> str:
        if kind == "completion":
            return self._word("st", str(value.get("st", "")))
        if kind == "help":
            return self._word("help", str(value.get("why", "")))
        return self._t("snoozed")

    def _alerts(self) -> Iterator[list[str]]:
        alerts = [(_plain(doc.get("what")), doc) for _, doc in self._records["alert"]]
        for what, doc in sorted(alerts, key=lambda each: str(each[0].get("at")), reverse=True):
            taken, closed = _plain(doc.get("taken")), _plain(doc.get("closed"))
            about = what.get("occ") or what.get("reminder") or what.get("order")
            yield [
                self._instant(what.get("at")),
                self._word("alert", str(what.get("kind", ""))),
                self._title(about),
                self._person(taken.get("by")) if taken else "",
                self._instant(closed.get("at")),
            ]

    def _seen(self) -> Iterator[list[str]]:
        found: dict[tuple[date, UUID], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for row in self._rows["access_log"]:
            what = "medication" if row["class"] in {"medication", "order"} else "day"
            key = self._local(row["at"]).date(), row["account_id"]
            found[key][row["kind"]].add(self._word("class", what))
        for day, account in sorted(found, key=lambda key: (key[0], str(key[1])), reverse=True):
            did = [
                f"{self._word('did', kind)} {' + '.join(sorted(what))}"
                for kind, what in sorted(found[day, account].items())
            ]
            yield [day.isoformat(), self._who(account), "; ".join(did)]

    def _emergencies(self) -> Iterator[list[str]]:
        for row in self._rows["emergency"]:
            outcome = self._word("outcome", row["outcome"]) if row["outcome"] else ""
            yield [
                self._moment(row["at"]), self._moment(row["until"]),
                self._person(row["account_id"]), row["reason"],
                " ".join(each for each in (outcome, row["note"]) if each),
            ]  # fmt: skip

    # ── how they are reached, and where they are signed in

    def _contacts(self) -> Iterator[list[str]]:
        for row in self._rows["contact"]:
            yield [str(row["channel"]), str(row["address"] or ""), str(row["label"] or "")]

    def _devices(self) -> Iterator[list[str]]:
        for row in self._rows["device"]:
            moments = (row["created_at"], row["seen_at"], row["revoked_at"])
            yield [row["name"], *map(self._moment, moments)]

    def _sessions(self) -> Iterator[list[str]]:
        for row in sorted(self._rows["session"], key=lambda row: row["created_at"], reverse=True):
            ended = row["revoked_at"] or row["expires_at"]
            yield [*map(self._moment, (row["created_at"], row["seen_at"], ended))]

    def _duty(self) -> Iterator[list[str]]:
        for row in sorted(self._rows["duty"], key=lambda row: row["from_at"], reverse=True):
            times = map(self._moment, (row["from_at"], row["to_at"]))
            yield [*times, self._unit(row["unit_id"])]

    # ── in words

    def _section(
        self, what: str, columns: Sequence[str], rows: Iterable[list[str]], *, note: str = ""
    ) -> Section:
        told = list(rows)
        if len(told) > MOST:
            told = told[:MOST]
            note = f"{note} {self._t('older', n=str(MOST))}".strip()
        widths = [_WIDTHS.get(each, 2) for each in columns]
        return Section(self._t(what), note, [self._t(each) for each in columns], widths, told)

    def _rule(self, rule: Any) -> str:
        rule = _plain(rule)
        match rule.get("kind"):
            case "once":
                when = str(rule.get("at", "")).replace("T", " ")
            case "weekly":
                when = self._t("rule.at", days=self._days(rule), times=_times(rule)).strip()
                every = rule.get("every", 1)
                if every != 1:
                    when = f"{when}, {self._t('rule.every', n=str(every))}"
            case "rrule":
                recurrence = self._t("rule.rrule", rrule=str(rule.get("rrule", "")))
                when = f"{recurrence} {_times(rule)}"
            case "interval":
                every = str(rule.get("every", "")).removeprefix("PT").lower()
                span = self._span(rule.get("from"), rule.get("to"))
                when = self._t("rule.interval", span=span, every=every)
            case _:
                return ""
        if rule.get("end"):
            when = f"{when}, {self._t('rule.until', day=str(rule['end']))}"
        return when

    def _days(self, rule: Mapping[str, Any]) -> str:
        days = rule.get("days") or []
        if len(days) == len(_DAYS):
            return self._t("rule.every_day")
        return ", ".join(self._word("day", day) for day in _DAYS if day in days)

    def _drug(self, order: Mapping[str, Any]) -> str:
        parts = (order.get("drug"), order.get("strength"), order.get("form"))
        return " ".join(str(part) for part in parts if part)

    def _title(self, occ: Any) -> str:
        return self._titles.get(str(occ).partition("@")[0], "") if occ else ""

    def _person(self, account: Any) -> str:
        found = self._names.people.get(_uuid(account) or UUID(int=0))
        return found.name if found else self._t("nobody")

    def _who(self, account: UUID) -> str:
        found = self._names.people.get(account)
        return f"{found.name}, {self._word('role', found.role)}" if found else self._t("nobody")

    def _unit(self, unit: UUID | None) -> str:
        found = self._names.units.get(unit) if unit else None
        return found.name if found else ""

    def _instant(self, text: Any) -> str:
        """Return a record's moment in words; what is none as it stands there."""
        if not text:
            return ""
        try:
            return self._moment(datetime.fromisoformat(str(text)))
        except ValueError:
            return str(text)

    def _moment(self, at: datetime | None) -> str:
        return f"{self._day(at)} {self._time(at)}" if at is not None else ""

    def _day(self, at: datetime) -> str:
        return channels.day(at, self._place.zone, self._language)

    def _time(self, at: datetime) -> str:
        return channels.clock_time(at, self._place.zone, self._language)

    def _local(self, at: datetime) -> datetime:
        return at.astimezone(zone(self._place.zone))

    def _span(self, since: Any, until: Any) -> str:
        return self._t("span", since=str(since or ""), until=str(until or ""))

    def _t(self, key: str, **parts: str) -> str:
        return self._words[key].format(**parts)

    def _word(self, of: str, value: str) -> str:
        """Return the word for a value; one that nobody knows stays as it is."""
        return self._words.get(f"{of}.{value}", value)


def _value(doc: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what holds of a safety record."""
    return _plain(_plain(doc.get("active")).get("v"))


def _plain(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _times(rule: Mapping[str, Any]) -> str:
    return ", ".join(str(time) for time in rule.get("times") or [])


def _runs(row: Mapping[str, Any], now: datetime) -> bool:
    return row["valid_to"] is None or bool(row["valid_to"] > now)


def _uuid(value: Any) -> UUID | None:
    if isinstance(value, UUID):
        return value
    try:
        return UUID(str(value))
    except ValueError:
        return None


@cache
def _catalogue(language: Language) -> dict[str, str]:
    text = resources.files("mos.rights.templates").joinpath(f"words/{language}.json").read_bytes()
    return msgspec.json.decode(text, type=dict[str, str])
