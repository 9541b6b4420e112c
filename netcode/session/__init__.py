"""Messages between two ends, across links. Knows neither a game's peers nor its events."""
