"""The name that servers load: ``molecular_analysis_dashboard.presentation.api.main:app``."""

from molecular_analysis_dashboard.presentation.api.application import create_app

app = create_app()
