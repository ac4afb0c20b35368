"""`mos privacy`: what MOS keeps of people, for whoever answers for it (docs/privacy)."""

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, BinaryIO, NoReturn
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import Progress

from mos.audit import log
from mos.audit.model import Happened
from mos.db import DbError, Scope, connect
from mos.ops import key_store
from mos.ops.clusters import keys_dsn, main_dsn, secrets_of
from mos.ops.data_directory import Refused
from mos.ops.export import NoSuchPerson, Written, export
from mos.ops.settings import ROOT, read_clock
from mos.privacy import retention as keeping
from mos.privacy.declaring import in_words
from mos.privacy.keyring import Keyring
from mos.privacy.processing import record as processing
from mos.privacy.sealing import KeyGone
from mos.rights.model import Language
from mos.wiring import PERSONAL_DATA

command = typer.Typer(help="See what MOS keeps of people.", no_args_is_help=True)


@command.command()
def record() -> None:
    """Print the record of processing (Article 30 of the GDPR), in Markdown."""
    print(processing(PERSONAL_DATA), end="")


@command.command()
def retention(
    data: Annotated[Path, typer.Option(help="The data directory of `mos up`.")] = ROOT / "var",
    document: Annotated[
        bool, typer.Option("--document", help="Print docs/privacy/retention.md instead.")
    ] = False,
) -> None:
    """Show how long each class of data is kept, and the evidence that it went. Changes nothing.

    Ends with 1 where something is left that should be gone, a part of the last day's work failed,
    or no worker has done it for two days.
    """
    if document:
        print(keeping.document(PERSONAL_DATA), end="")
        return
    now = read_clock()()
    try:
        known = asyncio.run(_evidence(data))
    except (Refused, OSError, DbError) as error:
        _refuse(f"cannot reach the database ({error}): is `mos up` running?")
    lines = [("class", "kept for", "last done", "removed", "oldest left", "overdue", "state")]
    states = []
    for term in keeping.terms_of(PERSONAL_DATA):
        last = known.get(term.name)
        late = keeping.overdue(term, last.oldest if last else None, now)
        states.append(keeping.state(term, last, now))
        lines.append(
            (
                term.name,
                in_words(term.kept) if term.kept else "-",
                f"{last.done_at:%Y-%m-%d %H:%M}" if last else "never",
                str(last.removed) if last else "-",
                f"{last.oldest:%Y-%m-%d %H:%M}" if last and last.oldest else "-",
                in_words(late) if late else "-",
                states[-1],
            )
        )
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(map(str.ljust, line, widths)).rstrip())
    wrong = len(states) - states.count("kept")
    if wrong:
        print(f"{wrong} of {len(states)} need somebody: docs/privacy/retention.md says what to do")
        sys.exit(1)


async def _evidence(data: Path) -> dict[str, keeping.Last]:
    pool = await connect(main_dsn(data), role="mos_app", size=1)
    try:
        async with pool.transaction() as db:
            return await keeping.latest(db)
    finally:
        await pool.close()


@command.command("export")
def export_person(  # noqa: PLR0917  a command's options
    org: Annotated[UUID, typer.Argument(help="The organisation's id.")],
    account: Annotated[UUID, typer.Argument(help="The person's account.")],
    out: Annotated[Path, typer.Option(help="The file to write; it must not be there yet.")],
    data: Annotated[Path, typer.Option(help="The data directory of `mos up`.")] = ROOT / "var",
    pdf: Annotated[
        Path | None, typer.Option(help="A second file, for people to read; not there yet either.")
    ] = None,
    language: Annotated[Language, typer.Option(help="In which the PDF is written.")] = "sv",
) -> None:
    """Write all that there is of a person as JSON (Articles 15 and 20 of the GDPR).

    Every table that declares rows of theirs, opened, and the archive; no passwords, keys or
    tokens. `--pdf` writes what can be read of it, in words. The files are readable by you alone:
    hand them over on a way that is as safe.
    """
    done = None
    made: list[Path] = []
    try:
        with ExitStack() as stack:
            files = [stack.enter_context(_new_file(each, made)) for each in (out, pdf) if each]
            done = asyncio.run(_export(org, account, data, files, language))
    except NoSuchPerson:
        _refuse(f"there is no account {account} in {org}")
    except KeyGone:
        _refuse(f"{account} was erased: nothing of them opens")
    except (Refused, *key_store.FAILURES) as error:
        _refuse(str(error))
    except (OSError, DbError) as error:
        _refuse(f"cannot reach the database ({error}): is `mos up` running?")
    finally:
        if done is None:
            for each in made:
                each.unlink(missing_ok=True)
    print(f"wrote   {out}: {done.rows} rows of {done.tables} tables")
    if pdf:
        print(f"wrote   {pdf}: what can be read of it")


def _new_file(path: Path, made: list[Path]) -> BinaryIO:
    try:
        file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except FileExistsError:
        _refuse(f"{path} is there already: name another file")
    except OSError as error:
        _refuse(f"cannot write {path} ({error.strerror})")
    made.append(path)
    return file


async def _export(
    org: UUID, account: UUID, data: Path, files: Sequence[BinaryIO], language: Language
) -> Written:
    file, *readable = files
    now = read_clock()()
    archive = os.environ.get("MOS_ARCHIVE")
    keys = await connect(keys_dsn(data), size=2)
    try:
        pool = await connect(main_dsn(data), size=1, keyring=Keyring(keys, secrets_of(data)))
        try:
            with Progress(console=Console(stderr=True), transient=True) as bar:
                task = bar.add_task("reading", total=None)
                done = await export(
                    pool,
                    org,
                    account,
                    now,
                    file.write,
                    archive=Path(archive) if archive else data / "archive",
                    readable=readable[0].write if readable else None,
                    language=language,
                    progress=lambda name, rows: bar.update(
                        task, completed=rows, description=f"reading {name}"
                    ),
                )
            async with pool.transaction(Scope(org)) as db:
                log.note(db, org, Happened(event="exported", of=account), now)
            return done
        finally:
            await pool.close()
    finally:
        await keys.close()


def _refuse(why: str) -> NoReturn:
    print(f"mos privacy: {why}", file=sys.stderr)
    sys.exit(1)
