"""docs/how-to/measure-with-prometheus.md is followed to the letter, and its dashboard asks for what there is."""

import json
import re
import urllib.request

import pytest
from programs import DEADLINE, ROOT, Start

pytest.importorskip("prometheus_client")

from prometheus_client import CollectorRegistry, generate_latest

from netcode import turns
from netcode.metrics import observe
from netcode.testing import FakeClock, MemoryNetwork

PAGE = (ROOT / "docs" / "how-to" / "measure-with-prometheus.md").read_text(encoding="utf-8")
DASHBOARD = (ROOT / "docs" / "grafana" / "netcode.json").read_text(encoding="utf-8")


class Pass(turns.Game):
    """A game of which tables are served."""

    @turns.move
    def go(self) -> None:
        self.finish()


def offered() -> set[str]:
    """Return the names that there are, as the page writes them."""
    clock = FakeClock()
    registry = CollectorRegistry()
    network = MemoryNetwork(clock)
    with turns.Server(Pass, host="server", port=7777, store=None, network=network, clock=clock) as server:
        observe(server, registry)
        said = generate_latest(registry).decode()
    return {*re.findall(r"^# HELP (\w+) ", said, re.MULTILINE)}


def test_the_page_names_every_metric() -> None:
    assert {*re.findall(r"`(netcode_\w+)`", PAGE)} == offered()


def test_the_dashboard_asks_for_each_metric_and_for_no_other() -> None:
    panels = json.loads(DASHBOARD)["panels"]
    asked = {name for panel in panels for one in panel["targets"] for name in re.findall(r"netcode_\w+", one["expr"])}

    assert {re.sub("_(bucket|sum|count)$", "", name) for name in asked} == offered()
    assert all(panel["title"] for panel in panels)


@pytest.mark.process
def test_its_server_can_be_scraped(start: Start) -> None:
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    code = code.replace("    prometheus_client.start", "    web, _ = prometheus_client.start").replace("9100", "0")
    code = code.replace("    for tick", "    print('port', web.server_port)\n    for tick").replace("7777", "0")
    port = start("-c", code).until(r"port (\d+)")[1]

    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=DEADLINE) as answer:
        assert "netcode_peers{server=" in answer.read().decode()
