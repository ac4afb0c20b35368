"""Which addresses this machine has on its networks."""

import fcntl
import ipaddress
import socket
import struct

# From linux/sockios.h: the IPv4 address of an interface.
_SIOCGIFADDR = 0x8915
# From netdevice(7): where the address lies in the answer.
_ADDRESS = slice(20, 24)


def lan_addresses() -> list[str]:
    """Return the IPv4 addresses that others on the networks can reach, the likeliest first."""
    found = [address for _, name in socket.if_nameindex() if (address := _address_of(name))]
    usable = sorted(address for address in set(found) if not _is_local(address))
    likeliest = _outward()
    return sorted(usable, key=lambda address: address != likeliest)


def host_names() -> list[str]:
    """Return the names by which this machine may be known on its networks."""
    name = socket.gethostname().lower().removesuffix(".local")
    fit = name and len(name) < 64 and all(c.isascii() and (c.isalnum() or c in "-.") for c in name)
    if not fit or name == "localhost":
        return []
    return [name] if "." in name else [name, f"{name}.local"]


def _address_of(interface: str) -> str | None:
    request = struct.pack("256s", interface.encode()[:15])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            answer = fcntl.ioctl(probe.fileno(), _SIOCGIFADDR, request)
        except OSError:
            return None  # an interface without an IPv4 address
    return socket.inet_ntoa(answer[_ADDRESS])


def _outward() -> str | None:
    """Return the address from which packets leave; nothing is sent to find out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # RFC 5737: belongs to nobody
            return str(probe.getsockname()[0])
        except OSError:
            return None


def _is_local(address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    return parsed.is_loopback or parsed.is_unspecified or parsed.is_link_local
