"""How fast a push is: over HTTP with session, permission and durable commit, beside pgbench alone.

    .venv/bin/python bench/sync_push.py [--clients 64] [--ops 100] [--seconds 5] [--workers 2]

Starts a PostgreSQL of its own (fsync on), makes one home of 64 residents, and measures in turn
- pgbench: BEGIN, scope, sync_push, COMMIT with batches made by the statement itself;
- HTTP: uvicorn with the edge and synchronisation, keep-alive connections, ops made beforehand.
Each device writes to a space of its own (`--spaces 1`: all to one). The domains' hooks are left
out: this is the price of synchronisation. The clients share the machine's cores with what they
measure. `history` is how many ops the spaces have before; the rates must not depend on it.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import uvicorn

sys.path.insert(0, str(Path(__file__).parents[1] / "server"))

from mos.care.actions.session_keys import SessionKeys
from mos.care.actions.tokens import new_token, token_hash
from mos.db import connect, settle
from mos.db.migrate import migrate
from mos.kernel.clock import system_clock
from mos.kernel.ids import new_id
from mos.kernel.settings import Settings
from mos.ops import logs, postgres
from mos.sync.model import Collection
from mos.sync.pokes import Hub
from mos.web.edge import Edge
from mos.web.metrics import Metrics
from mos.web.sync import sync_app

COLLECTIONS = {
    "reminder": Collection(name="reminder", kind="set", write="plan.edit", check=lambda _: None)
}
RULE = {"zone": "Europe/Stockholm", "kind": "weekly", "days": ["mon"], "times": ["08:00"]}
PASSWORDS = {"mos_app": "app", "mos_engine": "engine"}


class Durable(postgres.Cluster):
    """A cluster that trusts local logins, as a test's does, and writes to disk, as a real one."""


def a_cluster(directory: Path) -> postgres.Cluster:
    postgres._FAST_SETTINGS.clear()  # noqa: SLF001  keep the trust, not the haste
    cluster = Durable(directory, fast=True)
    cluster.create()
    cluster.start()
    return cluster


async def arrange(owner_dsn: str, spaces: int, clients: int) -> tuple[UUID, list[UUID], list[str]]:
    """Make a home; return its organisation, its spaces and a cookie for each client."""
    owner = await asyncpg.connect(owner_dsn)
    now = datetime.now(UTC)
    org, unit, account = new_id(now), new_id(now), new_id(now)
    await owner.execute(
        "INSERT INTO organisation VALUES ($1, 'Bench', 'family', 'Europe/Stockholm', 'sv', $2)",
        org, now,
    )  # fmt: skip
    await owner.execute(
        "INSERT INTO unit (org_id, unit_id, name, zone, language, created_at) "
        "VALUES ($1, $2, 'Eken', 'Europe/Stockholm', 'sv', $3)",
        org, unit, now,
    )  # fmt: skip
    people = [(org, account, "caregiver", "Kim", "sv", now)]
    ids = [new_id(now) for _ in range(spaces)]
    residents = [new_id(now) for _ in ids]
    people += [(org, resident, "resident", "Elsa", "sv", now) for resident in residents]
    await owner.executemany(
        "INSERT INTO account (org_id, account_id, role, name, language, created_at) "
        "VALUES ($1, $2, $3, $4, $5, $6)",
        people,
    )
    await owner.executemany(
        "INSERT INTO space (org_id, space_id, kind) VALUES ($1, $2, 'resident')",
        [(org, space) for space in ids],
    )
    await owner.executemany(
        "INSERT INTO resident (org_id, space_id, medication_id, account_id, unit_id) "
        "VALUES ($1, $2, gen_random_uuid(), $3, $4)",
        [(org, space, resident, unit) for space, resident in zip(ids, residents, strict=True)],
    )
    await owner.execute(
        "INSERT INTO relation (org_id, relation_id, account_id, unit_id, permissions, valid_from) "
        "VALUES ($1, $2, $3, $4, $5, $6)",
        org, new_id(now), account, unit, ["plan.view", "plan.edit"], now - timedelta(1),
    )  # fmt: skip
    tokens = [new_token() for _ in range(clients)]
    await owner.executemany(
        "INSERT INTO session (org_id, session_id, account_id, token_hash, created_at, seen_at, "
        "expires_at) VALUES ($1, $2, $3, $4, $5, $5, $6)",
        [(org, new_id(now), account, token_hash(t), now, now + timedelta(1)) for t in tokens],
    )
    await owner.close()
    return org, ids, tokens


