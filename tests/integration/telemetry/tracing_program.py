"""Start tracing as a process of ours does, make spans, take leave; print what is asked as JSON."""

import json
import sys
import time

from molecular_analysis_dashboard.infrastructure.settings import load_settings
from molecular_analysis_dashboard.infrastructure.tracing import start_tracing

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

tracing = start_tracing(load_settings(), "mad-test", takes_celery_tasks=True)
with tracing.span("outer", parent=PARENT, n=1):
    here, ids = tracing.traceparent(), tracing.ids()
    with tracing.span("inner", parent="00-11111111111111111111111111111111-1111111111111111-01"):
        pass
with tracing.span("unsampled", parent=f"{PARENT[:-2]}00"):
    pass
try:
    with tracing.span("broken"):
        raise ValueError("CCO")
except ValueError:
    pass
started = time.monotonic()
tracing.close()
loaded = [name for name in sys.modules if name.startswith("opentelemetry")]
print(json.dumps({"traceparent": here, "ids": ids, "close_s": time.monotonic() - started, "loaded": loaded}))  # noqa: T201
