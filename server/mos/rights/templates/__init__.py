"""How what people read is set: its words in three languages, its layout and its letters."""
