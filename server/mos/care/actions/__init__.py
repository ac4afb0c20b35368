"""Use cases of care: permit, load, decide, store, tell. The caller opens the transaction."""
