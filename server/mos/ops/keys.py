"""`mos keys`: the key store and the recovery root, for whoever runs MOS (docs/keys.md)."""

import asyncio
import secrets as random
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.progress import Progress

from mos.care.store import resealing as of_people
from mos.db import DbError, Pool, connect
from mos.ops import key_store
from mos.ops.audit import note
from mos.ops.clusters import keys_dsn, main_dsn, secrets_of
from mos.ops.data_directory import Refused
from mos.ops.settings import ROOT, read_clock
from mos.privacy import epochs, keystore, root, rotation
from mos.privacy.keyring import Keyring
from mos.sync import resealing
from mos.wiring import COLLECTIONS

Answer = TypeVar("Answer")

command = typer.Typer(help="Look after the keys that open personal data.", no_args_is_help=True)

_Data = Annotated[Path, typer.Option(help="The data directory of `mos up`.")]
_DATA = ROOT / "var"
_WORDS_ASKED = 2


@command.command()
def status(data: _Data = _DATA) -> None:
    """Say which keys there are, how old, and what is missing. Changes nothing.

    Ends with 1 where a key does not open or the recovery root is missing.
    """
    lines, faults = _run(data, lambda pool, now: _status(pool, secrets_of(data), now))
    for line in lines:
        print(line)
    for fault in faults:
        print(f"!! {fault}")
    if faults:
        sys.exit(1)


@command.command()
def rotate(data: _Data = _DATA) -> None:
    """Begin a new epoch: wrap every key anew and destroy the old epoch key.

    Killed at any moment, run it again: it goes on where it was, and until the end everything
    opens. `mos up` does this each week by itself.
    """
    folder = secrets_of(data)
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("wrapping keys anew", total=None)
        done = _run(
            data,
            lambda pool, now: rotation.rotate(
                pool,
                folder,
                now,
                progress=lambda part, whole: bar.update(task, completed=part, total=whole),
            ),
            size=2,
        )
    note(data, "keys_rotated", epoch=done.number, keys=done.rewrapped)
    print(f"epoch     {done.number} holds now")
    print(f"rewrapped {done.rewrapped} keys")
    print(f"verified  {done.verified} keys, chosen at random, open")
    print("destroyed the epoch keys before it: what was erased opens from no copy any more")
    copy = epochs.copy_file(folder, done.number)
    if copy.exists():
        print(f"Now put {copy} where the copy of the key store is, in place of the last one.")


@command.command()
def split(
    data: _Data = _DATA,
    replace: Annotated[bool, typer.Option("--replace", help="In place of a root.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask words back.")] = False,
) -> None:
    """Make the recovery root: three shares on paper, of which any two open the keys again.

    They are shown once and kept nowhere. Write each on a sheet of its own, give them to three
    people or places.
    """
    kept = _run(data, lambda pool, _now: _root(pool))
    if kept is not None and not replace:
        _refuse(
            "there is a recovery root already: check its shares with `mos keys join`, or make "
            "a new one with --replace (then the old shares open nothing new)"
        )
    made = root.make()
    for number, share in enumerate(made.shares, 1):
        print(f"\nShare {number} of {root.SHARES} (any {root.NEEDED} open)\n")
        words = share.split()
        for start in range(0, len(words), 6):
            row = enumerate(words[start : start + 6], start + 1)
            print("   " + "  ".join(f"{at:2} {word:<10}" for at, word in row))
    if not yes:
        _ask_back(made.shares)
    copy = _run(data, lambda pool, now: _take_root(pool, secrets_of(data), made.recipient, now))
    note(data, "keys_split", recipient=made.recipient)
    print(f"\nrecipient {made.recipient}\nsealed    {copy}")
    print("Keep that file with each copy of the key store, and the shares away from both.")


