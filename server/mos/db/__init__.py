"""PostgreSQL: pool, transactions, typed queries, migrations. Only this package knows the driver."""

from mos.db.pool import Db, DbError, Pool, Scope, UniqueViolation, connect, may_pass, settle
from mos.db.queries import Queries, Query

__all__ = [
    "Db",
    "DbError",
    "Pool",
    "Queries",
    "Query",
    "Scope",
    "UniqueViolation",
    "connect",
    "may_pass",
    "settle",
]
