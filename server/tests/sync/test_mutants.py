"""What the simulation is worth: known mistakes, each of which it must notice."""

import pytest

from mos.ops.sim.mutants import MUTANTS, caught
from mos.ops.sim.server import open_connection


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
async def test_a_known_mistake_is_noticed(database, mutant):
    connection = await open_connection(database.owner_dsn)
    try:
        assert await caught(connection, database.owner_dsn, mutant) is not None
    finally:
        await connection.close()
