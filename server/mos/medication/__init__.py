"""Orders of medicine: who may decide, what rings, and what may not be given twice."""