# ────────────────────────────────────────────────── pgbench

BATCH = """
\\set space random(1, :spaces)
BEGIN;
SELECT set_config('mos.org', ':org', true),
       set_config('mos.spaces', '{' || bench_space(:space) || '}', true);
SELECT count(*) FROM sync_push(':org', bench_space(:client_id + 1000), ':org', ':org', now(), 0,
  ARRAY[bench_space(:space)], (SELECT jsonb_agg(jsonb_build_object(
    'space', bench_space(:space), 'op', gen_random_uuid(), 'n', i, 'kind', 'set',
    'coll', 'reminder', 'rec', gen_random_uuid(),
    'hlc', lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint), 12, '0') || '0000' || :actor,
    'val', jsonb_build_object('title', 'Frukost ' || i, 'minutes', 30, 'rule', ':rule'::jsonb)))
  FROM generate_series(1, :ops) i));
COMMIT;
"""


async def prepare_pgbench(cluster: postgres.Cluster, spaces: list[UUID]) -> None:
    owner = await asyncpg.connect(cluster.dsn())
    cases = " ".join(f"WHEN {number} THEN '{space}'" for number, space in enumerate(spaces, 1))
    await owner.execute(
        "CREATE OR REPLACE FUNCTION bench_space(n integer) RETURNS uuid LANGUAGE sql IMMUTABLE AS "
        f"$$ SELECT (CASE n {cases} ELSE lpad(to_hex(n), 32, '0') END)::uuid $$"
    )
    await owner.close()


