"""Traces as OpenTelemetry's exporters send them (OTLP by HTTP)."""

import secrets
import time
from dataclasses import dataclass

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

PATH = "/v1/traces"


@dataclass(frozen=True)
class Trace:
    """A request with one new trace.

    Attributes:
        id: the trace's ID, as MLflow names it.
        body: what is posted to PATH.
        headers: say what the body is, and the experiment that it belongs to.

    """

    id: str
    body: bytes
    headers: dict[str, str]


def of_spans(*names: str, experiment: str = "0") -> Trace:
    """Return a trace of spans with these names; the first one is the root, and the others are its children."""
    trace, root = secrets.token_bytes(16), secrets.token_bytes(8)
    spans = [Span(trace_id=trace, span_id=root, name=names[0])]
    spans += [
        Span(trace_id=trace, span_id=secrets.token_bytes(8), parent_span_id=root, name=child) for child in names[1:]
    ]
    now = time.time_ns()
    for span in spans:
        span.start_time_unix_nano, span.end_time_unix_nano = now - 1_000_000, now
    request = ExportTraceServiceRequest(resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(spans=spans)])])
    headers = {"Content-Type": "application/x-protobuf", "x-mlflow-experiment-id": experiment}
    return Trace(f"tr-{trace.hex()}", request.SerializeToString(), headers)
