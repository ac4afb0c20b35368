"""The reader of `.sql` files, and the contract of every statement that MOS declares."""

import pkgutil
from importlib import import_module, resources
from types import NoneType

import asyncpg
import msgspec
import pytest
from earlier_mos import SCHEMA
from msgspec import inspect as types

import mos
from mos.db import Queries
from mos.db.queries import Query, _compile, declared

# What a column of a type may become in a Struct.
PYTHON_OF = {
    "uuid": (types.UUIDType,),
    "text": (types.StrType, types.EnumType, types.LiteralType),
    "varchar": (types.StrType,),
    "bool": (types.BoolType,),
    "int2": (types.IntType,),
    "int4": (types.IntType,),
    "int8": (types.IntType,),
    "float8": (types.FloatType,),
    "timestamptz": (types.DateTimeType,),
    "date": (types.DateType,),
    "bytea": (types.BytesType,),
}


def test_parameters_are_numbered_and_casts_strings_and_comments_left_alone():
    sql, params = _compile(
        "x", "SELECT ':no', a::text, b[1:2] -- :neither\nFROM t WHERE a = :a AND b > :b OR c = :a;"
    )

    assert params == ("a", "b")
    assert sql.endswith("WHERE a = $1 AND b > $2 OR c = $1")
    assert "':no', a::text, b[1:2] -- :neither" in sql


def test_a_statement_says_its_name_to_the_server():
    assert _compile("mos.plan.due", "SELECT 1")[0] == "/* mos.plan.due */ SELECT 1"


def test_a_missing_or_unknown_parameter_is_refused():
    sql, params = _compile("x", "SELECT :a")

    with pytest.raises(TypeError, match="'a', 'b'"):
        Query("x", sql, params, NoneType).args({"b": 1})


def every_query():
    for module in pkgutil.walk_packages(mos.__path__, "mos."):
        import_module(module.name)
    return {query.name: query for query in declared()}


def accepts(field, pg_type):
    options = field.types if isinstance(field, types.UnionType) else (field,)
    if any(isinstance(option, types.AnyType) for option in options) or pg_type.name == "jsonb":
        return True
    if pg_type.kind == "array":
        wanted = (types.ListType, types.VarTupleType, types.SetType, types.FrozenSetType)
    else:
        wanted = PYTHON_OF[pg_type.name]
    return any(isinstance(option, wanted) for option in options)


KEY_STORE = "mos.privacy.keystore."
EARLIER = "mos.ops.import_mos1."


async def test_every_declared_query_answers_what_its_struct_expects(database):
    faults = []
    queries = every_query()
    keys = await asyncpg.connect(database.keys_dsn)
    earlier = await asyncpg.connect(database.owner_dsn)
    await earlier.execute("CREATE SCHEMA earlier; SET search_path = earlier")
    await earlier.execute(SCHEMA)
    others = {KEY_STORE: keys, EARLIER: earlier}
    for query in queries.values():
        owner = next(
            (o for name, o in others.items() if query.name.startswith(name)), database.owner
        )
        try:
            statement = await owner.prepare(query.sql)
        except asyncpg.PostgresError as error:
            faults.append(f"{query.name}: {error}")
            continue
        columns = {column.name: column.type for column in statement.get_attributes()}
        if query.row is NoneType:
            if columns:
                faults.append(f"{query.name} is a command and answers {sorted(columns)}")
            continue
        fields = {f.encode_name: f.type for f in types.type_info(query.row).fields}
        if fields.keys() != columns.keys():
            faults.append(f"{query.name}: columns {list(columns)} against fields {list(fields)}")
            continue
        faults += [
            f"{query.name}.{name}: {columns[name].name} against {field}"
            for name, field in fields.items()
            if not accepts(field, columns[name])
        ]

    await keys.close()
    await earlier.close()
    assert queries
    assert not faults, "\n".join(faults)


async def test_every_declared_query_is_permitted_to_the_app_or_to_the_engine(database):
    refused = []
    # Operator commands sign in as the owner, and so do those who look after the key store.
    others = ("mos.ops.", KEY_STORE)
    for query in (q for q in every_query().values() if not q.name.startswith(others)):
        allowed = 0
        for role in ("mos_app", "mos_engine"):
            await database.sql(f"SET ROLE {role}")
            try:
                await database.owner.execute(f"EXPLAIN (GENERIC_PLAN) {query.sql}")
                allowed += 1
            except asyncpg.InsufficientPrivilegeError:
                pass
            finally:
                await database.sql("RESET ROLE")
        if not allowed:
            refused.append(query.name)

    assert not refused


def sql_files():
    """Each file of statements, as (package, name)."""
    for module in pkgutil.walk_packages(mos.__path__, "mos."):
        if module.ispkg and not module.name.endswith(".migrations"):
            for file in resources.files(module.name).iterdir():
                if file.name.endswith(".sql"):
                    yield module.name, file.name


def test_every_statement_in_a_file_is_declared():
    names = {query.name for query in every_query().values()}
    written = [f"{p}.{name}" for p, file in sql_files() for name in Queries(p, file).names()]

    assert written
    assert not set(written) - names


def test_no_two_statements_have_one_name():
    every_query()
    statements = {query.sql for query in declared()}

    assert len(statements) == len(every_query())


def test_a_struct_row_is_a_struct():
    assert all(
        query.row is NoneType or issubclass(query.row, msgspec.Struct)
        for query in every_query().values()
    )
