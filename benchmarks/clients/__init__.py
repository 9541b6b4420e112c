"""The clients that measure, each a process of its own."""
