"""Measure netcode beside its alternatives: `python -m benchmarks`.

Linux only: the load generator stands on epoll, and the figures come from `getrusage` and `/proc`.
"""
