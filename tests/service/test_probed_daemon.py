"""`wxsync serve` as proxies, orchestrators and a real Prometheus see it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.cli.stage import Stage, open_stage, wait_for
from tests.house.tree import ROOT
from tests.servers.ports import free_port
from tests.servers.presence import require
from tests.service.daemons import APPLY, LISTEN, SERVED, daemon
from tests.service.test_metrics import numbers

SYNC = 'corp="acme",sync="acme"'


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with open_stage(tmp_path) as opened:
        opened.configure((SERVED, LISTEN), APPLY)
        yield opened


def told(base_url: str) -> dict[str, float]:
    return numbers(httpx.get(f"{base_url}/metrics", timeout=20).text)


def status(base_url: str, path: str) -> int:
    return httpx.get(f"{base_url}{path}", timeout=20).status_code


def test_a_run_is_seen_by_whichever_daemon_is_asked(stage: Stage) -> None:
    """Both are well and tell of the run that one of them made; one leads."""
    stage.ok("apply", "--yes")
    with daemon(stage, "one") as one, daemon(stage, "two") as two:
        urls = (one.base_url, two.base_url)
        assert {status(url, path) for url in urls for path in ("/healthz", "/readyz")} == {200}
        wait_for(lambda: told(one.base_url)['wxsync_leader{corp="acme"}'] == 1)
        stage.hire(13, 13)
        one.begin()
        two.begin()
        place = "wxsync_runs_total{" + SYNC + ',state="applied",verb="apply"}'
        wait_for(lambda: all(_at(told(url), place) == 2 for url in urls))
        seen = [told(url) for url in urls]

    created = "wxsync_changes_total{" + SYNC + ',kind="member",verb="create",state="done"}'
    assert [_at(each, created) for each in seen] == [13, 13]
    assert all(each["wxsync_loop_silence_seconds"] < 10 for each in seen)
    applied = "wxsync_run_last_state{" + SYNC + ',state="applied"}'
    assert [_at(each, applied) for each in seen] == [1, 1]


def _at(found: dict[str, float], place: str) -> float:
    """The number at the place, in whatever order its labels stand."""
    wanted = set(re.findall(r'\w+="[^"]*"', place)), place.partition("{")[0]
    for each, number in found.items():
        if (set(re.findall(r'\w+="[^"]*"', each)), each.partition("{")[0]) == wanted:
            return number
    return 0.0


def test_a_daemon_that_is_stopped_in_its_tracks_answers_nobody(stage: Stage) -> None:
    """A probe that gets no answer counts as failed; once it goes on it is well."""
    with daemon(stage, "one") as one:
        os.kill(one.process.pid, signal.SIGSTOP)
        with pytest.raises(httpx.TimeoutException):
            httpx.get(f"{one.base_url}/healthz", timeout=2)
        os.kill(one.process.pid, signal.SIGCONT)
        wait_for(lambda: status(one.base_url, "/healthz") == 200)


def test_a_real_prometheus_takes_it_and_the_rules(stage: Stage, tmp_path: Path) -> None:
    """It scrapes the daemon, knows every type, and works out each alert; none comes where all is well."""
    require(package="prometheus", present=shutil.which("prometheus") is not None)
    stage.ok("apply", "--yes")
    with daemon(stage, "one") as one, prometheus(tmp_path / "prometheus", one.port) as ask:
        wait_for(lambda: ask("query", query='up{job="wxsync"} == 1')["result"])
        wait_for(lambda: ask("query", query="wxsync_leader == 1")["result"])
        wait_for(lambda: all(rule["health"] == "ok" for rule in rules(ask)))
        names = {rule["name"] for rule in rules(ask)}
        firing = [rule["name"] for rule in rules(ask) if rule["state"] == "firing"]
        age = ask("query", query="wxsync_run_last_success_age_seconds")["result"]
        kinds = ask("metadata")

    assert names == {rule["alert"] for rule in all_rules()}
    assert firing == []
    assert float(age[0]["value"][1]) < 120
    assert kinds["wxsync_runs"][0]["type"] == "counter"  # OpenMetrics, for which it asks, names it so
    assert kinds["wxsync_plan_changes"][0]["type"] == "gauge"


def all_rules() -> list[dict[str, Any]]:
    text = (ROOT / "deploy" / "prometheus" / "wxsync.rules.yml").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = yaml.safe_load(text)["groups"][0]["rules"]
    return found


def rules(ask: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask("rules")["groups"][0]["rules"]
    return found


@contextmanager
def prometheus(home: Path, port: int) -> Iterator[Any]:
    """A Prometheus with the config of deploy/, that scrapes one daemon each second."""
    shutil.copytree(ROOT / "deploy" / "prometheus", home)
    config = yaml.safe_load((home / "prometheus.yml").read_text(encoding="utf-8"))
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["scrape_configs"][0]["static_configs"] = [{"targets": [f"127.0.0.1:{port}"]}]
    (home / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    own = free_port()
    command = [
        "prometheus",
        f"--config.file={home}/prometheus.yml",
        f"--storage.tsdb.path={home}/data",
        f"--web.listen-address=127.0.0.1:{own}",
    ]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    base_url = f"http://127.0.0.1:{own}"

    def ask(what: str, **asked: str) -> Any:
        answer = httpx.get(f"{base_url}/api/v1/{what}", params=asked, timeout=10)
        return answer.json()["data"]

    try:
        wait_for(lambda: is_up(f"{base_url}/-/ready"), seconds=60)
        yield ask
    finally:
        process.terminate()
        process.wait(30)


def is_up(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code == 200
    except httpx.TransportError:
        time.sleep(0.1)
        return False
