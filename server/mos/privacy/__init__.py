"""What is personal, and who may keep it for how long."""
