"""Telling Prometheus and OpenTelemetry what processes do."""
