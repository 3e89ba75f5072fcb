"""Statistics over results."""
