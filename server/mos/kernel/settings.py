"""What a running MOS is told about its surroundings. Pure data; `mos.ops` reads the environment."""

from pathlib import Path
from typing import Literal

from msgspec import Struct


class Address(Struct, frozen=True):
    """Where something listens."""

    host: str
    port: int


class Smtp(Struct, frozen=True, kw_only=True):
    """The installation's mail server. Its password is the secret file smtp.password."""

    host: str
    port: int
    security: Literal["starttls", "tls"]
    login: str
    sender: str


class Settings(Struct, frozen=True, kw_only=True):
    """One deployment's settings. Secrets are files in `secrets`, never values here."""

    # Where the app's role signs in; where one login plays several, `app_role` is taken after it.
    app_url: str
    app_role: str | None = None
    engine_url: str
    engine_role: str | None = None
    # The key store, a database apart from the others (docs/keys.md).
    keys_url: str = ""
    keys_role: str | None = None
    secrets: Path  # folder, mode 0700: vapid.pem, limits.key, sync.key, seal.key, epoch-<n>.key
    app_dir: Path  # the built app
    # Where the op log's old part goes; without it, all of it stays in the database.
    archive_dir: Path | None = None
    public_url: str = "http://127.0.0.1:8080"  # what people type; https makes cookies Secure
    # Where a device learns to trust the private authority behind `public_url`, when there is one.
    trust_url: str | None = None
    # Proxies in front, as networks ("127.0.0.1/32"): only they are believed in X-Forwarded-For.
    trusted_proxies: tuple[str, ...] = ()
    # What one guess at a password costs: 19 MiB and 30 ms, or 64 MiB and 200 ms (RFC 9106).
    password_cost: Literal["standard", "strong"] = "standard"  # noqa: S105  a cost, no password
    demo: bool = False
    # Where the worker shows its numbers; of this machine, because they are shown to whoever asks.
    worker_metrics: Address | None = None
    # Asked for each minute that the whole chain has proved to work; often with a secret in it.
    heartbeat_url: str | None = None
    # Mails for organisations that have no mail server of their own.
    smtp: Smtp | None = None
    # Networks beside the public internet in which organisations' mail servers, gateways and
    # webhooks may stand ("10.1.0.0/16"). To them alone, and by address, also without TLS.
    channel_networks: tuple[str, ...] = ()
    # Push services live on public addresses. A test's own service needs this, and it alone.
    push_private_hosts: bool = False
    # Tests only: a push origin to send to another, as in ("https://push.example", "http://127.0.0.1:9").
    push_rewrite: tuple[str, str] | None = None
    # Tests only: a file that holds seconds to add to the clock; read at each look.
    clock_file: Path | None = None
