"""The `mad` command."""
