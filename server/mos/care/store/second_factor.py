"""What people prove beside a password: an app's secret, sealed for its person, and paper codes."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from mos.care import rules
from mos.care.model import Role
from mos.care.store.rows import there
from mos.db import Db, Queries
from mos.privacy.keyring import Unsealed, keyring_of
from mos.privacy.sealing import Sealer

_sql = Queries(__package__, "second_factor.sql")
_PLACE = "totp|secret"


class Totp(Struct, frozen=True):
    """An account's secrets, opened: the one that counts, and one that waits to be confirmed."""

    secret: bytes | None
    since: datetime | None
    last_step: int
    pending: bytes | None
    pending_at: datetime | None


class TotpState(Struct, frozen=True):
    """Since when an account has codes from a phone, and how many codes on paper are left."""

    since: datetime
    codes_left: int


class SecondFactors(Struct, frozen=True):
    """What an account has beside its password."""

    passkey: bool
    totp: bool


class SecondFactorRule(Struct, frozen=True):
    """From when on staff need a second step, if at all; and how many of them have none."""

    since: datetime | None
    missing: int


class _Asked(Struct, frozen=True):
    role: Role
    since: datetime | None
    added_at: datetime


_SECOND_FACTOR_RULE = _sql.query("second_factor_rule", SecondFactorRule)
_REQUIRE_SECOND_FACTOR = _sql.command("require_second_factor")
_ASKED_FOR_SECOND_FACTOR = _sql.query("asked_for_second_factor", _Asked)
_TOTP = _sql.query("totp", Totp)
_SECOND_FACTORS = _sql.query("second_factors", SecondFactors)
_TOTP_STATE = _sql.query("totp_state", TotpState)
_BEGIN_TOTP = _sql.command("begin_totp")
_CONFIRM_TOTP = _sql.command("confirm_totp")
_TOTP_USED = _sql.command("totp_used")
_REMOVE_TOTP = _sql.command("remove_totp")
_ADD_RECOVERY_CODES = _sql.command("add_recovery_codes")
_USE_RECOVERY_CODE = _sql.command("use_recovery_code")
_REMOVE_RECOVERY_CODES = _sql.command("remove_recovery_codes")
_REMOVE_PASSKEYS = _sql.command("remove_passkeys")


async def second_factors(db: Db, org: UUID, account: UUID) -> SecondFactors:
    """Return what an account has beside its password."""
    row = await db.one(_SECOND_FACTORS, org=org, account=account)
    return row or SecondFactors(passkey=False, totp=False)


async def second_factor_rule(db: Db, org: UUID) -> SecondFactorRule:
    """Return the organisation's rule."""
    roles = [role.value for role in rules.STAFF]
    row = await db.one(_SECOND_FACTOR_RULE, org=org, roles=roles)
    return there(row)


async def require_second_factor(db: Db, org: UUID, since: datetime | None) -> None:
    """Let staff need a second step from a moment on; None: nobody needs one."""
    await db.run(_REQUIRE_SECOND_FACTOR, org=org, since=since)


async def second_factor_due(db: Db, org: UUID, account: UUID) -> datetime | None:
    """Return from when on an account needs a second step; None: it does not."""
    row = await db.one(_ASKED_FOR_SECOND_FACTOR, org=org, account=account)
    if row is None:
        return None
    return rules.second_factor_due(row.role, since=row.since, added_at=row.added_at)


async def totp_state(db: Db, org: UUID, account: UUID) -> TotpState | None:
    """Return since when an account has codes from a phone; None where it has none."""
    return await db.one(_TOTP_STATE, org=org, account=account)


async def totp(db: Db, org: UUID, account: UUID) -> Totp | None:
    """Return an account's secrets, locked and opened; None where there are none.

    Raises KeyGone of somebody erased.
    """
    row = await db.one(_TOTP, org=org, account=account)
    if row is None:
        return None
    sealer, context = await _sealer(db, org, account), _context(org, account)
    return Totp(
        sealer.open(context, row.secret) if row.secret else None,
        row.since,
        row.last_step,
        sealer.open(context, row.pending) if row.pending else None,
        row.pending_at,
    )


async def begin_totp(db: Db, org: UUID, account: UUID, secret: bytes, now: datetime) -> None:
    """Keep a secret that is shown and not yet confirmed, sealed; the one that counts stays."""
    sealed = (await _sealer(db, org, account)).seal(_context(org, account), secret)
    await db.run(_BEGIN_TOTP, org=org, account=account, pending=sealed, now=now)


async def confirm_totp(db: Db, org: UUID, account: UUID, *, step: int, now: datetime) -> None:
    """Let the secret that waits be the one that counts; `step` is the one whose code proved it."""
    await db.run(_CONFIRM_TOTP, org=org, account=account, step=step, now=now)


async def totp_used(db: Db, org: UUID, account: UUID, step: int) -> None:
    """Remember the step whose code was used."""
    await db.run(_TOTP_USED, org=org, account=account, step=step)


async def remove_totp(db: Db, org: UUID, account: UUID) -> bool:
    """Remove an account's secrets and paper codes; False where there were none."""
    await db.run(_REMOVE_RECOVERY_CODES, org=org, account=account)
    return await db.run(_REMOVE_TOTP, org=org, account=account) == 1


async def replace_recovery_codes(
    db: Db, org: UUID, account: UUID, hashes: list[bytes], now: datetime
) -> None:
    """Keep other paper codes in place of those that are there."""
    await db.run(_REMOVE_RECOVERY_CODES, org=org, account=account)
    await db.run(_ADD_RECOVERY_CODES, org=org, account=account, hashes=hashes, now=now)


async def use_recovery_code(db: Db, org: UUID, account: UUID, code_hash: bytes) -> bool:
    """Use up a paper code; False where there is no such one any more."""
    return await db.run(_USE_RECOVERY_CODE, org=org, account=account, code_hash=code_hash) == 1


async def remove_passkeys(db: Db, org: UUID, account: UUID) -> int:
    """Remove all of an account's passkeys; return how many there were."""
    return await db.run(_REMOVE_PASSKEYS, org=org, account=account)


async def _sealer(db: Db, org: UUID, account: UUID) -> Sealer:
    ring = keyring_of(db)
    if isinstance(ring, Unsealed):
        raise RuntimeError("secrets are kept sealed alone")  # noqa: TRY004  nobody's request
    return (await ring.opened(org, [account], make=True)).sealer(account, _PLACE)


def _context(org: UUID, account: UUID) -> bytes:
    return f"{_PLACE}|{org}|{account}".encode()
