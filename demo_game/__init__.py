"""«Broadside»: two players hide a fleet each and fire in turns, over `netcode`. Start it with `python -m demo_game`."""
