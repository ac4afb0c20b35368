"""What `mos up` says once MOS answers: where it is, who can sign in, and how to stop it."""

import io
from dataclasses import dataclass
from pathlib import Path

import segno
from rich import box
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True)
class Welcome:
    """What there is to say."""

    address: str
    demo: bool
    claim: str | None
    data: Path
    trust: str | None  # with --lan: the page that leads a phone through trusting this home
    fingerprint: str | None


def show(console: Console, what: Welcome) -> None:
    """Print the panel, and before it one plain line for programs that wait for it."""
    console.print(f"MOS is ready at {what.address}", soft_wrap=True)
    parts: list[RenderableType] = [Text(what.address, style=f"bold link {what.address}")]
    if what.demo:
        parts += _demo()
    if what.claim:
        parts += _claim(what.address, what.claim)
    if what.trust:
        parts += _lan(what.trust, what.fingerprint or "")
    parts.append(Text(f"\nData: {what.data}   Logs: {what.data / 'log'}   Stop: Ctrl-C", "dim"))
    console.print(
        Panel(Group(*parts), title="MOS", border_style="cyan", box=box.ROUNDED, padding=(1, 2))
    )


def _demo() -> list[RenderableType]:
    from mos.ops.demo import PASSWORD, PEOPLE  # noqa: PLC0415  in a demo alone

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in ("Name", "Role", "E-mail"):
        table.add_column(column)
    for person in PEOPLE:
        table.add_row(person.name, person.role, person.email)
    return [
        Text("\nA demo home; nobody in it exists. Sign in as:\n"),
        table,
        Text.assemble("\nPassword of all: ", (PASSWORD, "bold")),
        Text("Anyone who reaches this address can sign in. For a home of your own: --empty", "dim"),
    ]


def _claim(address: str, token: str) -> list[RenderableType]:
    link = f"{address}/#/borja/{token}"
    return [
        Text("\nAn empty home. Whoever opens this first claims it:\n"),
        Text(link, style=f"bold link {link}", no_wrap=True, overflow="fold"),
        Text("\nThe token alone, to be typed:\n"),
        Text(token, style="bold", no_wrap=True, overflow="fold"),
        Text("\nIt works once. Until then, each start prints a new one.", style="dim"),
    ]


def _lan(trust: str, fingerprint: str) -> list[RenderableType]:
    drawing = io.StringIO()
    segno.make(trust, error="m").terminal(drawing, compact=True, border=2)
    half = fingerprint[: len(fingerprint) // 2].strip()
    return [
        Text(f"\nOn a phone or tablet in this network, scan this or open {trust}\n"),
        # Light on dark whatever the terminal's own colours are: some cameras know no other way.
        Text(drawing.getvalue().rstrip(), style="bright_white on black"),
        Text(
            "It leads through trusting this home, once. A phone that does not trust it can neither "
            "ring nor work without a network. The certificate's fingerprint begins with"
        ),
        Text(half, style="bold"),
    ]
