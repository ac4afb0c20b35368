"""Synchronisation: ops in, changes out. Order, merge, cursors, pokes; knows no reminder, no person.

A device pushes ops; each accepted op gets a place in its space's order (`op`), is merged into its
record (`rec`), and reaches the other devices by their next pull. docs/sync.md is the protocol.
"""
