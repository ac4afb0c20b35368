"""`mos sim`: simulated devices and a broken network against the real server, in virtual time.

`plan` says what happens in a seed, `world` lets it happen, `device` is the app's replica, `server`
the real one on PostgreSQL, `reference` the same rules in plain Python, `checks` what must hold.
"""

from mos.ops.sim.command import command

__all__ = ["command"]
