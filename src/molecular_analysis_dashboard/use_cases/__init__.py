"""One module per thing that a user or a worker does."""
