"""Docking engines behind one port, and the process that hosts them."""
