"""What lies sealed in a test's database, readable for the test that asks what is there."""

import contextlib
from typing import Any

from mos.privacy.keyring import Keyring
from mos.privacy.sealing import KeyGone, is_sealed
from mos.privacy.seals import SealBroken
from mos.privacy.texts import Text, open_with
from mos.sync.sealing import Records

_TABLES = {
    "rec": "SELECT org_id, space_id, coll, rec_id, doc AS held FROM rec",
    "op": "SELECT org_id, space_id, coll, rec_id, val AS held FROM op",
    "quarantine": "SELECT org_id, space_id, '' AS coll, op_id AS rec_id, payload AS held "
    "FROM quarantine",
}
# Single texts of rows, by their place: the row, and under whose keys, in this order.
_TEXTS = {
    "resident|flat": "SELECT org_id, space_id AS row, ARRAY[account_id] AS of, flat AS text "
    "FROM resident",
    "relation|consent": "SELECT l.org_id, relation_id AS row, consent AS text, "
    "array_remove(ARRAY[l.account_id, r.account_id], NULL) AS of "
    "FROM relation l LEFT JOIN resident r USING (space_id)",
    "device|name": "SELECT org_id, device_id AS row, ARRAY[account_id] AS of, name AS text "
    "FROM device",
    "passkey|name": "SELECT org_id, passkey_id AS row, ARRAY[account_id] AS of, name AS text "
    "FROM passkey",
    "contact|address": "SELECT org_id, contact_id AS row, address AS text, "
    "ARRAY[COALESCE(account_id, org_id)] AS of FROM contact",
    "contact|label": "SELECT org_id, contact_id AS row, label AS text, "
    "ARRAY[COALESCE(account_id, org_id)] AS of FROM contact",
}


async def opened(connection: Any, keyring: Keyring, rows: list[dict[str, Any]]) -> list[Any]:
    """Return rows with every sealed text in them replaced by what it says."""
    if not _holds(rows):
        return rows
    plain: dict[str, Any] = {}
    for table, statement in _TABLES.items():
        for row in await connection.fetch(statement):
            org, space, coll, rec = row["org_id"], row["space_id"], row["coll"], row["rec_id"]
            subject = await connection.fetchval(
                "SELECT account_id FROM resident WHERE $1 IN (space_id, medication_id)", space
            )
            keys = await keyring.opened(org, [subject or org])
            records = Records(org, {space: subject or org}, keys)
            with contextlib.suppress(KeyGone, SealBroken):
                if table == "quarantine":
                    found = records.payload(space, rec, row["held"])
                else:
                    found = records.doc(space, coll, rec, row["held"])
                _pair(row["held"], found, plain)
    for place, statement in _TEXTS.items():
        for row in await connection.fetch(statement):
            if is_sealed(row["text"]):
                text = Text(row["row"], row["text"], tuple(row["of"]))
                with contextlib.suppress(KeyGone, SealBroken):
                    [found] = await open_with(keyring, row["org_id"], place, [text])
                    plain[row["text"]] = found
    return _replaced(rows, plain)


def _holds(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds, value.values()))
    if isinstance(value, list):
        return any(map(_holds, value))
    return is_sealed(value)


def _pair(sealed: Any, plain: Any, found: dict[str, Any]) -> None:
    if is_sealed(sealed):
        # In the log of a conflict it is not said what it is about; the rest of the log knows.
        if not is_sealed(plain):
            found[sealed] = plain
    elif isinstance(sealed, dict):
        for key, value in sealed.items():
            _pair(value, plain[key], found)


def _replaced(value: Any, plain: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {key: _replaced(inner, plain) for key, inner in value.items()}
    if isinstance(value, list):
        return [_replaced(inner, plain) for inner in value]
    return plain.get(value, value) if is_sealed(value) else value
