"""Probes of row-level security, generated over the catalogue: a new table is probed by itself."""

import itertools
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID, uuid4

import asyncpg
import pytest

from mos.db import Scope
from mos.db.pool import _set_scope

# Tables without an organisation; none of them holds anything about a person.
WITHOUT_ORG = {
    "installation", "sign_in_limit", "schema_migration", "worker_heartbeat", "transition",
    "watch_round", "challenge_spent", "audit_root", "retention",
}  # fmt: skip
# Everybody's to see within the organisation: who lives where, who may do what, who is called.
# Read by whom the transaction names, and never changed: tests/audit looks at them.
LOGS = {"access_log", "access_draw", "access_sample", "audit", "audit_head"}
# What somebody wrote where they may not is theirs to hear of: that it was refused, never a value.
ORG_WIDE = {
    "resident", "resident_past", "relation", "emergency", "ladder", "unread_refusal",
}  # fmt: skip

# One row for each organisation.
ONE_EACH = {"organisation", "identity_provider"}

A, B = uuid4(), uuid4()
A1, A2, B1 = uuid4(), uuid4(), uuid4()
PLACES = ((A, A1), (A, A2), (B, B1))

_counter = itertools.count(1)
VALUES = {
    "uuid": uuid4,
    "text": lambda: f"t{next(_counter)}",
    "boolean": lambda: True,
    "smallint": lambda: 0,
    "integer": lambda: next(_counter),
    "bigint": lambda: next(_counter),
    "timestamp with time zone": None,  # now()
    "date": lambda: date(2026, 11, 27),
    "jsonb": lambda: "{}",
    "bytea": lambda: uuid4().bytes,
    "text[]": list,
    "uuid[]": list,
    "int8multirange": list,
}


@dataclass
class Table:
    name: str
    columns: dict[str, str] = field(default_factory=dict)

    @property
    def by_space(self) -> bool:
        return "space_id" in self.columns and self.name not in ORG_WIDE

    def insert(self, org: UUID, space: UUID) -> tuple[str, list]:
        """Return an INSERT of one row of this place, with some value in every column."""
        terms, args = [], []
        for name, kind in self.columns.items():
            if kind == "timestamp with time zone":
                terms.append("now()")
                continue
            args.append({"org_id": org, "space_id": space}.get(name) or VALUES[kind]())
            terms.append(f"${len(args)}::{kind}")
        return (
            f"INSERT INTO {self.name} ({', '.join(self.columns)}) VALUES ({', '.join(terms)})",
            args,
        )


async def tables_of(connection) -> list[Table]:
    rows = await connection.fetch(
        "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) AS kind "
        "FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 "
        "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') "
        "AND NOT a.attisdropped AND a.attgenerated = '' AND NOT c.relispartition "
        "ORDER BY c.relname, a.attnum"
    )
    tables: dict[str, Table] = {}
    for row in rows:
        tables.setdefault(row["relname"], Table(row["relname"])).columns[row["attname"]] = row[
            "kind"
        ]
    return list(tables.values())


@pytest.fixture
async def probed(database):
    """Tables with one row for each of three places; constraints that ask for meaning are gone."""
    owner = database.owner
    for row in await owner.fetch(
        "SELECT conrelid::regclass::text AS t, conname FROM pg_constraint "
        "WHERE contype IN ('c', 'f') AND connamespace = 'public'::regnamespace"
    ):
        await owner.execute(f"ALTER TABLE {row['t']} DROP CONSTRAINT IF EXISTS {row['conname']}")
    tables = [table for table in await tables_of(owner) if table.name not in WITHOUT_ORG | LOGS]
    for table in tables:
        for org, space in PLACES:
            if table.name in {"organisation", "identity_provider"} and space == A2:
                continue  # one row an organisation
            statement, args = table.insert(org, space)
            await owner.execute(statement, *[_plain(a) for a in args])
    return tables


def _plain(value):
    return {} if value == "{}" else value


@pytest.fixture
async def as_app(database):
    """A connection of the app's role."""
    connection = await asyncpg.connect(database.settings.app_url)
    yield connection
    await connection.close()


async def touched(connection, statement, *args) -> int:
    """Return how many rows a statement touched; a refusal is none."""
    try:
        async with connection.transaction():
            status = await connection.execute(statement, *args)
    except asyncpg.InsufficientPrivilegeError:
        return 0
    return int(status.rsplit(" ", 1)[1])


async def scoped(connection, scope) -> None:
    await connection.execute(_set_scope(scope).replace("true)", "false)"))


async def test_every_table_with_people_has_a_policy(database):
    for table in await tables_of(database.owner):
        enabled = await database.owner.fetchval(
            "SELECT relrowsecurity AND EXISTS (SELECT 1 FROM pg_policy WHERE polrelid = c.oid) "
            "FROM pg_class c WHERE oid = $1::regclass",
            table.name,
        )
        assert ("org_id" in table.columns) == (table.name not in WITHOUT_ORG), table.name
        assert enabled == (table.name not in WITHOUT_ORG), table.name


