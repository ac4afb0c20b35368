"""What people can ask of their own data: all that there is of them, to read and to take along."""
