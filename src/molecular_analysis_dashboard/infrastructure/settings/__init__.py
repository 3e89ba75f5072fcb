"""Typed settings out of the environment, built once per process and passed on."""

from .database import Database
from .groups import Auth, Docking, Flower, Ledger, Limits, Runtime
from .loading import load_settings, unknown_settings
from .model import Settings
from .production import check_bind
from .queue import Queue
from .reference import OTHER_VARIABLES, all_variables, reference_tables
from .storage import Storage
from .variables import Variable

__all__ = [
    "OTHER_VARIABLES",
    "Auth",
    "Database",
    "Docking",
    "Flower",
    "Ledger",
    "Limits",
    "Queue",
    "Runtime",
    "Settings",
    "Storage",
    "Variable",
    "all_variables",
    "check_bind",
    "load_settings",
    "reference_tables",
    "unknown_settings",
]
