"""Spans by OpenTelemetry's SDK, handed to a collector over OTLP/HTTP from a thread of their own.

The SDK reads the standard OTEL_* variables itself. This module is imported only where a collector is named.
"""

import logging
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import structlog
from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, StatusCode, TraceState
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import Attributes

from molecular_analysis_dashboard.ports.telemetry import Tracing

log = structlog.get_logger(__name__)

_GOODBYE_S = 2.0
_NAMESPACE = "mad"
# They write a line and more for each batch that a missing collector does not take; we say it once.
_EXPORTER = "opentelemetry.exporter"
_TALKATIVE = ("opentelemetry.sdk._shared_internal", "urllib3.connectionpool")


class OpenTelemetryTracing(Tracing):
    """Implements `ports.telemetry.Tracing`."""

    def __init__(self, service: str, version: str, *, takes_celery_tasks: bool) -> None:
        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        resource = Resource.create({SERVICE_NAME: service, SERVICE_VERSION: version})
        self._exporter = ReportingExporter(OTLPSpanExporter())
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.sampler = WithoutOrphans(self._provider.sampler)
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer(_NAMESPACE, version)
        self._propagator = TraceContextTextMapPropagator()
        # FastAPI traces requests by itself as soon as there is a provider.
        trace.set_tracer_provider(self._provider)
        PsycopgInstrumentor().instrument()
        if takes_celery_tasks:
            from opentelemetry.instrumentation.celery import CeleryInstrumentor

            CeleryInstrumentor().instrument()  # type: ignore[no-untyped-call]

    @contextmanager
    def span(self, name: str, *, parent: str | None = None, **attributes: str | int | float) -> Iterator[None]:
        """Time what happens inside; an exception marks the span and goes on."""
        context = contexts.get_current()
        if parent is not None and not trace.get_current_span().get_span_context().is_valid:
            context = self._propagator.extract({"traceparent": parent})
        named = {f"{_NAMESPACE}.{key}": value for key, value in attributes.items()}
        with self._tracer.start_as_current_span(
            name, context, attributes=named, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield
            except Exception as error:
                # Not its message, which may hold a molecule.
                span.set_status(StatusCode.ERROR, type(error).__name__)
                raise

    def traceparent(self) -> str | None:
        """The present place in a trace."""
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier)
        return carrier.get("traceparent")

    def ids(self) -> dict[str, str]:
        """What log lines carry of the present trace."""
        present = trace.get_current_span().get_span_context()
        return {"trace_id": trace.format_trace_id(present.trace_id)} if present.is_valid else {}

    def close(self) -> None:
        """Hand over what is left, within two seconds or not at all."""
        thread = threading.Thread(target=self._close, name="traces-close", daemon=True)
        thread.start()
        thread.join(_GOODBYE_S)

    def _close(self) -> None:
        if not self._exporter.is_failing:
            self._provider.force_flush()
        # First the exporter, which would otherwise try again for longer than anybody waits.
        self._exporter.shutdown()
        self._provider.shutdown()


class WithoutOrphans(Sampler):
    """Leaves out database calls that belong to no span: heartbeats, pollers and dispatchers make several a second."""

    def __init__(self, inner: Sampler) -> None:
        self._inner = inner

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Decide about one span."""
        if kind is SpanKind.CLIENT and not trace.get_current_span(parent_context).get_span_context().is_valid:
            return SamplingResult(Decision.DROP)
        return self._inner.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)

    def get_description(self) -> str:
        """Name this sampler."""
        return f"WithoutOrphans({self._inner.get_description()})"


class LastWords(logging.Handler):
    """Keeps the last two messages of a logger instead of letting them pass.

    The second tells only of giving up; the first, of the last try before it, names the cause. An exporter whose timeout
    (`OTEL_EXPORTER_OTLP_TIMEOUT`) leaves no second for a second try never names it.
    """

    def __init__(self, logger: str) -> None:
        super().__init__()
        self._texts: deque[str] = deque(maxlen=2)
        logging.getLogger(logger).addHandler(self)
        logging.getLogger(logger).propagate = False

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a message."""
        self._texts.append(record.getMessage())

    def __str__(self) -> str:
        return " ".join(self._texts)


class ReportingExporter(SpanExporter):
    """Says once that the collector takes no spans, and once that it does again."""

    def __init__(self, inner: SpanExporter) -> None:
        self._inner = inner
        self._words = LastWords(_EXPORTER)
        self.is_failing = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Hand spans to the collector; what it does not take is lost."""
        result = self._inner.export(spans)
        was_failing, self.is_failing = self.is_failing, result is not SpanExportResult.SUCCESS
        if self.is_failing and not was_failing:
            log.warning("traces.not_exported", spans=len(spans), reason=str(self._words))
        elif was_failing and not self.is_failing:
            log.info("traces.exported_again")
        return result

    def shutdown(self) -> None:
        """Give up what is under way."""
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing is held here."""
        return self._inner.force_flush(timeout_millis)
