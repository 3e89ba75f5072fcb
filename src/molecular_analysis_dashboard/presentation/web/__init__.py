"""The built dashboard: `hatch_build.py` puts the files made from `frontend/` into `static/` beside this module."""
