"""A whole client of MOS-Sync 1 with Python's standard library alone; docs/sync.md is the protocol.

    python sync_client.py http://127.0.0.1:8080 someone@example.org PASSWORD FILE [OCCURRENCE]

It keeps everything in FILE, says "Klar" for an occurrence when asked to, and then follows what
happens until it is stopped. What it writes is on its disk before it is sent, and for two weeks
after: a lost answer costs nothing, and a server that was put back from a copy gets it again.
"""

import json
import os
import random
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

BATCH = 100
RING_MS = 14 * 24 * 3600 * 1000


class Refused(Exception):
    """The server said no (RFC 9457): trying again unchanged would change nothing."""


class Client:
    """One device of one person."""

    def __init__(self, url: str, file: Path) -> None:
        """Speak to the server at `url`; keep everything in `file`, and go on from there."""
        self.url, self.file = url.rstrip("/"), file
        self.http = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        self.kept: dict[str, Any] = {"device": str(uuid.uuid4()), "clock": 0, "n": {}}
        self.kept |= {"outbox": [], "ring": [], "refused": [], "cursors": {}, "rows": {}}
        if file.exists():
            self.kept |= json.loads(file.read_text())
        self.actor = self.kept["device"].replace("-", "")[16:]
        self.ahead_ms = 0

    def sign_in(self, email: str, password: str) -> dict[str, Any]:
        """Open a session; return who is signed in and whom they may see."""
        who = {"email": email, "password": password, "device_id": self.kept["device"]}
        return self._ask("/api/v1/session", who)

    def event(self, space: str, coll: str, v: dict[str, Any]) -> str:
        """Note that something happened; return the op's id. It is sent by `sync`."""
        self.kept["n"][space] = n = self.kept["n"].get(space, 0) + 1
        op = {"op": uuid7(), "n": n, "space": space, "hlc": self._stamp()}
        op |= {"k": "event", "coll": coll, "v": v}
        self.kept["outbox"].append(op)
        self._save()
        return str(op["op"])

    def klar(self, space: str, occ: str) -> str:
        """Say "Klar" for an occurrence, `<reminder>@2026-11-27T08:00`."""
        return self.event(space, "completion", {"occ": occ, "at": now(), "st": "done"})

    def _stamp(self) -> str:
        # Milliseconds and counter are one number: later than the last one, whatever the clock does.
        present = (int(time.time() * 1000) + self.ahead_ms) << 16
        self.kept["clock"] = max(self.kept["clock"] + 1, present)
        return f"{self.kept['clock']:016x}{self.actor}"

    def _save(self) -> None:
        draft = self.file.with_suffix(".new")
        with draft.open("w") as out:
            json.dump(self.kept, out)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(self.file)

    def sync(self) -> None:
        """Send what waits and fetch what is new, again and again until it worked."""
        for attempt in range(8):
            try:
                self.hello()
                self.push()
                self.pull()
            except OSError:
                time.sleep(min(2**attempt, 60) * random.uniform(0.05, 0.1))
            else:
                return
        raise OSError(f"{self.url} does not answer")

    def hello(self) -> None:
        """Greet; learn the server's time, and what it has of ours."""
        said = self._post("hello", proto=[1, 1], app="example", sent=self.kept["n"])
        there = datetime.fromisoformat(said["server_now"])
        self.ahead_ms = int((there.timestamp() - time.time()) * 1000)
        # What it does not know, though it may have answered it: it was put back from a copy.
        ranges = [(space, *pair) for space, pairs in said["missing"].items() for pair in pairs]
        ranges += [(s, n + 1, self.kept["n"].get(s, 0)) for s, n in said["acked"].items()]
        unheard = {(space, n) for space, first, last in ranges for n in range(first, last + 1)}
        back = [op for op in self.kept["ring"] if (op["space"], op["n"]) in unheard]
        self.kept["ring"] = [op for op in self.kept["ring"] if op not in back]
        self.kept["outbox"] = sorted(back + self.kept["outbox"], key=lambda op: op["n"])
        gone = sorted(unheard - {(op["space"], op["n"]) for op in self.kept["outbox"]})
        if lost := {s: [[n, n] for space, n in gone if space == s] for s, _ in gone}:
            self._post("hello", proto=[1, 1], lost=lost)

    def push(self) -> None:
        """Send what waits; keep what is to be sent again, and for its person what was refused."""
        while ops := self.kept["outbox"][:BATCH]:
            answer = self._post("push", batch=str(uuid.uuid4()), ops=ops)
            verdict = {result["op"]: result for result in answer["results"]}
            again = [op for op in ops if verdict[op["op"]]["s"] == "retry"]
            no = [op for op in ops if verdict[op["op"]]["s"] in ("invalid", "forbidden", "gone")]
            known = [op for op in self.kept["refused"] if op["op"] not in verdict]
            self.kept["refused"] = known + [op | {"why": verdict[op["op"]]} for op in no]
            old = f"{int(time.time() * 1000) - RING_MS << 16:016x}"
            ring = self.kept["ring"] + [op for op in ops if op not in again]
            self.kept["ring"] = [op for op in ring if op["hlc"] > old]
            self.kept["outbox"] = again + self.kept["outbox"][len(ops) :]
            self._save()
            if again:
                return

    def pull(self) -> None:
        """Fetch what is new in every space until nothing is left."""
        while True:
            answer = self._post("pull", spaces=self.kept["cursors"])
            for space in answer["gone"]:
                self.kept["rows"].pop(space["id"], None)
                self.kept["cursors"].pop(space["id"], None)
            for space in answer["added"] + answer["reset"]:
                self.kept["rows"][space["id"]] = {}
                self.kept["cursors"][space["id"]] = ""
            for space in answer["spaces"]:
                rows = self.kept["rows"].setdefault(space["id"], {})
                rows.update({row[1]: row for row in space["rows"]})
                self.kept["cursors"][space["id"]] = space["cur"]
            self._save()
            again = answer["added"] or answer["reset"]
            if not again and not any(space["more"] for space in answer["spaces"]):
                return

    def listen(self, patience_s: float = 60) -> Iterator[str]:
        """Yield the name of each poke: `heads` and `acl` mean pull now. Ends with the stream."""
        request = urllib.request.Request(f"{self.url}/sync/v1/poke")
        with self.http.open(request, timeout=patience_s) as stream:
            for line in stream:
                if line.startswith(b"event: "):
                    yield line[7:].decode().strip()

    def _post(self, name: str, **body: Any) -> dict[str, Any]:
        frame = {"schema": 1, "device_id": self.kept["device"], "client_now": now(), "proto": 1}
        return self._ask(f"/sync/v1/{name}", frame | body)

    def _ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {"content-type": "application/json", "x-mos": "1"}
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), headers)
        try:
            with self.http.open(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code in (429, 503):
                raise OSError("later") from error
            raise Refused(json.load(error)) from error


def uuid7() -> str:
    """Return a new id that begins with the moment in which it was made (RFC 9562)."""
    bits = int(time.time() * 1000) << 80 | int.from_bytes(os.urandom(10))
    return str(uuid.UUID(int=bits & ~(15 << 76 | 3 << 62) | 7 << 76 | 2 << 62))


def now() -> str:
    """Return the present in UTC, as the protocol writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def main(url: str, email: str, password: str, file: str, occ: str = "") -> None:
    """Say "Klar" if there is an occurrence to say it for; follow what happens, `bye` or not."""
    client = Client(url, Path(file))
    client.sign_in(email, password)
    client.sync()
    for space, rows in client.kept["rows"].items():
        if occ.partition("@")[0] in rows:
            client.klar(space, occ)
    while True:
        try:
            client.sync()
            for poke in client.listen():
                client.sync()
                print(poke, {space: len(rows) for space, rows in client.kept["rows"].items()})
        except OSError as error:
            print(error, file=sys.stderr)
        time.sleep(random.uniform(1, 4))


if __name__ == "__main__":
    usage = "usage: sync_client.py URL EMAIL PASSWORD FILE [OCCURRENCE]"
    main(*sys.argv[1:]) if len(sys.argv) in {5, 6} else sys.exit(usage)
