"""What must hold, each under the number that docs/sync.md gives it. Raises Violation."""

from mos.ops.sim.checks.ledger import Ledger
from mos.ops.sim.checks.violation import Violation

__all__ = ["Ledger", "Violation"]
