"""What speech does: find the words, and say them."""
