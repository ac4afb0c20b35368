"""What PostgreSQL can do at most: the statement of a push, sent by pgbench."""

import json
import subprocess
import tempfile
from pathlib import Path
from uuid import UUID

from bench.home import Home
from bench.http import BenchError
from bench.sync.work import content

NAME = "the same statement by pgbench"

_BATCH = """
\\set space random(1, :spaces)
BEGIN;
SELECT set_config('mos.org', ':org', true),
       set_config('mos.spaces', '{' || bench_space(:space) || '}', true);
SELECT count(*) FROM sync_push(':org', bench_space(:client_id + 1000), ':org', ':org', now(), 0,
  ARRAY[bench_space(:space)], (SELECT jsonb_agg(jsonb_build_object(
    'space', bench_space(:space), 'op', gen_random_uuid(), 'n', i, 'kind', 'set',
    'coll', 'reminder', 'rec', gen_random_uuid(),
    'hlc', lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint), 12, '0') || '0000' || ':actor',
    'val', ':content'::jsonb))
  FROM generate_series(1, :ops) i));
COMMIT;
"""


async def prepare(home: Home, spaces: list[UUID]) -> None:
    """Let pgbench know the spaces by numbers from 1."""
    owner = await home.owner()
    cases = " ".join(f"WHEN {number} THEN '{space}'" for number, space in enumerate(spaces, 1))
    await owner.execute(
        "CREATE OR REPLACE FUNCTION bench_space(n integer) RETURNS uuid LANGUAGE sql IMMUTABLE AS "
        f"$$ SELECT (CASE n {cases} ELSE lpad(to_hex(n), 32, '0') END)::uuid $$"
    )
    await owner.close()


def rate(home: Home, *, spaces: int, size: int, seconds: float) -> float:
    """Return the ops a second of pgbench with eight connections."""
    text = _BATCH
    values = {":org": str(home.org), ":spaces": str(spaces), ":ops": str(size),
              ":actor": "a1" * 8, ":content": json.dumps(content(1))}  # fmt: skip
    for name, value in values.items():
        text = text.replace(name, value)
    cluster = home.cluster
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "push.sql"
        script.write_text(text)
        done = subprocess.run(
            [
                cluster._binaries() / "pgbench", "-n", "-M", "simple",  # noqa: SLF001
                "-f", script, "-c", "8", "-j", "2", "-T", str(max(1, round(seconds))),
                home.app_dsn(),
            ],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    for line in done.stdout.splitlines():
        if line.startswith("tps"):
            return float(line.split()[2]) * size
    raise BenchError(f"pgbench: {done.stderr}")
