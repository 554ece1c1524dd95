"""GET /healthz and /metrics: for whoever watches over the desk."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.responses import JSONResponse, Response

from desk.web.ask import Ask
from desk.web.desk import Desk
from edge.errors import StoreError


def healthz(ask: Ask) -> Response:
    """Whether it can be used: 503 without the database; `ok` is false without the broker, too."""
    try:
        found, database = ask.desk.standings(), True
    except StoreError:
        # What this process knows without it.
        found, database = [one.standing for one in [ask.desk.ingest] if one], False
    broker = bool(found) and all(one.connected for one in found)
    told = {"ok": database and broker, "database": database, "broker": broker, "lag_s": max((one.lag_s for one in found), default=0.0)}
    return JSONResponse(told, status_code=200 if database else 503)


def metrics(ask: Ask) -> Response:
    """In Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Figures(ask.desk))
    return Response(generate_latest(registry), media_type="text/plain; version=0.0.4; charset=utf-8")


class _Figures(Collector):
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def collect(self) -> Iterable[Metric]:
        desk = self._desk
        ingests = desk.standings()
        messages = CounterMetricFamily("undertone_desk_messages", "Messages by what became of them", labels=["ingest", "fate"])
        for one in ingests:
            for fate, count in one.counts.items():
                messages.add_metric([one.name, fate], count)
        yield messages
        with desk.database.read() as tx:
            states, waiting = tx.all("cases_by_state"), int((tx.one("commands_waiting") or {"n": 0})["n"])
            late = int((tx.one("deliveries_waiting") or {"n": 0})["n"])
        cases = GaugeMetricFamily("undertone_desk_cases", "Cases by state", labels=["state"])
        for row in states:
            cases.add_metric([row["state"]], row["n"])
        yield cases
        yield GaugeMetricFamily("undertone_desk_commands_waiting", "Commands to boxes that are not answered", value=waiting)
        yield GaugeMetricFamily("undertone_desk_webhooks_waiting", "Webhook deliveries that are not taken", value=late)
        broker = GaugeMetricFamily("undertone_desk_broker_connected", "Whether it has its broker", labels=["ingest"])
        lag = GaugeMetricFamily("undertone_desk_lag_seconds", "Wait of the oldest message that is not stored", labels=["ingest"])
        for one in ingests:
            broker.add_metric([one.name], float(one.connected))
            lag.add_metric([one.name], one.lag_s)
        yield broker
        yield lag