def pgbench(
    cluster: postgres.Cluster, args: argparse.Namespace, org: UUID, spaces: list[UUID]
) -> float:
    script = Path(tempfile.mkstemp(suffix=".sql")[1])
    values = {":rule": json.dumps(RULE), ":org": str(org), ":spaces": str(len(spaces)),
              ":ops": str(args.ops), ":actor": f"'{'a1' * 8}'"}  # fmt: skip
    text = BATCH
    for name, value in values.items():
        text = text.replace(name, value)
    script.write_text(text)
    script.chmod(0o644)
    try:
        done = subprocess.run(
            [
                cluster._binaries() / "pgbench", "-n", "-M", "simple",  # noqa: SLF001
                "-f", script, "-c", "8", "-j", "2", "-T", str(args.seconds),
                cluster.dsn("mos_app"),
            ],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    finally:
        script.unlink()
    for line in done.stdout.splitlines():
        if line.startswith("tps"):
            return float(line.split()[2]) * args.ops
    raise SystemExit(done.stderr)


# ────────────────────────────────────────────────── HTTP


def serve(dsn: str, sock: socket.socket) -> None:
    """One worker process: the edge and synchronisation, nothing else."""
    # A request's line is made as a real server makes it, and goes where nobody reads.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    logs.configure()

    async def main() -> None:
        pool = await connect(dsn, size=8)
        hub = Hub(pool)
        settings = Settings(app_url=dsn, engine_url=dsn, secrets=Path(), app_dir=Path())
        sync = sync_app(pool, system_clock, COLLECTIONS, hub, SessionKeys(b"nothing is signed"))
        app = Edge(sync, settings, Metrics())
        settle()
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
        await asyncio.gather(hub.run(), uvicorn.Server(config).serve([sock]))

    asyncio.run(main())


def bodies(space: UUID, ops: int, count: int) -> list[bytes]:
    device, now = uuid4(), datetime.now(UTC)
    moment = f"{int(now.timestamp() * 1000):012x}"
    frame = {"proto": 1, "schema": 1, "device_id": str(device), "client_now": now.isoformat()}
    return [
        json.dumps(frame | {"ops": [
            {"op": str(new_id(now)), "n": batch * ops + number + 1, "space": str(space), "k": "set",
             "hlc": f"{moment}{number:04x}{device.hex[16:]}", "coll": "reminder",
             "rec": str(new_id(now)),
             "f": {"title": f"Frukost {number}", "minutes": 30, "rule": RULE}}
            for number in range(ops)
        ]}).encode()
        for batch in range(count)
    ]  # fmt: skip


async def client(port: int, token: str, batches: list[bytes], until: float) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    seconds = []
    for body in batches:
        started = time.perf_counter()
        if started > until:
            break
        writer.write(
            b"POST /sync/v1/push HTTP/1.1\r\nhost: x\r\nx-mos: 1\r\ncontent-type: application/json"
            b"\r\ncookie: mos=" + token.encode()
            + b"\r\ncontent-length: %d\r\n\r\n" % len(body) + body
        )  # fmt: skip
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(head.decode())
        length = next(
            int(line.split(b":")[1])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length")
        )
        answer = await reader.readexactly(length)
        if answer.count(b'"applied"') != body.count(b'"op"'):
            raise SystemExit(answer[:400].decode())
        seconds.append(time.perf_counter() - started)
    writer.close()
    return seconds


async def over_http(args: argparse.Namespace, port: int, spaces: list[UUID], tokens: list[str]
                    ) -> tuple[float, list[float]]:  # fmt: skip
    most = max(4, int(args.seconds * 60_000 / args.ops / args.clients))
    work = [bodies(spaces[n % len(spaces)], args.ops, most) for n in range(args.clients)]
    started = time.perf_counter()
    until = started + args.seconds
    runs = await asyncio.gather(
        *(client(port, token, batches, until) for token, batches in zip(tokens, work, strict=True))
    )
    elapsed = time.perf_counter() - started
    took = sorted(second for run in runs for second in run)
    return len(took) * args.ops / elapsed, took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name, default in (("clients", 64), ("ops", 100), ("workers", 2), ("spaces", 64)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    args.seconds = int(args.seconds)
    directory = Path(tempfile.mkdtemp(prefix="mos-bench-"))
    directory.chmod(0o755)
    cluster = a_cluster(directory)
    workers: list[multiprocessing.Process] = []
    try:
        asyncio.run(prepare(cluster))
        home = asyncio.run(arrange(cluster.dsn(), args.spaces, args.clients))
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", 0))
        sock.listen(1024)
        dsn = cluster.dsn("mos_app")
        workers = [
            multiprocessing.Process(target=serve, args=(dsn, sock), daemon=True)
            for _ in range(args.workers)
        ]
        for worker in workers:
            worker.start()
        time.sleep(2)
        report(cluster, args, sock.getsockname()[1], home)
    finally:
        for worker in workers:
            worker.terminate()
            worker.join()
        cluster.stop()
        shutil.rmtree(directory, ignore_errors=True)


async def prepare(cluster: postgres.Cluster) -> None:
    connection = await asyncpg.connect(cluster.dsn(database="postgres"))
    await connection.execute("CREATE DATABASE mos")
    await connection.close()
    await migrate(cluster.dsn(), passwords=PASSWORDS)


def report(
    cluster: postgres.Cluster,
    args: argparse.Namespace,
    port: int,
    home: tuple[UUID, list[UUID], list[str]],
) -> None:
    org, spaces, tokens = home
    asyncio.run(prepare_pgbench(cluster, spaces))
    print(
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {args.clients} clients, "
        f"{args.ops} ops a batch, {len(spaces)} spaces, {args.workers} workers, fsync on"
    )
    alone, http, history = [], [], 0
    for run in range(args.runs):
        alone.append(pgbench(cluster, args, org, spaces))
        rate, took = asyncio.run(over_http(args, port, spaces, tokens))
        http.append(rate)
        history = asyncio.run(counted(cluster))
        p95, p99 = (took[int(len(took) * share)] * 1000 for share in (0.95, 0.99))
        print(f"run {run + 1}: pgbench {alone[-1]:8,.0f} ops/s   HTTP {rate:8,.0f} ops/s   "
              f"p50 {statistics.median(took) * 1000:.0f} p95 {p95:.0f} p99 {p99:.0f} ms   "
              f"history {history:,}")  # fmt: skip
    share = statistics.median(http) / statistics.median(alone)
    print(f"median: HTTP {statistics.median(http):,.0f} ops/s = {share:.2f} of pgbench")


async def counted(cluster: postgres.Cluster) -> int:
    connection = await asyncpg.connect(cluster.dsn())
    count = await connection.fetchval("SELECT sum(head_seq) FROM space")
    await connection.close()
    return int(count)


if __name__ == "__main__":
    main()
