"""Makes it ring: what is due, its state, each attempt to tell. Knows no plan and no names."""
