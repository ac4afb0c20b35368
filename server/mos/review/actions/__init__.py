"""Reading the logs, exporting them, and looking at what was drawn."""
