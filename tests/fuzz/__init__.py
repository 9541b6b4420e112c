"""Bytes that nobody thought of: `python -m tests.fuzz` looks for them, and `corpus/` keeps those worth keeping."""
