"""Decisions about orders and doses. Pure: no await, no clock, no database."""

from mos.medication.rules.doses import Dose, doubled, given_twice, next_dose
from mos.medication.rules.planned import plan_of

__all__ = ["Dose", "doubled", "given_twice", "next_dose", "plan_of"]
