"""The commands behind `python -m netcode`; nothing in the library imports them."""
