"""`mos import-mos1`: brings a home over from an earlier MOS (docs/import-mos1.md)."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import msgspec
import typer
from msgspec import Struct
from rich.console import Console
from rich.progress import Progress

from mos.care.actions.text import Email, Language, Name, Zone
from mos.care.model import Policy
from mos.db import DbError, connect
from mos.kernel.zones import is_zone
from mos.ops import key_store, secret_files
from mos.ops.clusters import keys_dsn, main_dsn, secrets_of
from mos.ops.data_directory import Refused
from mos.ops.home import take_home
from mos.ops.import_mos1 import planning, report
from mos.ops.import_mos1.model import Earlier, Plan
from mos.ops.import_mos1.planning import Home, Steward
from mos.ops.import_mos1.source import NotMos1, read
from mos.ops.import_mos1.writing import Written, write
from mos.ops.settings import ROOT, read_clock
from mos.privacy.keyring import Keyring


class _Asked(Struct, frozen=True):
    organisation: Name
    unit: Name
    zone: Zone
    language: Language


class _AskedSteward(Struct, frozen=True):
    name: Name
    email: Email


def command(  # noqa: PLR0917  the command's options
    dsn: Annotated[
        str, typer.Argument(help="The earlier MOS's database, as postgresql://login@host/name.")
    ],
    organisation: Annotated[str, typer.Option(help="What the new organisation is called.")],
    unit: Annotated[
        str | None,
        typer.Option(help="What its unit is called.", show_default="as the organisation"),
    ] = None,
    policy: Annotated[
        Literal["care_record", "family"],
        typer.Option(help="A care provider's rules, or a family's own."),
    ] = "care_record",
    zone: Annotated[
        str, typer.Option(help="Where the residents live: the earlier MOS knew no zone.")
    ] = "Europe/Stockholm",
    language: Annotated[str, typer.Option(help="sv, en or fi.")] = "sv",
    admin: Annotated[
        str | None, typer.Option(help="Address of somebody more who will manage the home.")
    ] = None,
    admin_name: Annotated[str, typer.Option(help="That one's name.")] = "",
    json: Annotated[
        Path | None, typer.Option("--json", help="Keep the report in this file, as JSON.")
    ] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Write it; without this, only the report.")
    ] = False,
    address: Annotated[
        str | None,
        typer.Option(
            help="Where people reach this MOS.",
            show_default="MOS_PUBLIC_URL, or http://127.0.0.1:8080",
        ),
    ] = None,
    data: Annotated[Path, typer.Option(help="The data directory of `mos up`.")] = ROOT / "var",
) -> None:
    """Read an earlier MOS, say what comes along and what does not, and with --apply write it.

    All or nothing, into a new organisation. The earlier database is only read. No password comes
    along: those who will manage the home get a link, and invite the others.
    """
    home = _home(organisation, unit, policy, zone, language, admin, admin_name)
    now = read_clock()()
    try:
        earlier = asyncio.run(read(dsn))
    except NotMos1:
        _refuse("that database is not of an earlier MOS: its tables are not there")
    except (OSError, DbError) as error:
        _refuse(f"cannot read the earlier database ({error})")
    plan = planning.plan(earlier, home, now)
    for line in report.lines(earlier, plan):
        print(line)
    if json is not None:
        # It says what people take: for its owner alone, like the database.
        secret_files.write_secret(json, report.as_json(earlier, plan))
        print(f"\nThe report is in {json}.")
    if not planning.stewards(plan):
        _refuse("nobody would manage the home: name somebody with --admin and --admin-name")
    if not apply:
        print("\nNothing was written. With --apply it is.")
        return
    where = (address or os.environ.get("MOS_PUBLIC_URL") or "http://127.0.0.1:8080").rstrip("/")
    try:
        written = asyncio.run(_apply(data, earlier, home, where))
    except (Refused, *key_store.FAILURES) as error:
        _refuse(str(error))
    except (OSError, DbError) as error:
        _refuse(f"cannot write ({error}): is `mos up` running? Nothing was changed")
    print(f"\nWritten into {organisation} ({written.org}).")
    print("Each of these links lets one person choose a password, once and for seven days:")
    for name, link in written.links.items():
        print(f"  {name}: {link}")
    print("They invite everybody else under Personer in the app.")


def _home(  # noqa: PLR0917  the command's options
    organisation: str,
    unit: str | None,
    policy: str,
    zone: str,
    language: str,
    admin: str | None,
    admin_name: str,
) -> Home:
    told = {"organisation": organisation, "unit": unit or organisation}
    try:
        asked = msgspec.convert({**told, "zone": zone, "language": language}, _Asked)
        steward = None
        if admin is not None:
            found = {"name": admin_name.strip(), "email": admin.strip().lower()}
            more = msgspec.convert(found, _AskedSteward)
            steward = Steward(more.name, more.email)
    except msgspec.ValidationError as error:
        _refuse(f"{error}")
    if not is_zone(asked.zone):
        _refuse(f"there is no time zone {zone}: as in Europe/Stockholm")
    return Home(
        asked.organisation.strip(),
        asked.unit.strip(),
        Policy(policy),
        asked.zone,
        asked.language,
        steward,
    )


async def _apply(data: Path, earlier: Earlier, home: Home, address: str) -> Written:
    keys = await connect(keys_dsn(data), size=2)
    try:
        pool = await connect(main_dsn(data), size=1, keyring=Keyring(keys, secrets_of(data)))
        try:
            now = read_clock()()
            plan = planning.plan(earlier, home, now)
            async with pool.transaction() as db:
                await take_home(db, home.organisation, now)
                with Progress(console=Console(stderr=True), transient=True) as bar:
                    task = bar.add_task("writing", total=_records(plan))
                    written = await write(
                        db,
                        plan,
                        home,
                        now,
                        address=address,
                        progress=lambda done: bar.update(task, completed=done),
                    )
            return written
        finally:
            await pool.close()
    finally:
        await keys.close()


def _records(plan: Plan) -> int:
    # A profile each is written as well.
    return len(plan.records) + sum(each.role.value == "resident" for each in plan.accounts)


def _refuse(why: str) -> NoReturn:
    print(f"mos import-mos1: {why}", file=sys.stderr)
    sys.exit(1)
