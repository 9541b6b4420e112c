"""Start a server, and let a load generator's clients join it."""

from contextlib import ExitStack

from benchmarks.children import Child

PATIENCE = 60.0
"""Seconds in which all clients of a load generator must have joined."""


def start_server(stack: ExitStack, module: str, **settings: object) -> Child:
    """Start a server in its part of the machine."""
    return stack.enter_context(Child(f"servers.{module}", part="server", **settings))


def start_load(
    stack: ExitStack, server: Child, dialect: str, clients: int, *, program: str = "load", **settings: object
) -> Child:
    """Start a load generator and let its clients join."""
    load = stack.enter_context(Child(program, part="load", dialect=dialect, **settings))
    join(load, server, clients)
    return load


def join(load: Child, server: Child, clients: int) -> None:
    """Let so many more clients join."""
    port = server.facts["port"]
    load.ask("join", host="127.0.0.1", port=port, count=clients, patience=PATIENCE, within=PATIENCE + 10.0)


def room_for(clients: int) -> dict[str, int]:
    """Return the limits of a server that takes so many clients from one address."""
    return {"max_peers": clients, "max_peers_per_address": clients}
