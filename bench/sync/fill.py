"""Makes a past for spaces, by the function that every push goes through."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from bench.home import Home
from bench.sync.work import TEXT, content

_ROUND = 2000
_FILL = """
SELECT count(*) FROM sync_push($1, $2, $2, $2, now(), 0, ARRAY[$3::uuid],
  (SELECT jsonb_agg(jsonb_build_object(
    'space', $3::uuid, 'op', gen_random_uuid(), 'n', $4::bigint + i, 'kind', 'set',
    'coll', 'reminder', 'rec', gen_random_uuid(),
    'hlc', lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint), 12, '0')
           || lpad(to_hex(i), 4, '0') || $7::text,
    'val', $5::jsonb || jsonb_build_object(
      'title', 'Frukost ' || i, 'note', substr($8::text, 1 + (i * 37) % (length($8) - 80), 80))))
   FROM generate_series(1, $6::integer) i))
"""


async def fill(home: Home, spaces: Sequence[UUID], records: int) -> None:
    """Write `records` new records to each of `spaces`."""
    owner = await home.owner()
    text = msgspec.json.encode(content(1)).decode()
    for number, space in enumerate(spaces):
        device = UUID(int=(number + 1 << 64) + records)
        for done in range(0, records, _ROUND):
            size = min(_ROUND, records - done)
            await owner.fetchval(
                _FILL,
                home.org,
                device,
                space,
                done,
                text,
                size,
                device.hex[:16],
                TEXT,
            )
    await owner.execute("ANALYZE")
    await owner.close()