@command.command()
def join(data: _Data = _DATA) -> None:
    """Check that two shares make this installation's recovery root. Changes nothing."""
    kept = _run(data, lambda pool, _now: _root(pool))
    if kept is None:
        _refuse("there is no recovery root yet: make one with `mos keys split`")
    shares = _read_shares()
    try:
        recipient = root.recipient_of(shares)
    except root.SharesWrong as error:
        _refuse(str(error))
    if recipient != kept.recipient:
        _refuse("these are shares of another root, perhaps of one that was replaced")
    folder = secrets_of(data)
    current = _run(data, lambda pool, _now: _current(pool))
    try:
        key = root.open_copy(shares, epochs.copy_file(folder, current.number).read_bytes())
    except (OSError, root.NotForThisRoot) as error:
        _refuse(f"the shares are right, but the copy of the epoch key does not open: {error}")
    if key != epochs.read(folder, current.number):
        _refuse("the copy of the epoch key is of another one: run `mos keys rotate`")
    note(data, "keys_joined", epoch=current.number)
    print(f"The shares are right, and open the key of epoch {current.number}.")


@command.command()
def recover(
    data: _Data = _DATA,
    copy: Annotated[Path | None, typer.Option(help="The sealed epoch key, epoch-<n>.age.")] = None,
) -> None:
    """Open the sealed copy of the epoch key with two shares, on a host that has lost the key.

    The key store need not run. Start `mos up` (or `mos serve`) after it: it says whether the key
    is the right one.
    """
    folder = secrets_of(data)
    sealed = copy or max(folder.glob("epoch-*.age"), key=_number, default=None)
    if sealed is None:
        _refuse(f"there is no epoch-<n>.age in {folder}: name it with --copy")
    number = _number(sealed)
    if number == 0:
        _refuse(f"{sealed} is not named epoch-<n>.age: give it the name that it had")
    try:
        key = root.open_copy(_read_shares(), sealed.read_bytes())
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        epochs.write(epochs.key_file(folder, number), key)
    except (OSError, root.SharesWrong, root.NotForThisRoot) as error:
        _refuse(str(error))
    note(data, "keys_recovered", epoch=number)
    print(f"recovered {epochs.key_file(folder, number)}")


@command.command()
def seal(
    data: _Data = _DATA,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing: open everything, count what is plain.")
    ] = False,
) -> None:
    """Seal what was written before values were sealed. MOS may serve meanwhile.

    Killed at any moment, run it again: what is sealed stays so. With --check it ends with 1 where
    something lies plain.
    """
    with Progress(console=Console(stderr=True), transient=True) as bar:
        spaces = bar.add_task("spaces", total=None)
        columns = bar.add_task("texts about people", total=None)
        tally = _run(
            data,
            lambda pool, _now: _seal(
                pool,
                data,
                lambda done: bar.update(spaces, completed=done),
                lambda done, of: bar.update(columns, completed=done, total=of),
                check=check,
            ),
            size=2,
        )
    if not check:
        note(data, "keys_sealed", values=tally.plain)
    print(f"looked at {tally.rows} records, entries of the log, refused changes and texts")
    print(f"{'plain    ' if check else 'sealed   '} {tally.plain}")
    if tally.gone:
        print(f"of somebody erased {tally.gone}: they open nowhere")
    if check and tally.plain:
        sys.exit(1)


async def _seal(
    keys: Pool,
    data: Path,
    spaces: resealing.Progress,
    columns: of_people.Progress,
    *,
    check: bool,
) -> resealing.Tally:
    ring = Keyring(keys, secrets_of(data))
    pool = await connect(main_dsn(data), size=1, keyring=ring)
    try:
        held = await resealing.seal_all(pool, COLLECTIONS, check=check, progress=spaces)
        texts = await of_people.seal_texts(pool, check=check, progress=columns)
        return resealing.Tally(
            held.rows + texts.rows, held.plain + texts.plain, held.gone + texts.gone
        )
    finally:
        await pool.close()


