"""The server's rules of docs/sync.md in plain Python: whole in memory, one op after another.

Slow, without concurrency, written from the document and not from the SQL: what the real server
answers and keeps is compared with this. Ids are strings, ops and answers are JSON as they travel.
`space` is what is kept, `spaces` what may be asked, `batch` one push, `refusals` why an op cannot
be taken, `safety` what is decided.
"""

from mos.ops.sim.reference.safety import (
    Asked,
    Decided,
    asked_in_log,
    conflict_of,
    decide,
    digest,
    later,
)
from mos.ops.sim.reference.space import (
    DAY_MS,
    SKEW_MS,
    Had,
    Json,
    Kind,
    Logged,
    Place,
    Record,
    Space,
    Who,
)
from mos.ops.sim.reference.spaces import Reference

__all__ = [
    "DAY_MS",
    "SKEW_MS",
    "Asked",
    "Decided",
    "Had",
    "Json",
    "Kind",
    "Logged",
    "Place",
    "Record",
    "Reference",
    "Space",
    "Who",
    "asked_in_log",
    "conflict_of",
    "decide",
    "digest",
    "later",
]
