"""Moves bytes between transports and receivers, and knows nothing of messages."""
