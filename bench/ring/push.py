"""R3: push messages encrypted, signed and posted over TLS, beside pywebpush and npm's web-push.

What is compared is messages in a second of the sender's own processor time, which is what one core
sends: the push service beside it may then take what it needs.
"""

import json
import os
import secrets
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bench import peers
from bench.http import BenchError
from bench.peers import NODE
from bench.report import Goal, Result, number, result
from bench.ring import crew, service
from bench.ring.bench import Bench, Size
from bench.ring.crew import Command
from mos.dispatch.webpush import Subscription, encrypt

_HERE = Path(__file__).parent
_MESSAGES = Size(quick=300, usual=6_000)
_BROWSERS = 200
# As many connections as MOS opens to one service.
_LINES = 64
# As long as a ring's: ids and nothing else.
_PAYLOAD = json.dumps({"kind": "ring", "space": "0" * 36, "occ": "0" * 53}).ljust(150)
_PYWEBPUSH = ("pywebpush==2.5.0", "aiohttp==3.14.5", "cryptography==50.0.2", "uvloop==0.23.0")
_WEB_PUSH = ("web-push@3.6.7",)


def sent(bench: Bench) -> list[Result]:
    """Return messages a second and core of each sender, and of encryption alone."""
    count = bench.much(_MESSAGES)
    python = peers.python_with(bench.place / "pywebpush", _PYWEBPUSH)
    modules = peers.modules_with(bench.place / "web-push", _WEB_PUSH)
    with tempfile.TemporaryDirectory() as folder:
        certificate = service.certificate(Path(folder))
        trust = {"SSL_CERT_FILE": str(certificate[0]), "NODE_EXTRA_CA_CERTS": str(certificate[0])}
        environment = os.environ | trust | {"NODE_PATH": str(modules)}
        with service.running(certificate) as sink:
            work = Path(folder) / "work.json"
            work.write_text(json.dumps(_work(sink.origins[0], count)))
            found = _in_turn(
                bench, environment, count,
                ours=crew.worker("push", str(work)),
                pywebpush=(python, "-P", _HERE / "push_pywebpush.py", work),
                web_push=(NODE, _HERE / "push_web_push.cjs", work),
            )  # fmt: skip
    return [*_table(found), _encryption(bench)]


def _in_turn(
    bench: Bench, environment: Mapping[str, str], count: int, **senders: Command
) -> dict[str, tuple[list[float], list[float]]]:
    """Return of each sender the messages in a second of processor time, and in one that passed."""
    found: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in senders}
    for _ in range(bench.runs):
        for name, command in senders.items():
            done = crew.work([command], environment)
            if done.total("done") != count:
                raise BenchError(f"{name} sent {done.total('done')} of {count}")
            found[name][0].append(count / done.total("cpu"))
            found[name][1].append(count / done.seconds)
    return found


def _table(found: dict[str, tuple[list[float], list[float]]]) -> list[Result]:
    name = "R3 push messages encrypted, signed and posted"
    passed = {
        each: f"{number(max(rates))} a second that passed" for each, (_, rates) in found.items()
    }
    return [
        result(
            name, found["ours"][0], "a core second",
            versus=("pywebpush 2.5, webpush_async", found["pywebpush"][0]),
            goal=Goal(least=2, is_ratio=True),
            note=f"TLS on this machine, {_LINES} connections kept alive. {passed['ours']}; "
            f"pywebpush {passed['pywebpush']}. pywebpush signs each message anew.",
        ),
        result(
            f"{name}, beside web-push", found["ours"][0], "a core second",
            versus=("npm web-push 3.6", found["web_push"][0]),
            note=f"Node 24, an https.Agent that keeps {_LINES} connections: {passed['web_push']}. "
            "It signs each message anew, too.",
        ),
    ]  # fmt: skip


def _work(origin: str, count: int) -> dict[str, object]:
    return {
        "number": count,
        "lines": _LINES,
        "payload": _PAYLOAD,
        "subscriptions": [
            {
                "endpoint": f"{origin}/{secrets.token_hex(16)}",
                "p256dh": _public(ec.generate_private_key(ec.SECP256R1())).hex(),
                "auth": secrets.token_bytes(16).hex(),
            }
            for _ in range(_BROWSERS)
        ],
    }


def _public(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _encryption(bench: Bench) -> Result:
    theirs = ec.generate_private_key(ec.SECP256R1())
    subscription = Subscription("", _public(theirs), secrets.token_bytes(16))
    payload = _PAYLOAD.encode()

    def encrypted() -> None:
        encrypt(payload, subscription)

    def floor() -> None:
        ec.generate_private_key(ec.SECP256R1()).exchange(ec.ECDH(), theirs.public_key())

    times = 300 if bench.quick else 3_000
    ours, bare = [], []
    for _ in range(bench.runs + 2):
        ours.append(_rate(encrypted, times))
        bare.append(_rate(floor, times))
    return result(
        "R3 encryption alone", ours, "a core second",
        versus=("a new key and ECDH alone", bare), goal=Goal(least=0.6, is_ratio=True),
        note="Each message needs a new key and one exchange of keys: no sender does without.",
    )  # fmt: skip


def _rate(work: Callable[[], None], times: int) -> float:
    before = time.process_time()
    for _ in range(times):
        work()
    return times / (time.process_time() - before)
