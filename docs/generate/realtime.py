"""The parts of `realtime`: channels, close codes, the Pusher HTTP API, metrics."""

import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import URLPattern, URLResolver

from docs.generate.markdown import code, summary, table
from realtime import metrics, urls
from realtime.channels import channel_patterns
from realtime.monitoring.explain_access import channel_type, pattern_name, rule_name, rule_summary
from realtime.protocol import close_codes
from realtime.protocol.close_codes import CloseReason
from tikm.http.metrics import collectors

PLACEHOLDER = re.compile(r"\{(\w+)[^}]*\}")
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


def channels() -> str:
    """Return the channel patterns with their rules, as `manage.py channels` lists them."""
    rows = [
        (
            code(pattern_name(pattern)),
            channel_type(pattern),
            f"{code(rule_name(pattern.rule))}: {rule_summary(pattern.rule)}",
            ", ".join(code(name) for name in sorted(pattern.client_events)) or "none",
        )
        for pattern in channel_patterns()
    ]
    return table(("channel", "type", "rule", "client events"), rows)


def close_codes_of_the_server() -> str:
    """Return the close codes with their messages, in the order of the module."""
    reasons = [value for value in vars(close_codes).values() if isinstance(value, CloseReason)]
    return table(
        ("code", "message"), [(str(reason.code), PLACEHOLDER.sub(r"{\1}", reason.message)) for reason in reasons]
    )


def http_api() -> str:
    """Return the addresses of `realtime`: the Pusher HTTP API, authorization and history."""
    rows = [
        (code(f"{method} {address}"), summary(inspect.getdoc(each.callback)))
        for address, each in _addresses(urls.urlpatterns, "/")
        for method in [_method(each)]
    ]
    return table(("request", "does"), rows)


def metrics_for_prometheus() -> str:
    """Return the metrics by name, as they are in the answer."""
    rows = []
    described: list[Any] = [*metrics.collectors(), *collectors()]
    for collector in described:
        for each in collector.describe():
            labels = getattr(collector, "_labelnames", ()) or getattr(each, "_labelnames", ())
            name = each.name + "_total" * (each.type == "counter")
            rows.append((code(name), each.type, ", ".join(code(label) for label in labels), each.documentation))
    return table(("metric", "type", "by", "is"), rows)


def _addresses(patterns: Sequence[Any], prefix: str) -> Iterator[tuple[str, URLPattern]]:
    for each in patterns:
        address = prefix + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from _addresses(each.url_patterns, address)
        else:
            yield PARAMETER.sub(r"{\1}", address), each


def _method(each: URLPattern) -> str:
    """Return the method that a view accepts: its answer to another one names it."""
    view: Callable[..., HttpResponse] = each.callback
    return view(RequestFactory().trace("/"))["Allow"].partition(",")[0]
