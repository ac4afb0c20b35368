"""Decisions about the plan. Pure: no await, no clock, no database."""
