"""Runs the push service of the bench (bench.ring.sink) and asks it what came."""

import datetime as dt
import json
import signal
import subprocess
import sys
import urllib.request
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from bench import processes
from mos.ops.postgres import die_with_parent
from mos.ops.settings import ROOT


@dataclass(frozen=True)
class Service:
    """A push service that runs: where it takes messages."""

    origins: tuple[str, ...]

    def count(self) -> int:
        """Return how many messages it has taken."""
        return int(_get(f"{self.origins[0]}/count"))

    def take(self) -> list[float]:
        """Return when each message came, Unix seconds, in order; and let it forget them."""
        found = array("d")
        found.frombytes(_get(f"{self.origins[0]}/take"))
        return found.tolist()


def _get(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=60) as answer:  # noqa: S310  our own
        body: bytes = answer.read()
        return body


@contextmanager
def running(certificate: tuple[Path, Path] | None = None) -> Iterator[Service]:
    """Run the service: over TLS with a certificate and its key, else in the clear."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "bench.ring.sink", *map(str, certificate or ())],
        stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": f"{ROOT}:{ROOT / 'server'}"},
        preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509  one prctl, no locks
    )  # fmt: skip
    try:
        ports = json.loads(process.stdout.readline() if process.stdout else "[]")
        scheme = "https" if certificate else "http"
        yield Service(tuple(f"{scheme}://127.0.0.1:{port}" for port in ports))
    finally:
        processes.stop(process)


def certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate of this machine in `folder`; return it and its key, PEM files."""
    now = dt.datetime.now(dt.UTC)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mos bench")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    public, private = folder / "sink.pem", folder / "sink.key"
    public.write_bytes(made.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return public, private
