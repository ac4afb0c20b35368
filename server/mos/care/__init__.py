"""Organisations, units, people, relations and devices: who is here, and who may do what."""
