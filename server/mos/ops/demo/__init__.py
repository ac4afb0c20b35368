"""The demo home: one unit, six residents, their supporters and thirty days of history.

Only `mos up --demo` on a new data directory makes it. Nobody in it exists, and its one password
opens nothing elsewhere: addresses end in `.example`, which no mail can reach (RFC 2606).
"""

from mos.ops.demo.people import PASSWORD, PEOPLE, Person

# `mos.ops.demo.seed` makes it: not from here, because every later start asks for the people alone.
__all__ = ["PASSWORD", "PEOPLE", "Person"]
