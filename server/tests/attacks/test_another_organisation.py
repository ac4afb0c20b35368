"""Ten thousand requests with another organisation's ids, by every role, on every route."""

import re
from random import Random

from builders import a_contact, a_record, a_relation, an_account
from test_matrix import MATRIX, ROLES, _claimed, _world

REQUESTS = 10_000
ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# What nobody of the first organisation may ever be shown.
CANARY = "Kanariefågel"
# They end the session that asks, or let a stranger in by what the request itself brings. A link for
# a new password is sent to whoever has the address, wherever they belong. A wrong password at the
# door of another organisation stands in that one's log.
ENDING = {
    "DELETE /session", "DELETE /sessions", "POST /session", "POST /claim", "PUT /session/device",
    "POST /invitations/accept", "POST /password-resets", "POST /session/second-factor",
}  # fmt: skip


async def everything_of(database, org):
    """Return a digest of each table's rows of an organisation."""
    tables = await database.owner.fetch(
        "SELECT c.table_name::text AS name FROM information_schema.columns c "
        "JOIN pg_class k ON k.relname = c.table_name AND NOT k.relispartition "
        "WHERE c.table_schema = 'public' AND c.column_name = 'org_id'"
    )
    return {
        row["name"]: await database.owner.fetchval(
            f"SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM {row['name']} t "
            "WHERE org_id = $1", org,
        )
        for row in tables
    }  # fmt: skip


async def ids_of(database, org):
    """Return every id that stands in any row of an organisation, and its own."""
    found = {str(org)}
    columns = await database.owner.fetch(
        "SELECT c.table_name::text AS name, c.column_name::text AS column "
        "FROM information_schema.columns c JOIN pg_class k ON k.relname = c.table_name "
        "WHERE c.table_schema = 'public' AND c.udt_name = 'uuid' AND NOT k.relispartition "
        "AND EXISTS (SELECT FROM information_schema.columns o WHERE o.table_name = c.table_name "
        "AND o.column_name = 'org_id')"
    )
    for row in columns:
        rows = await database.owner.fetch(
            f'SELECT DISTINCT "{row["column"]}" AS id FROM {row["name"]} '
            "WHERE org_id = $1", org,
        )  # fmt: skip
        found |= {str(each["id"]) for each in rows if each["id"] is not None}
    return sorted(found)


def swapped(value, dice, ids):
    """Return a body or path in which ids became others': one at least, if there is any."""
    if isinstance(value, str):
        return ID.sub(lambda found: dice.choice(ids) if dice.random() < 0.8 else found[0], value)
    if isinstance(value, dict):
        return {key: swapped(each, dice, ids) for key, each in value.items()}
    if isinstance(value, list):
        return [swapped(each, dice, ids) for each in value]
    return value


async def test_nobody_reads_or_changes_anything_of_another_organisation(site):
    dice = Random(4)  # noqa: S311  a repeatable game
    world = await _world(site)
    await _claimed(site)
    victims, database = world.others, site.database
    # Whoever would be found by an id: people, a relation, a record, a contact, somebody's devices.
    nurse = await an_account(database, victims.org, "nurse", name=f"{CANARY} Ek")
    await a_relation(database, victims.org, nurse, unit=victims.unit)
    await a_record(database, victims.org, victims.space, "reminder", {"title": CANARY})
    await a_contact(database, victims.org, nurse, "nurse@other.test")
    await site.as_account(victims.org, nurse)
    await database.sql(
        "UPDATE account SET name = $1 || ' ' || name WHERE org_id = $2", CANARY, victims.org
    )
    attackers = {who: await world.browser(who) for who in (*ROLES, "head_of_family")}
    routes = sorted(route for route in MATRIX if route not in ENDING)
    asks = {
        (who, route): await MATRIX[route][1](world, browser)
        for who, browser in attackers.items()
        for route in routes
    }
    ids, before = await ids_of(database, victims.org), await everything_of(database, victims.org)
    assert len(ids) > 10

    for number in range(REQUESTS):
        who, route = dice.choice(sorted(attackers)), routes[number % len(routes)]
        ask = asks[who, route]
        path, body = swapped(ask.path, dice, ids), swapped(ask.body, dice, ids)
        if dice.random() < 0.2:
            path += ("&" if "?" in path else "?") + f"org={victims.org}&space={dice.choice(ids)}"

        answer = await attackers[who].ask(route.partition(" ")[0], path, body)

        assert answer.status_code < 500, (who, route, answer.text)
        assert CANARY not in answer.text, (who, route)
        if answer.status_code == 401:
            # It ended its own session: who was it, and is it somebody new now?
            attackers[who] = await world.browser(who)

    assert await everything_of(database, victims.org) == before
