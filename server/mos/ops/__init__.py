"""What an operator runs: `mos up`, `migrate`, `test` and the rest. The only package that prints."""
