"""Benchmarks: `mos bench NAME`. What they measure and how to read it: docs/benchmarks.md."""
