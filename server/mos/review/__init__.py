"""People look at the logs: managers, auditors, and residents at who has seen what of theirs."""
