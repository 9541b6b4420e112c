"""What `check` proves rules with: other `worlds` that look the same, what `flows` from them, a `twin` process."""
