"""Lets ``python -m molecular_analysis_dashboard.presentation.cli`` be the `mad` command."""

from molecular_analysis_dashboard.presentation.cli.main import main

if __name__ == "__main__":
    main()
