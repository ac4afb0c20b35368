"""Every column is declared: what it is, of whom, and when it goes."""

import asyncpg
import pytest

from mos.ops.settings import ROOT
from mos.privacy.declaring import table
from mos.privacy.processing import record
from mos.wiring import PERSONAL_DATA

COLUMNS = """
SELECT c.table_name, array_agg(c.column_name::text) AS columns
FROM information_schema.columns c
JOIN pg_class k ON k.relname = c.table_name AND k.relnamespace = 'public'::regnamespace
WHERE c.table_schema = 'public' AND NOT k.relispartition
GROUP BY c.table_name
"""


async def there_are(dsn):
    connection = await asyncpg.connect(dsn)
    try:
        return {row["table_name"]: set(row["columns"]) for row in await connection.fetch(COLUMNS)}
    finally:
        await connection.close()


async def test_every_column_of_both_databases_is_declared_and_no_other(database):
    found = await there_are(database.owner_dsn) | await there_are(database.keys_dsn)

    declared = {each.name: set(each.columns) for each in PERSONAL_DATA}

    undeclared = {name: columns - declared.get(name, set()) for name, columns in found.items()}
    gone = {name: columns - found.get(name, set()) for name, columns in declared.items()}
    assert {name: columns for name, columns in undeclared.items() if columns} == {}
    assert {name: columns for name, columns in gone.items() if columns} == {}


async def test_a_table_stands_in_the_database_that_it_says(database):
    in_data, in_keys = await there_are(database.owner_dsn), await there_are(database.keys_dsn)

    for each in PERSONAL_DATA:
        assert each.name in (in_keys if each.store == "keys" else in_data), each.name


async def test_whoever_is_named_by_a_column_is_named_by_one_of_ids(database):
    """What says of whom a row is must be an id: else nobody's rows are found."""
    connection = await asyncpg.connect(database.owner_dsn)
    for each in PERSONAL_DATA:
        if each.of and each.store == "data":
            kind = await connection.fetchval(
                "SELECT udt_name FROM information_schema.columns WHERE table_name = $1 "
                "AND column_name = $2", each.name, each.of,
            )  # fmt: skip
            assert kind == "uuid", each.name
    await connection.close()


async def test_sealed_columns_are_sealed_in_the_database(database):
    """A declaration that nobody keeps would stand in the record of processing as a lie."""
    sealed = {(each.name, column) for each in PERSONAL_DATA for column in each.sealed}

    assert sealed == {
        ("rec", "doc"), ("op", "val"), ("quarantine", "payload"), ("clip", "body"),
        ("access_sample", "note"), ("emergency", "reason"), ("emergency", "note"),
        ("totp", "secret"), ("totp", "pending"), ("resident", "flat"), ("relation", "consent"),
        ("device", "name"), ("passkey", "name"), ("contact", "address"), ("contact", "label"),
        ("export_part", "body"),
    }  # fmt: skip


@pytest.mark.parametrize(
    "columns", [{"link": "a a"}, {"link": "a", "health": "a"}, {"link": "a", "account": "b"}]
)
def test_a_declaration_that_contradicts_itself_is_refused(columns):
    with pytest.raises(ValueError, match="each column once"):
        table("t", "It.", purpose="To.", goes="never", **columns)


def test_the_record_of_processing_in_the_docs_is_what_the_tables_declare():
    kept = (ROOT / "docs/privacy/processing.md").read_text(encoding="utf-8")

    assert kept == record(PERSONAL_DATA), (
        "renew it: ./mos privacy record > docs/privacy/processing.md"
    )
