"""What is said, as values and as bytes: pure, and it never waits."""
