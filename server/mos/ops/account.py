"""`mos account`: what whoever runs the server does for somebody who cannot get in any more."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn
from uuid import UUID

import typer

from mos.care.actions.operator import LetIn, let_in
from mos.care.actions.sign_in import destination
from mos.db import DbError, Scope, connect
from mos.kernel.errors import Invalid
from mos.ops import key_store
from mos.ops.clusters import keys_dsn, main_dsn, secrets_of
from mos.ops.data_directory import Refused
from mos.ops.settings import ROOT, SettingsError, public_url, read_clock
from mos.privacy.keyring import Keyring
from mos.privacy.keystore import ROLE as KEYS_ROLE

command = typer.Typer(help="Help somebody who cannot get in.", no_args_is_help=True)


@command.callback()
def group() -> None:
    """Keep the sub-command, though it is the only one."""


@command.command("let-in")
def let_somebody_in(
    email: Annotated[
        str, typer.Option(prompt="Their e-mail address", help="Asked for where it is not given.")
    ],
    org: Annotated[
        UUID | None, typer.Option(help="The organisation's id, where there are several.")
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Where people open MOS; else MOS_PUBLIC_URL.")
    ] = None,
    data: Annotated[Path, typer.Option(help="The data directory of `mos up`.")] = ROOT / "var",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Let in somebody who has lost phone, paper and password, and whom nobody else can help.

    Removes their codes and passkeys, signs them out everywhere, and prints a link by which they
    choose another password within half an hour. Be sure who is asking: this opens their account.
    """
    if not yes:
        typer.confirm("Remove their codes and passkeys, and sign them out everywhere?", abort=True)
    try:
        environ = os.environ if url is None else {"MOS_PUBLIC_URL": url}
        made = asyncio.run(_let_in(email, org, public_url(environ), data))
    except (Refused, SettingsError, Invalid, *key_store.FAILURES) as error:
        _refuse(str(error))
    except (OSError, DbError) as error:
        _refuse(f"cannot reach the database ({error}): is `mos up` running?")
    if made is None:
        _refuse("nobody who may sign in with a password has this address")
    print(f"Removed: {made.passkeys} passkeys, {'the' if made.totp else 'no'} code from the phone.")
    print(f"Opens once, within half an hour:\n{made.link}")


async def _let_in(email: str, org: UUID | None, address: str, data: Path) -> LetIn | None:
    keys = await connect(keys_dsn(data), role=KEYS_ROLE, size=2)
    try:
        ring = Keyring(keys, secrets_of(data))
        pool = await connect(main_dsn(data), role="mos_app", size=1, keyring=ring)
        try:
            async with pool.transaction() as db:
                found, _ = await destination(db, org)
            async with pool.transaction(Scope(org=found)) as db:
                return await let_in(db, found, email, read_clock()(), address=address)
        finally:
            await pool.close()
    finally:
        await keys.close()


def _refuse(why: str) -> NoReturn:
    print(f"mos account: {why}", file=sys.stderr)
    sys.exit(1)
