"""Who did what: reads and changes of residents' data, and what security rests on. Never content."""
