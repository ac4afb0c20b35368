"""Looks at every line of the day: what must hold, said anew and apart from the engine's rules."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from asyncpg.connection import Connection

from mos.dispatch.rules.transitions import MOVES
from mos.kernel.ids import named_id
from mos.ops.sim.ring.people import Act, People, Planned

_ENDS = {"closed", "missed", "paused", "cancelled"}
_LEGAL = {(before.value, after.value) for before, _, after in MOVES}

# Every move of every occurrence, kept by the database itself, whoever makes it.
HISTORY = """
CREATE TABLE sim_history (
  n bigint GENERATED ALWAYS AS IDENTITY, space_id uuid, occ text, before text, after text);
CREATE FUNCTION sim_history() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO sim_history (space_id, occ, before, after)
    VALUES (NEW.space_id, NEW.occ, NULL, NEW.state);
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO sim_history (space_id, occ, before, after)
    VALUES (OLD.space_id, OLD.occ, OLD.state, NULL);
  ELSIF OLD.state <> NEW.state THEN
    INSERT INTO sim_history (space_id, occ, before, after)
    VALUES (NEW.space_id, NEW.occ, OLD.state, NEW.state);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER sim_history AFTER INSERT OR UPDATE OR DELETE ON occurrence
  FOR EACH ROW EXECUTE FUNCTION sim_history();