async def test_no_partition_opens_around_the_policies_of_its_table(database, as_app):
    """A policy stands on the table alone: whoever names a partition must find no right at all."""
    await database.sql("SELECT * FROM access_log_keep(now(), interval '5 years')")
    parts = await database.owner.fetch(
        "SELECT oid::regclass::text AS t FROM pg_class WHERE relispartition AND relkind = 'r'"
    )
    assert len(parts) >= 4
    for part in parts:
        for attempt in ("SELECT * FROM {}", "INSERT INTO {} DEFAULT VALUES", "DELETE FROM {}"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
                await as_app.execute(attempt.format(part["t"]))


async def test_only_the_own_organisation_and_the_named_space_can_be_read(probed, as_app):
    await scoped(as_app, Scope(A, (A1,)))
    for table in probed:
        by_space = "space_id" if table.by_space else "NULL::uuid AS space_id"
        rows = await as_app.fetch(f"SELECT org_id, {by_space} FROM {table.name}")

        assert rows, table.name
        assert {row["org_id"] for row in rows} == {A}, table.name
        assert {row["space_id"] for row in rows} <= {A1, None}, table.name


async def test_nothing_can_be_read_without_a_scope(probed, as_app):
    await scoped(as_app, Scope())
    for table in probed:
        assert await as_app.fetchval(f"SELECT count(*) FROM {table.name}") == 0, table.name


async def test_a_space_of_another_organisation_stays_closed_even_when_it_is_named(probed, as_app):
    await scoped(as_app, Scope(A, (B1,)))
    for table in probed:
        if table.by_space:
            assert await as_app.fetchval(f"SELECT count(*) FROM {table.name}") == 0, table.name


async def test_nothing_of_others_can_be_changed_or_deleted(probed, as_app, database):
    await scoped(as_app, Scope(A, (A1,)))
    for table in probed:
        other = "org_id = $1" + (" OR space_id = $2" if table.by_space else " OR org_id = $2")
        args = (B, A2) if table.by_space else (B, B)

        assert (
            await touched(as_app, f"UPDATE {table.name} SET org_id = org_id WHERE {other}", *args)
            == 0
        )
        assert await touched(as_app, f"DELETE FROM {table.name} WHERE {other}", *args) == 0
        left = await database.owner.fetchval(f"SELECT count(*) FROM {table.name}")
        assert left == (2 if table.name in ONE_EACH else 3), table.name


async def test_nothing_can_be_put_into_or_moved_to_another_place(probed, as_app):
    await scoped(as_app, Scope(A, (A1,)))
    for table in probed:
        elsewhere = [(B, B1), (A, A2)] if table.by_space else [(B, B1)]
        for org, space in elsewhere:
            statement, args = table.insert(org, space)
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await as_app.execute(statement, *args)
            columns, values = ("org_id = $1", [org])
            if table.by_space:
                columns, values = ("org_id = $1, space_id = $2", [org, space])
            assert await touched(as_app, f"UPDATE {table.name} SET {columns}", *values) == 0, (
                table.name
            )


async def test_the_policies_read_their_scope_once_a_statement(probed, as_app):
    await scoped(as_app, Scope(A, (A1,)))
    for table in probed:
        plan = await as_app.fetch(f"EXPLAIN SELECT * FROM {table.name}")
        text = "\n".join(row[0] for row in plan)
        assert text.count("InitPlan") >= (2 if table.by_space else 1), text
        assert "current_setting" not in text.split("InitPlan")[0], text


async def test_the_engine_sees_no_content_no_names_and_no_secrets(database):
    engine = await asyncpg.connect(database.settings.engine_url)
    try:
        for what in (
            "rec", "op", "quarantine", "device_space", "space", "organisation", "credential",
            "session", "invitation", "installation", "sign_in_limit", "schema_migration",
        ):  # fmt: skip
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await engine.fetch(f"SELECT * FROM {what}")
        for column in ("name", "email"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await engine.fetch(f"SELECT {column} FROM account")
    finally:
        await engine.close()


async def test_the_app_cannot_step_past_its_role(database):
    app = await asyncpg.connect(database.settings.app_url)
    try:
        for attempt in (
            "SET ROLE mos_owner",
            "SET ROLE mos_engine",
            "ALTER TABLE account DISABLE ROW LEVEL SECURITY",
            "CREATE TABLE mine (x int)",
            "COPY account TO PROGRAM 'cat'",
            "SELECT pg_read_file('/etc/passwd')",
            "DROP POLICY own_org ON account",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await app.execute(attempt)
    finally:
        await app.close()
