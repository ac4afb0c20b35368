"""Types of the plan, and how they are read from records."""