async def _status(pool: Pool, folder: Path, now: datetime) -> tuple[list[str], list[str]]:
    async with pool.transaction() as db:
        known, counts, kept = (
            await keystore.epochs(db),
            await keystore.counts(db),
            await keystore.root(db),
        )
    faults = []
    if not known:
        return [], ["the key store has no epoch yet: start `mos up`, or run `mos migrate`"]
    current = next(epoch for epoch in known if epoch.retired_at is None)
    age = (now - current.begun_at).days
    lines = [
        f"epoch         {current.number}, for {age} days",
        f"keys          {counts.keys}, in {counts.organisations} organisations",
        f"erased        {counts.erased}",
    ]
    if counts.dying:
        lines.append(f"              {counts.dying} of them die in old copies with this epoch")
    try:
        lines.append(f"opened        {await rotation.verify(pool, folder)} keys, chosen at random")
    except key_store.FAILURES as error:
        faults.append(str(error))
    if any(epoch.retired_at and not epoch.destroyed_at for epoch in known):
        faults.append(
            f"a rotation was left unfinished, {counts.older} keys to go: run `mos keys rotate`"
        )
    if now - current.begun_at > key_store.EPOCH * 2:
        faults.append("the epoch key is older than two weeks: run `mos keys rotate`")
    if kept is None:
        faults.append(
            "no recovery root: with the secrets folder everything would be lost; "
            "run `mos keys split`"
        )
    else:
        lines.append(f"recovery root since {kept.made_at:%Y-%m-%d}, {kept.recipient}")
        if not epochs.copy_file(folder, current.number).exists():
            faults.append("this epoch's key has no sealed copy: run `mos keys rotate`")
    return lines, faults


async def _root(pool: Pool) -> keystore.Root | None:
    async with pool.transaction() as db:
        return await keystore.root(db)


async def _current(pool: Pool) -> keystore.Epoch:
    async with pool.transaction() as db:
        return next(e for e in await keystore.epochs(db) if e.retired_at is None)


async def _take_root(pool: Pool, folder: Path, recipient: str, now: datetime) -> Path | None:
    async with pool.transaction() as db:
        await keystore.set_root(db, recipient, now)
    return await rotation.seal_copy(pool, folder)


def _ask_back(shares: tuple[str, ...]) -> None:
    print("\nTo be sure that they are written down:")
    for number, share in enumerate(shares, 1):
        words = share.split()
        for at in sorted(random.SystemRandom().sample(range(len(words)), _WORDS_ASKED)):
            said = typer.prompt(f"Word {at + 1} of share {number}").strip().lower()
            if said != words[at]:
                _refuse("that is another word: nothing was changed, begin anew")


def _read_shares() -> list[str]:
    """Return the shares that are typed, or stand on two lines of the standard input."""
    if not sys.stdin.isatty():
        return [line for line in sys.stdin.read().splitlines() if line.strip()]
    return [typer.prompt(f"Share, {which}") for which in ("the first", "another")]


def _number(file: Path) -> int:
    digits = file.stem.rpartition("-")[2]
    return int(digits) if file.suffix == ".age" and digits.isdigit() else 0


def _run(
    data: Path, work: Callable[[Pool, datetime], Awaitable[Answer]], *, size: int = 1
) -> Answer:
    try:
        return asyncio.run(_with_pool(keys_dsn(data), work, size))
    except (Refused, *key_store.FAILURES) as error:
        _refuse(str(error))
    except (OSError, DbError) as error:
        _refuse(f"cannot reach the key store ({error}): is `mos up` running?")


async def _with_pool(
    dsn: str, work: Callable[[Pool, datetime], Awaitable[Answer]], size: int
) -> Answer:
    pool = await connect(dsn, size=size)
    try:
        return await work(pool, read_clock()())
    finally:
        await pool.close()


def _refuse(why: str) -> NoReturn:
    print(f"mos keys: {why}", file=sys.stderr)
    sys.exit(1)
