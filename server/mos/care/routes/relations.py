"""Relations: who may do what for whom."""

from datetime import datetime
from uuid import UUID

from litestar import delete, get, patch, post

from mos.care import store
from mos.care.actions import relations
from mos.care.actions.news import telling
from mos.care.model import Actor
from mos.db import Pool, Scope
from mos.sync.pokes import Hub


@get("/relations", tags=["relations"])
async def get_relations(pool: Pool, actor: Actor, now: datetime) -> list[store.Relation]:
    """List the relations in the units that you manage, but for those that have ended."""
    async with pool.transaction(Scope(org=actor.org)) as db:
        return await relations.list_relations(db, actor, now)


@post("/relations", tags=["relations"])
async def post_relation(
    data: relations.NewRelation, pool: Pool, hub: Hub, actor: Actor, now: datetime
) -> store.Relation:
    """Let a person help one resident (`space`) or all of a unit (`unit`), from now on.

    Permissions stay within the role's own (docs/permissions.md). A new contact person
    (`is_primary`) takes the mark from the one before.
    """
    async with telling(pool, hub, actor) as (db, news):
        return await relations.add_relation(db, actor, data, now, news=news)


@patch("/relations/{relation_id:uuid}", tags=["relations"])
async def patch_relation(  # noqa: PLR0913, PLR0917  what Litestar injects
    relation_id: UUID,
    data: relations.RelationChange,
    pool: Pool,
    hub: Hub,
    actor: Actor,
    now: datetime,
) -> store.Relation:
    """Change a relation's permissions, contact person, consent or end."""
    async with telling(pool, hub, actor) as (db, news):
        return await relations.change_relation(db, actor, relation_id, data, now, news=news)


@delete("/relations/{relation_id:uuid}", tags=["relations"])
async def delete_relation(
    relation_id: UUID, pool: Pool, hub: Hub, actor: Actor, now: datetime
) -> None:
    """End a relation now. It stays on record."""
    async with telling(pool, hub, actor) as (db, news):
        await relations.end_relation(db, actor, relation_id, now, news=news)


HANDLERS = [get_relations, post_relation, patch_relation, delete_relation]
