"""`mos sim`: simulated devices and a broken network against the real server, in virtual time.

`plan` says what happens in a seed, `world` lets it happen, `device` is the app's replica, `server`
the real one on PostgreSQL, `reference` the same rules in plain Python, `pair` both side by side,
`rights` who may what, `checks` what must hold. `ring` is a simulation of its own: what rings, while
everything that makes it ring is killed.
"""

import typer

from mos.ops.sim.command import command as sync
from mos.ops.sim.ring import command as ring

command = typer.Typer(invoke_without_command=True)
command.callback()(sync)
command.command("ring")(ring)

__all__ = ["command"]
