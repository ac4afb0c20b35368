"""Food that is safe for exactly this person."""
