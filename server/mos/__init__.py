"""MOS, the food-and-sleep clock. Domains are packages; ARCHITECTURE.md says who may import whom."""

__version__ = "0.1.0"
