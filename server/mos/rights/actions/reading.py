"""All that there is of a person, as one JSON document in pieces."""

import base64
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

import mos
from mos.care import store as care
from mos.db import Db, Scope
from mos.privacy import texts
from mos.privacy.declaring import Table
from mos.privacy.exporting import keys_of, rows
from mos.privacy.sealing import KeyGone
from mos.review import store as review
from mos.review.model import Reading
from mos.speech import store as speech
from mos.sync.archive import read
from mos.sync.sealing import Records, records_of

# The tables whose sealed columns are single texts, and by what column each of their rows is known.
_KEYS_OF_TEXTS = {
    "resident": "space_id",
    "relation": "relation_id",
    "device": "device_id",
    "passkey": "passkey_id",
    "contact": "contact_id",
}


class NoSuchPerson(Exception):
    """There is no such account."""


class Whose(Struct, frozen=True):
    """Of whom it is, when it is read, and where the archive lies."""

    org: UUID
    account: UUID
    now: datetime
    archive: Path | None = None


class Count:
    """How much was read so far; `seen` is told of each opened row and its table."""

    def __init__(
        self,
        seen: Callable[[str, dict[str, Any]], None] = lambda _table, _row: None,
        progress: Callable[[str, int], None] = lambda _table, _rows: None,
    ) -> None:
        """Begin with nothing."""
        self.tables = self.rows = 0
        self.seen, self.progress = seen, progress

    def row(self, table: str, row: dict[str, Any]) -> None:
        """Count a row."""
        self.rows += 1
        self.seen(table, row)


async def pieces(
    db: Db, whose: Whose, tables: Sequence[Table], count: Count
) -> AsyncIterator[bytes]:
    """Yield all that there is of an account, opened, as one JSON document; in pages.

    `db` is a transaction, whose scope is set here; some tables are shown to it for their readers'
    sake. Secrets are left out, by the declarations. Raises NoSuchPerson, and KeyGone of somebody
    erased.
    """
    org, account = whose.org, whose.account
    await db.scope(Scope(org))
    kept = await care.kept_for(db, org, account)
    if kept is None:
        raise NoSuchPerson
    spaces = [kept.space, care.medication_of(kept.space)] if kept.space else []
    await db.scope(Scope(org, tuple(spaces)))
    # Each statement names whose rows it wants; this lets the logs' rows be seen at all.
    await review.let_read(db, Reading(everything=True, units=frozenset(), chain=True), spaces)
    opener = Opener(db, org, await records_of(db, org, spaces))
    keys = await keys_of(db)
    head = {
        "mos": mos.__version__, "made_at": whose.now, "organisation": org, "account": account,
    }  # fmt: skip
    yield msgspec.json.encode(head)[:-1] + b',"tables":{'
    for table in tables:
        subjects = spaces if table.subject == "space" else [account]
        if table.of is None or table.store == "keys" or not subjects:
            continue
        yield (b"," if count.tables else b"") + msgspec.json.encode(table.name) + b":["
        count.tables += 1
        first = True
        async for page in rows(db, table, org, subjects, keys[table.name], spaces):
            for row in page:
                opened = await opener.row(table, row)
                count.row(table.name, opened)
                text = msgspec.json.encode(opened, enc_hook=_plain)
                yield text if first else b"," + text
                first = False
            count.progress(table.name, count.rows)
        yield b"]"
    yield b'},"archive":['
    first = True
    for line in _archived(whose.archive, org, spaces, opener):
        count.row("archive", line)
        yield (b"" if first else b",") + msgspec.json.encode(line)
        first = False
    yield b"]}\n"


class Opener:
    """Opens the sealed columns of rows; a sealed column that it does not know is an error."""

    def __init__(self, db: Db, org: UUID, records: Records) -> None:
        """Open with what `records` opens."""
        self._db, self._org, self._records = db, org, records

    async def row(self, table: Table, row: dict[str, Any]) -> dict[str, Any]:
        """Return a row for its person: opened, and without what only the machine needs."""
        opened = {name: row[name] for name in table.given}
        # What only the machine needs is left out, sealed or not.
        for column in table.sealed & opened.keys():
            opened[column] = await self._opened(table.name, column, row)
        return opened

    async def _opened(self, table: str, column: str, row: dict[str, Any]) -> Any:
        match table, column:
            case ("rec", "doc") | ("op", "val"):
                held = _json(row[column])
                return self._records.doc(row["space_id"], row["coll"], row["rec_id"], held)
            case ("quarantine", "payload"):
                held = _json(row[column])
                return self._records.payload(row["space_id"], row["op_id"], held)
            case ("clip", "body"):
                found = await speech.clip(self._db, self._org, row["space_id"], row["clip_id"])
                if found is None:
                    raise KeyGone("a recorded voice does not open")
                return base64.b64encode(found.body).decode()
            case ("access_sample", "note"):
                month, entry = row["month"], row["entry_id"]
                return await review.note_of(self._db, self._org, month, entry, row[column])
            case ("emergency", _):
                whom = await care.residents_of_spaces(self._db, self._org, [row["space_id"]])
                return await care.open_emergency_text(
                    self._db, self._org, whom[0].account, row["emergency_id"], column, row[column]
                )
            case _ if table in _KEYS_OF_TEXTS:
                return await self._text(table, column, row)
            case _:
                raise NotImplementedError(f"nobody opens {table}.{column}")

    async def _text(self, table: str, column: str, row: dict[str, Any]) -> str:
        about: tuple[UUID, ...] = (row["account_id"],)
        if table == "relation" and row["space_id"]:
            residents = await texts.residents_of(self._db, self._org, [row["space_id"]])
            about = care.about(row["account_id"], residents.get(row["space_id"]))
        text = texts.Text(row[_KEYS_OF_TEXTS[table]], row[column], about)
        # Of a relation the other one may have been erased: then nobody reads what it rests on.
        open_it = texts.shown if table == "relation" else texts.opened
        [found] = await open_it(self._db, self._org, f"{table}|{column}", [text])
        return found

    def archived(self, line: dict[str, Any], space: UUID) -> dict[str, Any]:
        """Return a line of a space's archive, opened."""
        if isinstance(line.get("val"), dict):
            opened = self._records.doc(space, line["coll"], line["rec_id"], line["val"])
            return line | {"val": opened}
        return line


def _archived(
    folder: Path | None, org: UUID, spaces: list[UUID], opener: Opener
) -> Iterator[dict[str, Any]]:
    if folder is not None:
        for space in spaces:
            for line in read(folder, org, space):
                yield opener.archived(msgspec.json.decode(line), space)


def _json(value: Any) -> Any:
    return msgspec.json.decode(value) if isinstance(value, str) else value


def _plain(value: Any) -> Any:
    # What the driver makes of a column and JSON has no word for.
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
