"""What one scrape of /metrics costs on a mirror of 100,000 people and 90 days of runs.

The mirror is filled straight into its tables: 100,000 members who are ours, a first load with an outcome for
each, then a run every 15 minutes with a few changes, plans of which the first is very long, and full windows
of calls. Every answer comes over HTTP from a server of its own thread, as Prometheus gets it. `--url` takes a
database other than a SQLite file; it must be empty.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Table, insert

from wxsync.config.settings import Settings
from wxsync.mirror import measurements, schema, tables
from wxsync.mirror.measurements import Measure, Place
from wxsync.mirror.store import Store
from wxsync.service.app import create_app
from wxsync.service.counts import CallbackCounts
from wxsync.service.facts import FactsReader
from wxsync.service.metrics import metrics_routes, open_metrics
from wxsync.service.web import listening, serving
from wxsync.wecom.limits import account_of

SYNCS = ("head", "branch")
CALLS = ("user/create", "user/update", "user/get", "user/delete", "tag/addtagusers", "department/list")
AT_ONCE = 20_000
LONG_PLAN = 20_000_000


def settings() -> Settings:
    """A config with two syncs into one corp, of which nothing is read but names and schedules."""
    mapping = {"key": "code", "parent": "parent", "name": "name"}
    sync = {
        "corp": "acme",
        "sources": ["hr"],
        "mode": "apply",
        "schedule": "*/15 * * * *",
        "department": mapping,
        "member": {"key": "no", "userid": "no", "name": "name"},
        "policy": {"leavers": "keep", "empty_departments": "keep", "adopt": []},
    }
    return Settings.model_validate(
        {
            "mirror": {"url": "sqlite:///mirror.db"},
            "corp": {"acme": {"corp_id": "ww5a6d626f78000001", "contact_secret": "made-up"}},
            "source": {
                "hr": {
                    "type": "sql",
                    "url": "sqlite:///hr.db",
                    "departments": "SELECT 1",
                    "members": "SELECT 1",
                }
            },
            "sync": {name: {**sync, "root_department": n} for n, name in enumerate(SYNCS, 1)},
        }
    )


def members(count: int) -> Iterator[Mapping[str, Any]]:
    for n in range(count):
        yield {
            "corp": "acme",
            "sync": SYNCS[n % 2],
            "key": f"E{n}",
            "userid": f"e{n}",
            "userid_folded": f"e{n}",
            "live_userid": f"e{n}",
            "state": "ours",
            "known_values": json.dumps({"name": f"Name {n}", "mobile": f"1{n:010}"}),
        }


def runs(count: int, now: datetime) -> Iterator[Mapping[str, Any]]:
    for n in range(1, count + 1):
        began = now - timedelta(minutes=15 * (count - n) // 2)
        yield {
            "id": n,
            "corp": "acme",
            "sync": SYNCS[n % 2],
            "verb": "plan" if n % 50 == 0 else "apply",
            "trigger": "schedule",
            "state": "planned" if n % 50 == 0 else "failed" if n % 97 == 0 else "applied",
            "started_at": began,
            "finished_at": began + timedelta(seconds=40),
        }


def readings(count: int) -> Iterator[Mapping[str, Any]]:
    for n in range(1, count + 1):
        for query in ("departments", "members", "memberships", "tags"):
            row = {"run_id": n, "source": "hr", "query": query, "sync": SYNCS[n % 2], "row_count": 100_000}
            yield {**row, "is_complete": n % 31 != 0, "unreadable_keys": 0}


def plans(count: int) -> Iterator[Mapping[str, Any]]:
    for n in range(1, count + 1):
        yield {"run_id": n, "digest": f"sha256:{n}", "document": "x" * (LONG_PLAN if n <= 2 else 4000)}


def outcomes(people: int, count: int) -> Iterator[Mapping[str, Any]]:
    for n in range(1, people + 1):
        yield {"run_id": 1, "n": n, "state": "done", "attempts": 1}
    for run in range(2, count + 1):
        for n in range(1, 6):
            failed = {"state": "failed", "errcode": 60104} if n == 5 else {"state": "done", "errcode": None}
            yield {"run_id": run, "n": n, "attempts": 1, **failed}


def uses(now: float) -> Iterator[Mapping[str, Any]]:
    for call in CALLS:
        for window in account_of("ww5a6d626f78000001", call).windows:
            for n in range(60):
                grain = window.grain_at(now - n * window.grain)
                yield {"name": window.name, "span": window.span, "grain": grain, "used": 20}


def numbers() -> dict[Place, int]:
    found = {Place(Measure.REJECTED, "member", detail=f"rule_{n}"): n for n in range(12)}
    for n in range(60):
        found |= {
            Place(measure, "field_change", "24h", f"field {n}"): 50
            for measure in (Measure.LIMIT, Measure.ALLOWED)
        }
    found |= {Place(Measure.ALL_FAILED, detail=str(60000 + n)): n for n in range(40)}
    return found


def fill(store: Store, people: int, count: int, now: datetime) -> None:
    put(store, tables.member_links, members(people))
    put(store, tables.runs, runs(count, now))
    put(store, tables.readings, readings(count))
    put(store, tables.plans, plans(count), at_once=50)
    put(store, tables.outcomes, outcomes(people, count))
    names = {row["name"] for row in uses(now.timestamp())}
    put(store, tables.quota_holds, iter([{"name": name, "step": 0} for name in sorted(names)]))
    put(store, tables.quota_uses, uses(now.timestamp()))
    with store.transaction() as connection:
        for sync in SYNCS:
            measurements.put(connection, "acme", sync, tuple(Measure), numbers())


def put(store: Store, table: Table, rows: Iterator[Mapping[str, Any]], at_once: int = AT_ONCE) -> None:
    while some := list(islice(rows, at_once)):
        with store.transaction() as connection:
            connection.execute(insert(table), some)


def scrapes(store: Store, count: int) -> tuple[list[float], float, int]:
    """Seconds of each answer, the CPU's of one (asking included), and how many numbers are in it."""
    current = settings()
    reader = FactsReader(store, lambda: current)
    routes = metrics_routes(open_metrics(reader, lambda: 0.0, CallbackCounts()), lambda: current)
    took: list[float] = []
    cpu = time.process_time()
    with (
        listening("127.0.0.1:0") as listener,
        serving(create_app(routes), listener) as web,
        httpx.Client(base_url=f"http://127.0.0.1:{web.port}") as client,
    ):
        for _ in range(count):
            began = time.perf_counter()
            text = client.get("/metrics").text
            took.append(time.perf_counter() - began)
    if "wxsync_mirror_ready 1.0" not in text:
        raise SystemExit("the mirror gave no answer in time: this is no figure")
    spent = (time.process_time() - cpu) / count
    return took, spent, sum(not line.startswith("#") for line in text.splitlines())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=2 * 96 * 90, help="of both syncs together")
    parser.add_argument("--scrapes", type=int, default=100)
    parser.add_argument("--url")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = asked.url or f"sqlite:///{Path(folder) / 'mirror.db'}"
        schema.upgrade(url)
        store = Store(schema.prepare(url))
        fill(store, asked.people, asked.runs, datetime.now(UTC))
        took, spent, lines = scrapes(store, asked.scrapes)
        store.close()
    took.sort()
    print(
        f"{asked.people:,} people, {asked.runs:,} runs, {lines} numbers: median"
        f" {statistics.median(took) * 1000:.1f} ms, 95th of 100 {took[len(took) * 95 // 100] * 1000:.1f} ms,"
        f" longest {took[-1] * 1000:.1f} ms; {spent * 1000:.1f} ms of CPU each"
    )


if __name__ == "__main__":
    main()
