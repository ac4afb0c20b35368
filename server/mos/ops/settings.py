"""Reads the settings of one deployment from the environment; docs/settings.md lists every name.

Secrets are never settings: they are files in the folder that MOS_SECRETS names.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

from mos.kernel.clock import Clock, file_clock, system_clock
from mos.kernel.settings import Address, Settings, Smtp

ROOT = Path(__file__).resolve().parents[3]
_HERE = "http://127.0.0.1:8080"


class SettingsError(Exception):
    """A setting is missing or cannot be; the text names it and says what it should be."""


@dataclass(frozen=True)
class Variable:
    """One environment variable: its name and what it is for."""

    name: str
    meaning: str


VARIABLES = (
    Variable("DATABASE_URL", "the database, for the login that owns the schema"),
    Variable("MOS_APP_URL", "the database for `mos serve`; else DATABASE_URL as role mos_app"),
    Variable("MOS_ENGINE_URL", "the database for the engine; else DATABASE_URL as role mos_engine"),
    Variable("MOS_KEYS_URL", "the key store, for the login that owns its schema"),
    Variable("MOS_KEYS_APP_URL", "the key store for serve and work; else MOS_KEYS_URL as mos_keys"),
    Variable("MOS_SECRETS", "folder of the secret files"),
    Variable("MOS_APP_DIR", "the built app"),
    Variable("MOS_ARCHIVE", "folder of the archive; without it nothing is archived"),
    Variable("MOS_PUBLIC_URL", "the address that people type"),
    Variable("MOS_TRUST_URL", "page on which a device learns to trust a private authority"),
    Variable("MOS_TRUSTED_PROXIES", "networks of the proxies in front, separated by commas"),
    Variable("MOS_PASSWORD_COST", "standard or strong: what one guess at a password costs"),
    Variable("MOS_WORKER_METRICS", "where the worker shows its numbers, as 127.0.0.1:9109"),
    Variable("MOS_DEMO", "1: this is a demo, its sign-ins are shown"),
    Variable("MOS_HEARTBEAT_URL", "asked for each minute that all of MOS works, as https://…"),
    Variable("MOS_SMTP", "the mail server, as smtp://login@host:587?from=mos@example.org"),
    Variable("MOS_CHANNEL_NETWORKS", "inner networks that channels may reach, by commas"),
    Variable("MOS_PUSH_PRIVATE_HOSTS", "1: push services may live on private addresses"),
    Variable("MOS_PUSH_REWRITE", "from=to: send a push service's messages elsewhere"),
    Variable("MOS_CLOCK_FILE", "file of seconds to add to the clock"),
    Variable("MOS_CHROMIUM", "the browser of `mos test`"),
)


def read_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings that `environ` asks for. Raises SettingsError."""
    owner = environ.get("DATABASE_URL")
    app_url = environ.get("MOS_APP_URL") or owner
    engine_url = environ.get("MOS_ENGINE_URL") or owner
    keys_url = environ.get("MOS_KEYS_APP_URL") or environ.get("MOS_KEYS_URL")
    trust = environ.get("MOS_TRUST_URL")
    secrets = Path(environ.get("MOS_SECRETS") or ROOT / "var" / "secrets")
    if app_url is None or engine_url is None:
        raise SettingsError(
            "set DATABASE_URL, or MOS_APP_URL and MOS_ENGINE_URL: "
            "postgresql://login:password@host/database"
        )
    if keys_url is None:
        raise SettingsError(
            "set MOS_KEYS_URL: the key store, a database that stands apart from the other "
            "(docs/keys.md says how), as postgresql://login:password@host/database"
        )
    return Settings(
        app_url=app_url,
        app_role=None if environ.get("MOS_APP_URL") else "mos_app",
        engine_url=engine_url,
        engine_role=None if environ.get("MOS_ENGINE_URL") else "mos_engine",
        keys_url=keys_url,
        keys_role=None if environ.get("MOS_KEYS_APP_URL") else "mos_keys",
        secrets=secrets,
        app_dir=Path(environ.get("MOS_APP_DIR") or ROOT / "pwa" / "dist"),
        archive_dir=Path(archive) if (archive := environ.get("MOS_ARCHIVE")) else None,
        public_url=public_url(environ),
        trust_url=_address("MOS_TRUST_URL", trust) if trust else None,
        trusted_proxies=_networks(environ, "MOS_TRUSTED_PROXIES"),
        password_cost=_cost(environ.get("MOS_PASSWORD_COST") or "standard"),
        worker_metrics=_loopback(environ.get("MOS_WORKER_METRICS")),
        demo=_yes(environ, "MOS_DEMO"),
        heartbeat_url=_heartbeat(environ.get("MOS_HEARTBEAT_URL")),
        smtp=_smtp(environ.get("MOS_SMTP"), secrets),
        channel_networks=_networks(environ, "MOS_CHANNEL_NETWORKS"),
        push_private_hosts=_yes(environ, "MOS_PUSH_PRIVATE_HOSTS"),
        push_rewrite=_rewrite(environ.get("MOS_PUSH_REWRITE")),
        clock_file=_clock_file(environ),
    )


