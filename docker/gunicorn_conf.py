"""Gunicorn's set-up in the image; the code is the package's, so that every way of starting has the same."""

from molecular_analysis_dashboard.presentation.api.gunicorn_conf import *  # noqa: F403
