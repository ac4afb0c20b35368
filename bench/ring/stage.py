"""Who is there and what is due, written set by set: thousands of residents in a second."""

import secrets
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bench import home
from mos.care.store import medication_of
from mos.kernel.ids import new_id
from mos.ops.postgres import Cluster

# Of the moment at which everything is due, where the clock is ours.
NOW = datetime(2026, 11, 27, 7, tzinfo=UTC)

_KEYS = 500

_PEOPLE = """
WITH s AS (
  SELECT * FROM unnest($3::uuid[], $4::uuid[], $5::uuid[]) AS s (space, medication, account)
), spaces AS (
  INSERT INTO space (org_id, space_id, kind, of_space)
  SELECT $1::uuid, space, 'resident', NULL::uuid FROM s UNION ALL
  SELECT $1::uuid, medication, 'medication', space FROM s
), accounts AS (
  INSERT INTO account (org_id, account_id, role, name, language, created_at)
  SELECT $1::uuid, account, 'resident', 'Elsa', 'sv', $6::timestamptz FROM s
)
INSERT INTO resident (org_id, space_id, medication_id, account_id, unit_id)
SELECT $1::uuid, space, medication, account, $2::uuid FROM s
"""
_DEVICES = """
INSERT INTO device (org_id, device_id, account_id, push_endpoint, push_p256dh, push_auth,
                    created_at, seen_at)
SELECT org_id, gen_random_uuid(), account_id,
       ($2::text[])[1 + (row_number() OVER () % cardinality($2::text[]))] || '/' || account_id,
       ($3::bytea[])[1 + (row_number() OVER () % cardinality($3::bytea[]))], $4, $5, $5
FROM resident WHERE org_id = $1
"""
_DUE = """
INSERT INTO due (org_id, space_id, occ, reminder_id, at, first_at, ends_at, category, criticality,
                 checkable, grace_s, ring_start, ring_again)
SELECT s.org_id, s.space_id,
       md5(s.space_id || '/' || n)::uuid || to_char($2::timestamptz, '"@"YYYY-MM-DD"T"HH24:MI'),
       md5(s.space_id || '/' || n)::uuid, $2, $2, $2, 'meal', 'normal', true, 1800, true, false
FROM (SELECT * FROM resident WHERE org_id = $1 LIMIT $4) s, generate_series(1, $3::integer) n
"""
_PLANNED = """
WITH tidied AS (UPDATE space SET tidied_at = now() WHERE org_id = $1)
INSERT INTO horizon (org_id, space_id, until)
SELECT r.org_id, s, now() + interval '30 days'
FROM resident r CROSS JOIN LATERAL unnest(ARRAY[r.space_id, r.medication_id]) AS s
WHERE r.org_id = $1
"""


async def residents(
    cluster: Cluster, number: int, *, push: tuple[str, ...] = ("https://push.example",)
) -> UUID:
    """Make an organisation whose residents have a tablet each; return it.

    The tablets' subscriptions are dealt out to the services (origins) in `push`.
    """
    now = datetime.now(UTC)
    org = new_id(now)
    await home.found(cluster, org)
    await home.make_unit(cluster, org, residents=0, devices=0)
    spaces = [new_id(now) for _ in range(number)]
    owner = await asyncpg.connect(cluster.dsn())
    unit = await owner.fetchval("SELECT unit_id FROM unit WHERE org_id = $1", org)
    medication = [medication_of(space) for space in spaces]
    accounts = [new_id(now) for _ in spaces]
    await owner.execute(_PEOPLE, org, unit, spaces, medication, accounts, NOW)
    keys = [_public_key() for _ in range(min(number, _KEYS))]
    await owner.execute(_DEVICES, org, list(push), keys, secrets.token_bytes(16), NOW)
    await owner.execute("ANALYZE")
    await owner.close()
    return org


def _public_key() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


async def due(
    owner: asyncpg.Connection, org: UUID, at: datetime, *, each: int, of: int | None = None
) -> None:
    """Let `each` reminders of every resident, or of so many, be due at `at`."""
    await owner.execute(_DUE, org, at, each, of)


async def planned(cluster: Cluster, org: UUID) -> None:
    """Let all be planned and tidied already: a worker has nothing to do but ring."""
    owner = await asyncpg.connect(cluster.dsn())
    await owner.execute(_PLANNED, org)
    await owner.close()


async def nothing(owner: asyncpg.Connection) -> None:
    """Let nothing be due, open, or on its way."""
    await owner.execute("TRUNCATE due, occurrence, answer, delivery, alert")