"""

_OVERDUE = """
SELECT 'due ' || occ AS what FROM due WHERE first_at <= $1
UNION ALL SELECT 'occurrence ' || occ FROM occurrence WHERE next_at <= $1
UNION ALL SELECT 'alert ' || alert_id FROM alert WHERE next_at <= $1
UNION ALL SELECT 'delivery ' || channel || ' ' || subject FROM delivery WHERE next_at <= $1
UNION ALL SELECT 'on its way: ' || subject FROM delivery WHERE state = 'attempted'
UNION ALL SELECT 'unrecorded alert ' || alert_id FROM alert WHERE unrecorded LIMIT 5
"""


@dataclass(frozen=True)
class Fault:
    """Something that does not hold: which promise, and where."""

    promise: str
    what: str

    def __str__(self) -> str:
        """Return both."""
        return f"{self.promise}: {self.what}"


async def overdue(db: "Connection[Any]", now: datetime) -> list[Fault]:
    """Return what should have happened by now, asked while everything is whole."""
    return [Fault("late although whole", row["what"]) for row in await db.fetch(_OVERDUE, now)]


async def look(
    db: "Connection[Any]",
    people: People,
    calms: list[datetime],
    upset: list[tuple[datetime, datetime]],
) -> list[Fault]:
    """Return everything that does not hold at the end of the day.

    `calms` are moments by which everything that was due had to be told; in `upset` stretches a
    worker may have stood still with a message in its hand.
    """
    ledger = {row["occ"]: dict(row) for row in await db.fetch("SELECT * FROM occurrence")}
    book = _Book(people, ledger, calms, upset)
    return [
        *(Fault("refused", what) for what in people.refused),
        *(Fault("wrong message", what) for what in people.service.wrong),
        *histories(await db.fetch("SELECT * FROM sim_history ORDER BY n")),
        *book.ends(),
        *book.told(),
        *book.nobody_is_rung_in_vain(),
        *await _alerts(db, people),
        *await _deliveries(db, book, people),
    ]


def histories(rows: list[Any]) -> list[Fault]:
    """Return where an occurrence was begun twice, moved as it may not, or was forgotten."""
    found: list[Fault] = []
    state: dict[tuple[UUID, str], str | None] = {}
    for row in rows:
        name = row["space_id"], row["occ"]
        if row["before"] is None:
            if name in state:
                found.append(Fault("begun twice", row["occ"]))
        elif row["after"] is None:
            found.append(Fault("forgotten", row["occ"]))
        elif state.get(name) != row["before"] or (row["before"], row["after"]) not in _LEGAL:
            found.append(Fault("illegal move", f"{row['occ']}: {row['before']} → {row['after']}"))
        state[name] = row["after"]
    return found


class _Book:
    def __init__(
        self,
        people: People,
        ledger: dict[str, dict[str, Any]],
        calms: list[datetime],
        upset: list[tuple[datetime, datetime]],
    ) -> None:
        self._people = people
        self._ledger = ledger
        self._calms = calms
        self._upset = upset
        self._tablets = {tablet.spaces[0]: tablet for tablet in people.home.tablets}
        self._first: dict[tuple[str, str, str], datetime] = {}
        self._helpers: dict[str, set[UUID]] = {
            phone.subscription: set(phone.spaces)
            for phone in people.home.phones
            if phone.subscription
        }
        self._alerted: dict[str, datetime] = {}
        for heard in people.service.heard:
            self._first.setdefault((heard.subscription, heard.kind, heard.subject), heard.at)
            if heard.kind == "alert" and heard.subscription in self._helpers:
                self._alerted.setdefault(heard.subject, heard.at)

    def _is_plain(self, each: Planned) -> bool:
        """Whether nobody changed the plan of it: then only one end is right."""
        return each.reminder not in self._people.replanned and each.space not in self._people.paused

    def _answers(self, occ: str) -> list[Act]:
        """Return the answers that count, the first one first."""
        return sorted(
            (
                act
                for act in self._people.acts.get(occ, [])
                if act.coll == "completion" and str(act.op) not in self._people.acts
            ),
            key=lambda act: (act.said_at, act.op),
        )

    def ends(self) -> list[Fault]:
        """Return the occurrences that were planned and have not the one end that they must have."""
        found = []
        for occ, each in self._people.planned.items():
            row = self._ledger.get(occ)
            if row is None:
                if self._is_plain(each):
                    found.append(Fault("never begun", occ))
                continue
            answers = self._answers(occ)
            if row["state"] not in _ENDS or row["next_at"] is not None:
                found.append(Fault("without an end", f"{occ} is {row['state']}"))
            elif answers:
                if row["state"] != "closed" or row["closed_by"] != answers[0].op:
                    found.append(Fault("answer lost", f"{occ} is {row['state']}, {answers[0]}"))
            elif self._is_plain(each) and not self._ended_unanswered(each, row):
                found.append(Fault("wrong end", f"{occ} is {row['state']} {row['outcome']}"))
        return found

    @staticmethod
    def _ended_unanswered(each: Planned, row: dict[str, Any]) -> bool:
        if row["state"] == "missed":
            return True
        return not each.checkable and row["outcome"] == "shown"

    def told(self) -> list[Fault]:
        """Return what did not ring, or came to nobody, by the next calm moment."""
        found = []
        for each in self._people.planned.values():
            if not self._is_plain(each):
                continue
            found += self._rang_in_time(each)
            if each.checkable:
                found += self._alerted_in_time(each)
        return found

    def _rang_in_time(self, each: Planned) -> list[Fault]:
        name = self._tablets[each.space].subscription
        calm = self._next_calm(each.at)
        if (
            name is None
            or name in self._people.service.gone
            or calm is None
            or calm >= each.at + each.grace
            or self._acted(each.occ, calm)
        ):
            return []
        heard = self._first.get((name, "ring", each.occ))
        if heard is not None and heard <= calm:
            return []
        return [Fault("not rung in time", f"{each.occ}: {heard}, whole at {calm}")]

    def _alerted_in_time(self, each: Planned) -> list[Fault]:
        calm = self._next_calm(each.at + each.grace)
        alert = str(named_id(each.space, f"alert/{each.occ}"))
        if calm is None or alert in self._people.handled or self._acted(each.occ, calm):
            return []
        heard = self._alerted.get(alert)
        if heard is not None and heard <= calm:
            return []
        return [Fault("nobody told in time", f"{each.occ}: {heard}, whole at {calm}")]

    def _next_calm(self, at: datetime) -> datetime | None:
        return next((calm for calm in self._calms if calm >= at), None)

    def _acted(self, occ: str, by: datetime) -> bool:
        return any(act.at <= by for act in self._people.acts.get(occ, []))

    def nobody_is_rung_in_vain(self) -> list[Fault]:
        """Return what rang after its answer was taken; a message may have been on its way."""
        found = []
        for heard in self._people.service.heard:
            if heard.kind != "ring":
                continue
            answers = self._answers(heard.subject)
            if (
                answers
                and heard.at > min(act.at for act in answers)
                and not self.was_upset(heard.at)
            ):
                found.append(Fault("rung in vain", f"{heard.subject} at {heard.at}"))
        return found

    def was_upset(self, at: datetime) -> bool:
        """Whether a message may have been on its way while its worker or service failed."""
        return any(begun <= at <= ended for begun, ended in self._upset)


async def _alerts(db: "Connection[Any]", people: People) -> list[Fault]:
    """Return what is missed and in no record, and what people are called about in vain."""
    unheard = await db.fetch(
        "SELECT o.space_id, o.occ, a.kind, a.closed_why FROM occurrence o LEFT JOIN alert a "
        "ON a.space_id = o.space_id AND a.occ = o.occ AND a.kind IN ('late', 'missed') "
        "LEFT JOIN rec r ON r.rec_id = a.alert_id WHERE o.state = 'missed' "
        "AND (a.kind, r.doc -> 'what' ->> 'kind') IS DISTINCT FROM ('missed', 'missed')"
    )
    called = await db.fetch(
        "SELECT a.occ, a.kind, a.opened_at, o.closed_at, o.outcome FROM alert a "
        "JOIN occurrence o USING (org_id, space_id, occ) "
        "WHERE o.state = 'closed' AND a.closed_at IS NULL AND a.kind IN ('late', 'missed')"
    )
    return [
        *(
            Fault("missed without an alert", f"{row['occ']}: {row['kind']} {row['closed_why']}")
            for row in unheard
            # What a person has closed is not opened again because it came to be missed.
            if str(named_id(row["space_id"], f"alert/{row['occ']}")) not in people.handled
        ),
        *(Fault("called about an answer", str(dict(row))) for row in called),
    ]


async def _deliveries(db: "Connection[Any]", book: "_Book", people: People) -> list[Fault]:
    """Return what a screen showed twice without a fault that explains it, and what never ended."""
    rows = await db.fetch(
        "SELECT device_id, kind, subject, count(*) AS steps, sum(attempts) AS attempts "
        "FROM delivery WHERE channel = 'webpush' GROUP BY 1, 2, 3"
    )
    home = people.home
    names = {device.id: device.subscription for device in [*home.tablets, *home.phones]}
    made = {(names[row["device_id"]], row["kind"], row["subject"]): row for row in rows}
    shown: dict[tuple[str, str, str], list[datetime]] = defaultdict(list)
    for heard in people.service.heard:
        shown[heard.subscription, heard.kind, heard.subject].append(heard.at)
    found = []
    for name, moments in shown.items():
        row = made.get(name)
        if row is None or len(moments) > row["attempts"]:
            found.append(Fault("shown without an attempt", f"{name[1]} {name[2]}"))
        elif (
            len(moments) > row["steps"]
            and name not in people.service.unanswered
            and not any(map(book.was_upset, moments))
        ):
            found.append(Fault("shown twice", f"{name[1]} {name[2]} at {moments}"))
    left = await db.fetch("SELECT channel, state, subject FROM delivery WHERE next_at IS NOT NULL")
    found += [Fault("delivery without an end", f"{tuple(row)}") for row in left]
    return found
