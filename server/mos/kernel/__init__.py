"""Words that every package shares: ids, clocks, errors. Pure: no I/O, no framework."""
