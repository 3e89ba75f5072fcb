"""Keeping the environment of whoever starts the tests out of them."""

from collections.abc import MutableMapping

from psycopg import pq

from molecular_analysis_dashboard.infrastructure.settings import all_variables

KEPT = "MAD_BENCHMARK_DATA"
KEPT_PREFIX = "MAD_TEST_"


def strip_settings(environ: MutableMapping[str, str]) -> None:
    """Remove every setting, and what libpq and the S3 client would read: a test sees only what it sets itself."""
    variables = all_variables()
    ours = {variable.name for variable in variables} | {f"{variable.name}_FILE" for variable in variables}
    libpq = {option.envvar.decode() for option in pq.Conninfo.get_defaults() if option.envvar}
    for name in list(environ):
        foreign = name.startswith(("MAD_", "OTEL_")) and name != KEPT and not name.startswith(KEPT_PREFIX)
        if foreign or name in ours or name in libpq or name.startswith("AWS_"):
            del environ[name]
