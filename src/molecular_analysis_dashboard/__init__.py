"""Molecular Analysis Dashboard: dock and screen molecules on your own machines."""
