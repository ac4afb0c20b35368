"""`mos vapid`: the keys that sign push messages; a new one beside the old."""

import asyncio
import sys
from typing import NoReturn

import typer

from mos.db import DbError, connect
from mos.dispatch import store, vapid
from mos.dispatch.store import BoundTo
from mos.kernel.settings import Settings
from mos.ops.settings import SettingsError, clock_of, read_settings

command = typer.Typer(help="Look at the keys of push, and renew them.", no_args_is_help=True)


@command.command("list")
def show() -> None:
    """Print each key's file and how many devices are bound to it."""
    settings = _settings()
    try:
        current = vapid.load_or_make(settings.secrets / "vapid.pem")
        older = vapid.load_older(settings.secrets)
        bound = {row.key: row.devices for row in asyncio.run(_bound(settings))}
    except (OSError, ValueError, DbError) as error:
        _refuse(str(error))
    files = [settings.secrets / "vapid.pem", *sorted(settings.secrets.glob("vapid-*.pem"))]
    for file, key in zip(files, [current, *older], strict=True):
        devices = bound.pop(key.point, 0)
        idle = "  no device left: the file can go" if key in older and not devices else ""
        print(f"{file}  {devices} devices{idle}")
    if lost := sum(bound.values()):
        print(f"bound to keys that are lost  {lost} devices: they subscribe anew when they start")


@command.command()
def renew() -> None:
    """Make a new key beside the old ones; then start `mos serve` and `mos work` anew.

    Devices hear of it when they start, or within a day, and subscribe anew; until then they are
    told by the key that they know.
    """
    settings = _settings()
    try:
        older = vapid.renew(settings.secrets, clock_of(settings)())
    except OSError as error:
        _refuse(str(error))
    print(f"renewed  {settings.secrets / 'vapid.pem'}\nkept     {older}")
    print("Now start `mos serve` and `mos work` anew.")


async def _bound(settings: Settings) -> list[BoundTo]:
    pool = await connect(settings.engine_url, role=settings.engine_role, size=1)
    try:
        async with pool.transaction() as db:
            return await store.bound_to(db)
    finally:
        await pool.close()


def _settings() -> Settings:
    try:
        return read_settings()
    except SettingsError as error:
        _refuse(str(error))


def _refuse(why: str) -> NoReturn:
    print(f"mos vapid: {why}", file=sys.stderr)
    sys.exit(1)
