"""Metrics and health say how a party gets on, to programs on this machine alone."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator

import pytest

from marketplace.operations import metrics as metrics_module
from marketplace.operations.metrics import Metrics, MetricsPortError, serve_metrics


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("aggregator", 7)


@pytest.fixture
def port(metrics: Metrics) -> Iterator[int]:
    with serve_metrics(metrics, 0) as url:
        yield int(url.split(":")[2].split("/")[0])


def ask(port: int, path: str, host: str | None = None, method: str = "GET") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, headers={} if host is None else {"Host": host})
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body


def test_metrics_say_what_happened(metrics, port):
    metrics.succeeded(0.2, 3)
    metrics.failed("E0102")
    metrics.saw(4, 2)
    metrics.has_coins(15 * 10**17)
    status, text = ask(port, "/metrics")
    labels = 'job="7",role="aggregator"'
    assert status == 200
    for line in (
        f"cairn_actions_total{{{labels}}} 3.0",
        f'cairn_step_failures_total{{code="E0102",{labels}}} 1.0',
        f"cairn_step_seconds_count{{{labels}}} 1.0",
        f"cairn_round{{{labels}}} 4.0",
        f"cairn_settled_rounds{{{labels}}} 2.0",
        f"cairn_balance_coins{{{labels}}} 1.5",
        f"cairn_ready{{{labels}}} 0.0",
    ):
        assert f"\n{line}\n" in text
    assert "process_resident_memory_bytes" in text


def test_a_party_is_ready_while_its_steps_succeed(metrics, port):
    assert ask(port, "/ready")[0] == 503
    metrics.succeeded(0.1, 0)
    assert ask(port, "/ready") == (200, '{"status": "ok", "reason": null}\n')
    metrics.failed("E0102")
    status, text = ask(port, "/ready")
    assert (status, json.loads(text)["reason"]) == (503, "the last step failed with E0102")


def test_a_process_that_no_longer_gets_on_is_unhealthy(metrics, port, monkeypatch):
    assert ask(port, "/health")[0] == 200
    monkeypatch.setattr(metrics_module, "STALLED_SECONDS", -1.0)
    status, text = ask(port, "/health")
    assert status == 503
    assert "no step has ended for" in json.loads(text)["reason"]


@pytest.mark.parametrize("host", ["attacker.example.org", "127.0.0.1.attacker.example.org", "[", ""])
def test_another_name_for_this_machine_is_refused(port, host):
    assert ask(port, "/metrics", host)[0] == 403


def test_there_is_nothing_else(port):
    assert ask(port, "/")[0] == 404
    assert ask(port, "/metrics", method="POST")[0] == 501


def test_it_listens_on_loopback_alone(port):
    with serve_metrics(Metrics("trainer", 1), 0) as url:
        assert url.startswith("http://127.0.0.1:")


def test_a_port_in_use_is_told(metrics):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        number = other.getsockname()[1]
        with pytest.raises(MetricsPortError, match=f"port {number}"), serve_metrics(metrics, number):
            pass