def public_url(environ: Mapping[str, str] = os.environ) -> str:
    """Return the address that people type. Raises SettingsError."""
    return _address("MOS_PUBLIC_URL", environ.get("MOS_PUBLIC_URL") or _HERE)


def clock_of(settings: Settings) -> Clock:
    """Return the clock of this deployment: the machine's, or one that a test's file moves."""
    return _clock(settings.clock_file)


def read_clock(environ: Mapping[str, str] = os.environ) -> Clock:
    """Return the clock where there are no other settings yet."""
    return _clock(_clock_file(environ))


def _clock_file(environ: Mapping[str, str]) -> Path | None:
    return Path(file) if (file := environ.get("MOS_CLOCK_FILE")) else None


def _clock(file: Path | None) -> Clock:
    return system_clock if file is None else file_clock(file)


def _yes(environ: Mapping[str, str], name: str) -> bool:
    value = environ.get(name, "")
    if value not in {"", "0", "1"}:
        raise SettingsError(f"{name} is {value!r}: set it to 1 or 0")
    return value == "1"


def _address(name: str, value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path not in {"", "/"}:
        raise SettingsError(
            f"{name} is {value!r}: set it to an address like https://mos.example.org"
        )
    return value.rstrip("/")


def _heartbeat(value: str | None) -> str | None:
    if not value:
        return None
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        # Its path may be a secret, and this is printed.
        raise SettingsError("MOS_HEARTBEAT_URL is wrong: set it to an address like https://…")
    return value


def _networks(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    value = environ.get(name) or ""
    networks = tuple(part.strip() for part in value.split(",") if part.strip())
    for network in networks:
        try:
            ip_network(network)
        except ValueError:
            raise SettingsError(
                f"{name} names {network!r}: set it to networks like 127.0.0.1/32"
            ) from None
    return networks


def _smtp(value: str | None, secrets: Path) -> Smtp | None:
    """Return the mail server of `smtp://login@host:587?from=…` (STARTTLS) or `smtps://…` (TLS)."""
    if not value:
        return None
    wrong = SettingsError(
        "MOS_SMTP is wrong: set it to smtp://login@host:587?from=mos@example.org, or smtps:// for "
        "TLS from the start, and write the password into the secret file smtp.password"
    )
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise wrong from None
    sender = parse_qs(parts.query).get("from", [""])[0]
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or "@" not in sender:
        raise wrong
    if parts.password is not None:
        # An address may be shown, and is: by `ps`, by systemd, in a log.
        raise SettingsError(
            "MOS_SMTP holds a password: write it into the secret file smtp.password"
        )
    if parts.username and not (secrets / "smtp.password").is_file():
        raise SettingsError(
            f"MOS_SMTP signs in as {unquote(parts.username)}: write the password into "
            f"{secrets / 'smtp.password'} (mode 0600)"
        )
    is_tls = parts.scheme == "smtps"
    return Smtp(
        host=parts.hostname,
        port=port or (465 if is_tls else 587),
        security="tls" if is_tls else "starttls",
        login=unquote(parts.username or ""),
        sender=sender,
    )


def _loopback(value: str | None) -> Address | None:
    if not value:
        return None
    parts = urlsplit(f"//{value}")
    with suppress(ValueError):
        if parts.port and parts.hostname and ip_address(parts.hostname).is_loopback:
            return Address(parts.hostname, parts.port)
    raise SettingsError(
        f"MOS_WORKER_METRICS is {value!r}: set it to an address of this machine like 127.0.0.1:9109"
    )


def _cost(value: str) -> Literal["standard", "strong"]:
    if value == "standard":
        return "standard"
    if value == "strong":
        return "strong"
    raise SettingsError(f"MOS_PASSWORD_COST is {value!r}: set it to standard or strong")


def _rewrite(value: str | None) -> tuple[str, str] | None:
    if not value:
        return None
    origin, sign, other = value.partition("=")
    if not sign:
        raise SettingsError("MOS_PUSH_REWRITE is wrong: set it to from=to, two origins")
    return origin, other
