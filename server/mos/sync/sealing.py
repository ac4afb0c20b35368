"""What spaces hold, sealed: a record's groups on their way into the database and out of it.

Each group's value is sealed by itself, for its organisation, space, collection, record and group,
under the key of the space's resident; so merging needs no key. Of a safety record the value of each
version is sealed (`active.v`, a candidate's `v`, a decision's `why`), and what decides over it is
not. The same sealed text stands in `rec.doc` and in `op.val`.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, Protocol, TypeVar
from uuid import UUID

import msgspec
from msgspec import Raw

from mos.db import Db
from mos.privacy.keyring import Opened, Unsealed, keyring_of
from mos.privacy.sealing import MARK, KeyGone, Sealer, is_sealed
from mos.sync import safety
from mos.sync.model import CONFLICT, Collections, Groups

# What the merge itself reads.
ALWAYS_CLEAR = frozenset({"deleted"})
# The server's own groups of an event: an account's id, and moments.
_OF_EVENTS = frozenset({"by", "late"})

_PLACE = "rec|doc"
_SEALED = b'"\\u0001' + MARK[1:].encode()
_INSIDE = _SEALED[1:]

_encode = msgspec.json.encode
_decode = msgspec.json.decode
_rows = msgspec.json.Decoder(list[tuple[str, str, int, dict[str, Raw], Raw]])
_line = msgspec.json.Decoder(tuple[str, str, int, dict[str, Raw], Raw])


class _Doc(Protocol):
    @property
    def org(self) -> UUID: ...
    @property
    def space(self) -> UUID: ...
    @property
    def rec(self) -> UUID: ...
    @property
    def doc(self) -> Groups: ...


AnyDoc = TypeVar("AnyDoc", bound=_Doc)


def clear_of(collections: Collections, coll: str) -> frozenset[str]:
    """Return which groups of a collection stay readable in the database."""
    collection = collections.get(coll)
    if collection is None:
        return ALWAYS_CLEAR
    ours = _OF_EVENTS if collection.kind == "event" else frozenset[str]()
    return ALWAYS_CLEAR | collection.clear | ours


async def records_of(db: Db, org: UUID, spaces: Iterable[UUID], *, make: bool = False) -> "Records":
    """Return what seals and opens the records of `spaces`; with `make` keys that are absent, too.

    The organisation must be in the scope. Raises OSError or DbError when the key store is away.
    """
    ring = keyring_of(db)
    if isinstance(ring, Unsealed):
        return Records(org, {}, None)
    subjects = await ring.subjects.of(db, org, spaces)
    opened = await ring.opened(org, set(subjects.values()), make=make)
    return Records(org, subjects, opened)


class Records:
    """Seals and opens the records of some spaces, for the length of one request."""

    __slots__ = ("_begins", "_fresh", "_opened", "_org", "_sealers", "_subjects")

    def __init__(self, org: UUID, subjects: Mapping[UUID, UUID], opened: Opened | None) -> None:
        """Use the opened keys of the spaces' `subjects`; without any, values pass as they are."""
        self._org = org
        self._subjects = subjects
        self._opened = opened
        self._sealers: dict[UUID, Sealer] = {}
        self._begins: dict[UUID, str] = {}
        # What was sealed in this request: it comes back in the same, and need not be opened.
        self._fresh: dict[str, Any] = {}

    def can_open(self, space: UUID) -> bool:
        """Say whether there is a key for a space: there is none of somebody erased."""
        return self._opened is None or self._subjects.get(space, self._org) in self._opened

    # ── into the database

    def item(self, item: dict[str, Any], clear: frozenset[str]) -> dict[str, Any]:
        """Return an op as sync_push takes it, sealed. Of somebody erased nothing is left in it."""
        if self._opened is None:
            return item
        space: UUID = item["space"]
        if not self.can_open(space):
            return item | {"val": {}, "verdict": "forbidden", "code": "no_access", "raw": None}
        if "raw" in item:
            return item | {"raw": self.raw(space, item["op"], item["raw"])}
        if "val" not in item:
            return item
        val = self.groups(space, item["coll"], item["rec"], item["val"], clear, item["kind"])
        return item | {"val": val}

    def groups(  # noqa: PLR0913, PLR0917  where they lie
        self,
        space: UUID,
        coll: str,
        rec: UUID | str,
        groups: Groups,
        clear: frozenset[str],
        kind: str = "set",
    ) -> Groups:
        """Return groups, or what an op of `kind` says of them, sealed."""
        if self._opened is None:
            return groups
        if coll == CONFLICT:
            return self._conflict(space, groups, self._seal_at)
        if kind == "resolve" and "why" in groups:
            return groups | {"why": self._seal_at(space, coll, rec, "why", groups["why"])}
        if kind == "safety":
            return groups | {"v": self._seal_at(space, coll, rec, "v", groups["v"])}
        sealed: Groups = {}
        # The hot path of every push: what all groups of a record share is made once.
        stem, seal = self._stem(space, coll, rec), self._sealer(space).seal_text
        for group, value in groups.items():
            if group in clear or is_sealed(value):
                sealed[group] = value
                continue
            text = sealed[group] = seal(f"{stem}{group}".encode(), _encode(value))
            self._fresh[text] = value
        return sealed

    def before(  # noqa: PLR0913, PLR0917  where they lie, and what is known of it
        self,
        space: UUID,
        coll: str,
        rec: UUID | str,
        held: Groups,
        clear: frozenset[str],
        kind: str,
        of: Groups | None,
    ) -> Groups:
        """Return what a record or an op holds, with all that was plain in it sealed.

        For what was written before values were sealed: the digests of versions become keyed.
        `kind` is the op's, or "record"; `of` says of a conflict what it is about.
        """
        if coll == CONFLICT:
            return self._conflict_before(space, held, of)
        if kind == "safety":
            return self.version(space, coll, rec, held) if "v" in held else held
        if kind == "record" and isinstance(active := held.get("active"), dict) and "v" in active:
            return held | {"active": self.version(space, coll, rec, active)}
        return self.groups(space, coll, rec, held, clear, kind)

    def _conflict_before(self, space: UUID, held: Groups, of: Groups | None) -> Groups:
        about = held.get("of", of)
        if about is None:
            return held
        sealed = self._conflict(space, held | {"of": about}, self._seal_at)
        if "candidates" in held:
            sealed["candidates"] = {
                op: self.version(space, about["coll"], about["rec"], one)
                for op, one in held["candidates"].items()
            }
        return {group: value for group, value in sealed.items() if group in held}

    def raw(self, space: UUID, op: UUID | str, text: str) -> str:
        """Return the text of an op that could not be read, sealed."""
        if is_sealed(text):
            return text
        return self._seal(space, self._context(space, "", op, "raw"), text)

    def version(self, space: UUID, coll: str, rec: UUID | str, active: Groups) -> Groups:
        """Return a version of a safety record, its value sealed and its digest keyed."""
        if self._opened is None or is_sealed(active.get("v")):
            return active
        sealed = self._seal_at(space, coll, rec, "v", active["v"])
        return active | {"v": sealed, "dig": self.digest(space, active["v"])}

    def digest(self, space: UUID, value: Any) -> str:
        """Return what two equal values of one person have in common: 32 hex digits."""
        if self._opened is None:
            return safety.digest(value)
        person = self._opened.person(self._subjects.get(space, self._org))
        return person.digest(_PLACE, safety.canonical(value))

    # ── out of it

    def doc(self, space: UUID, coll: str, rec: UUID | str, doc: Groups) -> Groups:
        """Return a record's groups opened; what is plain stays. Raises KeyGone, SealBroken."""
        if self._opened is None:
            return doc
        if coll == CONFLICT:
            return self._conflict(space, doc, self._open_at)
        opened: Groups = {}
        for group, value in doc.items():
            if isinstance(value, str):
                opened[group] = self._open_at(space, coll, rec, group, value)
            elif isinstance(value, dict) and is_sealed(value.get("v")):
                plain = self._open_at(space, coll, rec, "v", value["v"])
                opened[group] = value | {"v": plain}
            else:
                opened[group] = value
        return opened

    def payload(self, space: UUID, op: UUID | str, payload: Any) -> Any:
        """Return a refused op of quarantine, opened."""
        if self._opened is None:
            return payload
        if isinstance(payload, str):
            context = self._context(space, "", op, "raw")
            return self._open(space, context, payload) if is_sealed(payload) else payload
        groups = payload.get("val") if isinstance(payload, dict) else None
        if not isinstance(groups, dict):
            return payload
        coll, rec = str(payload.get("coll") or ""), str(payload.get("rec") or "")
        return payload | {"val": self.doc(space, coll, rec, groups)}

    def docs(self, coll: str, docs: Iterable[AnyDoc]) -> list[AnyDoc]:
        """Return rows of one collection, opened; of somebody erased there are none."""
        found = []
        for each in docs:
            with suppress(KeyGone):
                doc = self.doc(each.space, coll, each.rec, each.doc)
                found.append(msgspec.structs.replace(each, doc=doc))  # type: ignore[type-var]
        return found

    def rows(self, space: UUID, text: str) -> bytes:
        """Return a page of a pull, a JSON array of rows, opened; of somebody erased it is empty."""
        raw = text.encode()
        if self._opened is None or _INSIDE not in raw:
            return raw
        if not self.can_open(space):
            return b"[]"
        rows = _rows.decode(raw)
        return _encode([self._row(space, row) for row in rows])

    def lines(self, space: UUID, texts: Iterable[str]) -> list[str]:
        """Return rows of a snapshot, JSON texts, opened; of somebody erased there are none."""
        found = []
        for text in texts:
            raw = text.encode()
            if self._opened is None or _INSIDE not in raw:
                found.append(text)
            elif self.can_open(space):
                found.append(_encode(self._row(space, _line.decode(raw))).decode())
        return found

    def _row(
        self, space: UUID, row: tuple[str, str, int, dict[str, Raw], Raw]
    ) -> tuple[str, str, int, Any, Raw]:
        coll, rec, seq, doc, clk = row
        if coll == CONFLICT:
            plain = {group: _decode(value) for group, value in doc.items()}
            return coll, rec, seq, self._conflict(space, plain, self._open_at), clk
        opened: dict[str, Any] = {}
        sealer = self._sealer(space)
        stem = self._stem(space, coll, rec)
        for group, value in doc.items():
            raw = bytes(value)
            if raw.startswith(_SEALED):
                text = MARK + raw[len(_SEALED) : -1].decode("ascii")
                opened[group] = Raw(sealer.open_text(f"{stem}{group}".encode(), text))
            elif _INSIDE in raw:
                whole = _decode(raw)
                opened[group] = self.doc(space, coll, rec, {group: whole})[group]
            else:
                opened[group] = value
        return coll, rec, seq, opened, clk

    # ── one value

    def _conflict(
        self, space: UUID, groups: Groups, turn: Callable[[UUID, str, str, str, Any], Any]
    ) -> Groups:
        """Return a conflict's groups with what was proposed sealed or opened, as `turn` does it.

        It was sealed as the value of the record that the conflict is about.
        """
        candidates, resolved = groups.get("candidates"), groups.get("resolved")
        of = groups.get("of")
        if of is None or not (candidates or resolved):
            return groups
        coll, rec = of["coll"], of["rec"]
        turned = dict(groups)
        if candidates:
            turned["candidates"] = {
                op: one | {"v": turn(space, coll, rec, "v", one["v"])}
                for op, one in candidates.items()
            }
        if resolved:
            why = turn(space, coll, rec, "why", resolved["why"])
            turned["resolved"] = resolved | {"why": why}
        return turned

    def _seal_at(self, space: UUID, coll: str, rec: UUID | str, group: str, value: Any) -> Any:
        if is_sealed(value):
            return value
        return self._seal(space, f"{self._stem(space, coll, rec)}{group}".encode(), value)

    def _open_at(self, space: UUID, coll: str, rec: UUID | str, group: str, value: Any) -> Any:
        if not is_sealed(value):
            return value
        if value in self._fresh:
            return self._fresh[value]
        return self._open(space, f"{self._stem(space, coll, rec)}{group}".encode(), value)

    def _seal(self, space: UUID, context: bytes, value: Any) -> str:
        text = self._sealer(space).seal_text(context, _encode(value))
        self._fresh[text] = value
        return text

    def _open(self, space: UUID, context: bytes, text: str) -> Any:
        return _decode(self._sealer(space).open_text(context, text))

    def _sealer(self, space: UUID) -> Sealer:
        sealer = self._sealers.get(space)
        if sealer is None:
            if self._opened is None:
                raise KeyGone("there are no keys here")
            subject = self._subjects.get(space, self._org)
            sealer = self._sealers[space] = self._opened.sealer(subject, _PLACE)
        return sealer

    def _stem(self, space: UUID, coll: str, rec: UUID | str) -> str:
        begins = self._begins.get(space)
        if begins is None:
            begins = self._begins[space] = f"{self._org}|{space}|"
        return f"{begins}{coll}|{rec}|"

    def _context(self, space: UUID, coll: str, rec: UUID | str, group: str) -> bytes:
        return f"{self._stem(space, coll, rec)}{group}".encode()
