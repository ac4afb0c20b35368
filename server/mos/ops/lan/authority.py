"""A private certificate authority for one home, and the certificate that its server shows.

Who trusts the authority should not have to trust it with the whole web: it is constrained to
private addresses and to this machine's own names (RFC 5280, name constraints).
"""

import ipaddress
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mos.ops.secret_files import write_secret

_CA_LIFE = timedelta(days=3650)
# Phones refuse server certificates that run longer than about thirteen months.
_LEAF_LIFE = timedelta(days=397)
_RENEW_BEFORE = timedelta(days=30)
# Clocks of phones are not always right.
_BACKDATE = timedelta(days=1)

# RFC 1918, RFC 3927, RFC 4193, loopback, and what carriers and home networks share (RFC 6598).
_PRIVATE = (
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10",
    "127.0.0.0/8", "fc00::/7", "fe80::/10", "::1/128",
)  # fmt: skip


@dataclass(frozen=True)
class Files:
    """Where an authority and its server certificate lie."""

    folder: Path

    @property
    def ca(self) -> Path:
        """The authority's certificate, which phones are asked to trust."""
        return self.folder / "ca.pem"

    @property
    def ca_key(self) -> Path:
        """The authority's key, which never leaves the machine."""
        return self.folder / "ca.key"

    @property
    def leaf(self) -> Path:
        """The server's certificate, followed by the authority's."""
        return self.folder / "server.pem"

    @property
    def leaf_key(self) -> Path:
        """The server's key."""
        return self.folder / "server.key"


def prepare(folder: Path, addresses: list[str], names: list[str], now: datetime) -> Files:
    """Return the files, with a valid certificate for just these addresses and names.

    The authority is made once and kept while it can sign for them: phones trust it by hand.
    """
    files = Files(folder)
    folder.mkdir(mode=0o700, exist_ok=True)
    wanted = _alternative_names(addresses, names)
    authority = _read_authority(files, wanted, now) or _make_authority(files, names, addresses, now)
    if not _is_current(files, wanted, authority[0], now):
        _make_leaf(files, wanted, authority, now)
    return files


def fingerprint(files: Files) -> str:
    """Return the authority's SHA-256 in groups of four, as phones show it."""
    certificate = x509.load_pem_x509_certificate(files.ca.read_bytes())
    digits = certificate.fingerprint(hashes.SHA256()).hex().upper()
    return " ".join(re.findall("....", digits))


def ca_der(files: Files) -> bytes:
    """Return the authority's certificate in the form that every kind of device installs."""
    return x509.load_pem_x509_certificate(files.ca.read_bytes()).public_bytes(Encoding.DER)


_Authority = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def _alternative_names(addresses: list[str], names: list[str]) -> list[x509.GeneralName]:
    ips = [ipaddress.ip_address(address) for address in [*addresses, "127.0.0.1"]]
    return [
        *(x509.DNSName(name) for name in [*names, "localhost"]),
        *(x509.IPAddress(ip) for ip in dict.fromkeys(ips)),
    ]


def _read_authority(
    files: Files, wanted: list[x509.GeneralName], now: datetime
) -> _Authority | None:
    if not (files.ca.exists() and files.ca_key.exists()):
        return None
    certificate = x509.load_pem_x509_certificate(files.ca.read_bytes())
    key = load_pem_private_key(files.ca_key.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        return None
    lasts = certificate.not_valid_after_utc > now + _LEAF_LIFE
    return (certificate, key) if lasts and _permits(certificate, wanted) else None


def _permits(authority: x509.Certificate, wanted: list[x509.GeneralName]) -> bool:
    constraints = authority.extensions.get_extension_for_class(x509.NameConstraints).value
    permitted = constraints.permitted_subtrees or []
    names = {name.value for name in permitted if isinstance(name, x509.DNSName)}
    nets = [name.value for name in permitted if isinstance(name, x509.IPAddress)]
    for name in wanted:
        if isinstance(name, x509.DNSName):
            if name.value not in names and not name.value.endswith(".local"):
                return False
        elif not any(
            isinstance(net, (ipaddress.IPv4Network, ipaddress.IPv6Network)) and name.value in net
            for net in nets
        ):
            return False
    return True


def _make_authority(
    files: Files, names: list[str], addresses: list[str], now: datetime
) -> _Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    title = f"MOS ({names[0]})" if names else "MOS"
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, title),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "MOS, this home's own authority"),
        ]
    )
    networks = [ipaddress.ip_network(net) for net in _PRIVATE]
    # A machine with a public address may be meant to be reached there: just that one, then.
    own = [
        ipaddress.ip_network(address)
        for address in addresses
        if not any(ipaddress.ip_address(address) in net for net in networks)
    ]
    permitted: list[x509.GeneralName] = [
        *(x509.DNSName(name) for name in [*names, "localhost", "local"]),
        *(x509.IPAddress(net) for net in [*networks, *own]),
    ]
    certificate = (
        _builder(subject, subject, key, now, _CA_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write_key(files.ca_key, key)
    write_secret(files.ca, certificate.public_bytes(Encoding.PEM))
    return certificate, key


def _is_current(
    files: Files, wanted: list[x509.GeneralName], authority: x509.Certificate, now: datetime
) -> bool:
    if not (files.leaf.exists() and files.leaf_key.exists()):
        return False
    leaf = x509.load_pem_x509_certificates(files.leaf.read_bytes())[0]
    present = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    issuer = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    signer = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return (
        set(present) == set(wanted)
        and issuer.key_identifier == signer.digest
        and leaf.not_valid_after_utc > now + _RENEW_BEFORE
    )


def _make_leaf(
    files: Files, wanted: list[x509.GeneralName], authority: _Authority, now: datetime
) -> None:
    signer, signing_key = authority
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "MOS")])
    certificate = (
        _builder(subject, signer.subject, key, now, _LEAF_LIFE)
        .add_extension(x509.SubjectAlternativeName(wanted), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()),
            critical=False,
        )
        .sign(signing_key, hashes.SHA256())
    )
    _write_key(files.leaf_key, key)
    chain = certificate.public_bytes(Encoding.PEM) + signer.public_bytes(Encoding.PEM)
    write_secret(files.leaf, chain)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    now: datetime,
    life: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATE)
        .not_valid_after(now - _BACKDATE + life)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    write_secret(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
