"""`mos plan preview`: prints when a rule rings, as JSON."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, NoReturn
from zoneinfo import ZoneInfo

import msgspec
import typer

from mos.kernel.errors import Invalid
from mos.kernel.zones import zone
from mos.plan.model.rule import decode_rule
from mos.plan.rules.recurrence import preview as rings

# The exit status of every wrong input, and Typer's own.
_WRONG = 2

command = typer.Typer(help="Look at plans.", no_args_is_help=True)


@command.callback()
def _plan() -> None:
    """Keep `preview` a sub-command although it is the only one."""


@command.command()
def preview(
    file: Annotated[str, typer.Argument(help="A rule in JSON (docs/records.md); - reads stdin.")],
    start: Annotated[str, typer.Option("--from", help="First moment, as 2026-03-28T00:00Z.")],
    end: Annotated[str, typer.Option("--to", help="The moment after the last.")],
) -> None:
    """Print a rule's occurrences, from ≤ at < to.

    A moment without an offset is wall time in the rule's zone; a date means its midnight.
    """
    try:
        value = msgspec.json.decode(_read(file))
        place = zone(decode_rule(value).zone)
        first, after = _moment("--from", start, place), _moment("--to", end, place)
        _require_order(first, after, start, end)
        answer = rings(value, first, after)
    except msgspec.DecodeError as error:
        _refuse(f"{file} is not JSON: {error}")
    except Invalid as error:
        _refuse(error.detail)
    print(msgspec.json.format(msgspec.json.encode(answer)).decode())


def _read(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        _refuse(f"cannot read {file}: {error.strerror}")


def _moment(option: str, text: str, place: ZoneInfo) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(f"{option} {text!r} is not a moment like 2026-03-28T00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=place)


def _require_order(first: datetime, after: datetime, start: str, end: str) -> None:
    if first >= after:
        raise Invalid(f"--to {end!r} must come after --from {start!r}: nothing lies between them")


def _refuse(why: str) -> NoReturn:
    print(f"mos plan preview: {why}", file=sys.stderr)
    sys.exit(_WRONG)
