"""A resident's plan in other calendars: secret addresses, and what is read at them."""
