"""What it costs to carry some deliveries follows how many they are, never how many more wait."""

from builders import a_home

from mos.db import Query, connect
from mos.dispatch import store
from mos.dispatch.store.deliveries import Taken

_READ = Query(
    "test.read",
    "SELECT (pg_stat_get_xact_tuples_returned(c) + pg_stat_get_xact_tuples_fetched(c))::bigint "
    "AS n FROM CAST('delivery' AS regclass) AS c",
    (),
    type(None),
)


async def wait(database, home, number):
    """Let so many messages wait for the tablet of a resident."""
    await database.sql(
        "INSERT INTO delivery (org_id, space_id, kind, subject, step, account_id, device_id, "
        "channel, state, next_at, expires_at, created_at) "
        "SELECT $1, $2, 'ring', gen_random_uuid() || '@2026-11-27T08:00', 1, $3, "
        "gen_random_uuid(), 'webpush', 'queued', now(), now() + interval '1 hour', now() "
        "FROM generate_series(1, $4::integer)",
        home.org, home.space, home.resident.account, number,
    )  # fmt: skip


async def take(pool, number) -> tuple[list[Taken], int]:
    """Take so many, as the courier does; return them and how many rows were read for it."""
    async with pool.transaction() as db:
        [(now,)] = await db.records(Query("test.now", "SELECT now()", (), type(None)))
        await store.by_index(db)
        taken = await store.take_deliveries(db, "webpush", now, limit=number)
        [(read,)] = await db.records(_READ)
    return taken, read


async def test_a_batch_is_taken_without_reading_all_that_waits_though_nobody_has_counted_it(
    database,
):
    home = await a_home(database)
    pool = await connect(database.settings.engine_url, size=1, plan_anew=True)
    try:
        # Its statements are known from when there was nothing, as on a new installation.
        for _ in range(8):
            assert (await take(pool, 20))[0] == []
        await wait(database, home, 5_000)

        taken, read = await take(pool, 20)

        assert len(taken) == 20
        assert read < 500
    finally:
        await pool.close()
