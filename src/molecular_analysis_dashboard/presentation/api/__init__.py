"""The HTTP interface: endpoints parse, call one use case and shape the answer."""
