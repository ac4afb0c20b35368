"""What people ask for of themselves, how it is read, made and fetched."""
