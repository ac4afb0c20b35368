"""The sockets on which `mos up` serves, taken before anything else is touched."""

import errno
import socket
import time
from dataclasses import dataclass
from ipaddress import ip_address

from mos.ops.data_directory import Refused

# What a port can be: 0 lets the system choose a free one.
ANY = 0


@dataclass(frozen=True)
class Wanted:
    """One socket that is wanted: where, what for, and which option chooses another port."""

    host: str
    port: int
    purpose: str
    option: str


def listen(wanted: Wanted, *, patience_s: float) -> socket.socket:
    """Return a listening socket; raises Refused with one sentence.

    A port that is taken is tried for `patience_s`: whoever holds it may be about to end.
    """
    deadline = time.monotonic() + patience_s
    while True:
        try:
            return _open(wanted.host, wanted.port)
        except socket.gaierror:
            raise _no_address_here(wanted) from None
        except OSError as error:
            if error.errno == errno.EADDRINUSE and time.monotonic() < deadline:
                time.sleep(0.05)
                continue
            raise _why_not(error, wanted) from None


def listen_near(wanted: Wanted) -> socket.socket:
    """Return a socket on the wanted port if it is free, else on any port; raises Refused."""
    try:
        return _open(wanted.host, wanted.port)
    except OSError:
        return listen(Wanted(wanted.host, ANY, wanted.purpose, wanted.option), patience_s=0)


def _open(host: str, port: int) -> socket.socket:
    family, *_, place = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    return socket.create_server(place[:2], family=family, backlog=1024)


def _why_not(error: OSError, wanted: Wanted) -> Refused:
    what = f"port {wanted.port} on {wanted.host}, for {wanted.purpose},"
    another = f"choose another with {wanted.option}"
    if error.errno == errno.EADDRINUSE:
        return Refused(f"{what} is in use by another program: {another}")
    if error.errno in {errno.EACCES, errno.EPERM}:
        return Refused(f"{what} is for root alone: choose one above 1023 with {wanted.option}")
    if error.errno == errno.EADDRNOTAVAIL:
        return _no_address_here(wanted)
    return Refused(f"{what} cannot be listened on ({error.strerror}): {another}")


def _no_address_here(wanted: Wanted) -> Refused:
    return Refused(f"{wanted.host} is no address of this machine: choose --host")


def require_encryption(host: str, *, tls: bool, public_url: str, how: str) -> None:
    """Refuse to serve a network in the clear; `how` says what would encrypt it. Raises Refused.

    On this machine alone nobody listens, and behind an https address a proxy encrypts.
    """
    try:
        is_here = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        is_here = False
    if not (is_here or tls or public_url.startswith("https:")):
        raise Refused(
            f"on {host} passwords and plans would cross the network for everybody to read: {how}, "
            "or set MOS_PUBLIC_URL to the https:// address of the proxy in front"
        )
