"""Relations: who may do what for whom."""

from uuid import UUID

from litestar import delete, get, patch, post
from litestar.params import FromPath, JSONBody

from mos.care import store
from mos.care.actions import relations
from mos.care.actions.news import telling
from mos.care.routes.given import FromEdge, SignedIn
from mos.db import Scope


@get("/relations", tags=["relations"])
async def get_relations(given: FromEdge, me: SignedIn) -> list[store.Relation]:
    """List the relations in the units that you manage, but for those that have ended."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await relations.list_relations(db, me, given.now)


@post("/relations", tags=["relations"])
async def post_relation(
    data: JSONBody[relations.NewRelation], given: FromEdge, me: SignedIn
) -> store.Relation:
    """Let a person help one resident (`space`) or all of a unit (`unit`), from now on.

    Permissions stay within the role's own (docs/permissions.md). A new contact person
    (`is_primary`) takes the mark from the one before.
    """
    async with telling(given.pool, given.hub, me) as (db, news):
        return await relations.add_relation(db, me, data, given.now, news=news)


@patch("/relations/{relation_id:uuid}", tags=["relations"])
async def patch_relation(
    relation_id: FromPath[UUID],
    data: JSONBody[relations.RelationChange],
    given: FromEdge,
    me: SignedIn,
) -> store.Relation:
    """Change a relation's permissions, contact person, consent or end."""
    async with telling(given.pool, given.hub, me) as (db, news):
        return await relations.change_relation(db, me, relation_id, data, given.now, news=news)


@delete("/relations/{relation_id:uuid}", tags=["relations"])
async def delete_relation(relation_id: FromPath[UUID], given: FromEdge, me: SignedIn) -> None:
    """End a relation now. It stays on record."""
    async with telling(given.pool, given.hub, me) as (db, news):
        await relations.end_relation(db, me, relation_id, given.now, news=news)


HANDLERS = [get_relations, post_relation, patch_relation, delete_relation]
