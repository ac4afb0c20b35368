"""Words that every package shares: ids, clocks, zones, errors. Pure: no I/O, no framework."""
