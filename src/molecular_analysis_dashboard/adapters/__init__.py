"""Implementations of the ports: toolkits, databases, files, queues."""
