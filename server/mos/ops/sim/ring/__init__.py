"""`mos sim ring`: a day of many residents, with everything that makes it ring killed at random.

`home` makes the people, `processes` runs workers and the server for real, `service` is the push
service, `people` act, `faults` break things, `day` lets it happen in compressed time, and `ledger`
looks at every line afterwards.
"""

from mos.ops.sim.ring.command import command

__all__ = ["command"]
