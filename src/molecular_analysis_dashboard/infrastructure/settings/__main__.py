"""Writes the tables of docs/reference/settings.md to standard output."""

import sys

from .reference import reference_tables

sys.stdout.write(reference_tables())
