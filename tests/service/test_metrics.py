"""/metrics over real sockets: who may read it, what it says without a mirror, and by promtool's rules."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import make_url

from tests.journeys.stage import settings_of
from tests.servers.presence import require
from tests.service.webserver import serving
from wxsync.mirror import lease, measurements, schema
from wxsync.mirror.measurements import Measure, Place
from wxsync.mirror.quota import MirrorLedger
from wxsync.mirror.servers import open_server
from wxsync.mirror.store import Store
from wxsync.model.quota import Hold
from wxsync.service.counts import MOST_WORDS, OTHER, CallbackCounts
from wxsync.service.facts import LEADING, FactsReader
from wxsync.service.metric_names import ALL
from wxsync.service.metrics import is_allowed, metrics_routes, open_metrics
from wxsync.wecom.limits import account_of

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
CORP_ID = "ww5a6d626f78000001"
EVERYBODY = ("0.0.0.0/0", "::/0")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(schema.prepare(f"sqlite:///{tmp_path}/mirror.db"))
    yield opened
    opened.close()


@contextmanager
def asking(
    store: Store, tmp_path: Path, *, allow: tuple[str, ...] = ("127.0.0.0/8",), **more: Any
) -> Iterator[httpx.Client]:
    settings = settings_of(f"sqlite:///{tmp_path}/hr.db", tmp_path / "mirror.db", schedule="*/15 * * * *")
    service = settings.service.model_copy(update={"metrics_allow": allow})
    settings = settings.model_copy(update={"service": service})
    counts = more.pop("counts", CallbackCounts())
    host = more.pop("host", "127.0.0.1")
    reader = FactsReader(store, lambda: settings, clock=lambda: NOW, **more)
    metrics = open_metrics(reader, lambda: 0.25, counts)
    with (
        serving(metrics_routes(metrics, lambda: settings), host) as address,
        httpx.Client(base_url=address, timeout=30) as client,
    ):
        yield client


def numbers(text: str) -> dict[str, float]:
    """Each line that is a number: what is before it, and it."""
    lines = [line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#")]
    return {place: float(number) for place, number in lines}


def fill(store: Store) -> None:
    """Something of every table that metrics are made of."""
    at = NOW - timedelta(hours=1)
    told = {
        Place(Measure.PLANNED, "member", "create"): 3,
        Place(Measure.REJECTED, "member", detail="phone_number"): 2,
        Place(Measure.LIMIT, "field_change", "24h", "mobile"): 3,
        Place(Measure.ALLOWED, "field_change", "24h", "mobile"): 4,
        Place(Measure.ENDED, "member", "create", "done"): 3,
        Place(Measure.FAILED, detail="60104"): 1,
        Place(Measure.ALL_FAILED, detail="60104"): 7,
        Place(Measure.RUNS, "apply", "applied"): 12,
    }
    with store.transaction() as connection:
        measurements.put(connection, "acme", "acme", tuple(Measure), told)
        run = (
            "INSERT INTO runs (id, corp, sync, verb, trigger, state, started_at, finished_at)"
            " VALUES (1, 'acme', 'acme', 'apply', 'schedule', 'applied', ?, ?)"
        )
        job = (
            "INSERT INTO batch_jobs (run_id, corp, sync, kind, state, row_count, prepared_at, submissions,"
            " percentage) VALUES (1, 'acme', 'acme', 'sync_members', 'running', 5, ?, 1, 0)"
        )
        reading = (
            "INSERT INTO readings (run_id, source, query, sync, row_count, is_complete, unreadable_keys)"
            " VALUES (1, 'hr', 'members', 'acme', 99, 1, 0)"
        )
        moment = f"{at:%Y-%m-%d %H:%M:%S}.000000"
        for row in (run, job, reading):
            connection.exec_driver_sql(row, (moment,) * row.count("?"))
    ledger, account = MirrorLedger(store), account_of(CORP_ID, "user/create")
    ledger.reserve(account, 9, NOW.timestamp())
    ledger.hold(account, Hold(until=NOW.timestamp() + 30, step=0), NOW.timestamp())


def test_every_metric_is_there_and_promtool_finds_no_fault(store: Store, tmp_path: Path) -> None:
    """All that is documented, on a mirror that has something of everything; names and types by convention."""
    require(package="prometheus", present=shutil.which("promtool") is not None)
    fill(store)
    counts = CallbackCounts()
    counts.received("acme", "update_user")
    counts.rejected("refused")
    counts.unknown("acme", 2)
    held = [
        lease.acquire(store, corp, owner="acme (schedule)", ttl=timedelta(seconds=240)) for corp in ("acme",)
    ]
    held.append(lease.acquire(store, f"{LEADING}acme", owner="daemon", ttl=timedelta(seconds=20)))
    backlog = {"acme": (4, NOW - timedelta(seconds=90))}
    with asking(store, tmp_path, counts=counts, backlog=lambda connection: backlog) as client:
        answer = client.get("/metrics")
    for each in held:
        lease.release(store, each)

    found = numbers(answer.text)
    linted = subprocess.run(
        ["promtool", "check", "metrics"], input=answer.text, capture_output=True, text=True, check=False
    )
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert {each.name for each in ALL} - {re.split("[{ ]", place)[0] for place in found} == set()
    assert (linted.returncode, linted.stdout + linted.stderr) == (0, "")
    assert found['wxsync_run_last_success_age_seconds{corp="acme",sync="acme"}'] == 3600
    limit = 'corp="acme",sync="acme",limit="field_change",detail="mobile",window="24h"'
    assert in_any_order(found, f"wxsync_limit_headroom_ratio{{{limit}}}") == 0.25
    assert in_any_order(found, 'wxsync_quota_calls{call="user/create",corp="acme",window="60"}') == 9
    assert in_any_order(found, 'wxsync_quota_calls{call="user/create",corp="",window="60"}') == 9
    assert in_any_order(found, 'wxsync_quota_held_seconds{call="user/create",corp="acme"}') == 30
    assert found['wxsync_lease_held{corp="acme"}'] == 1
    assert found['wxsync_leader{corp="acme"}'] == 1
    assert in_any_order(found, f'wxsync_leader_info{{corp="acme",host="{socket.gethostname()}"}}') == 1
    assert found['wxsync_callback_queue_length{corp="acme"}'] == 4
    assert found['wxsync_callback_lag_seconds{corp="acme"}'] == 90
    assert found['wxsync_jobs_oldest_age_seconds{corp="acme"}'] == 3600
    assert found["wxsync_loop_silence_seconds"] == 0.25
    assert found["process_open_fds"] > 0
    assert CORP_ID not in answer.text


def in_any_order(found: dict[str, float], place: str) -> float:
    """The number at the place, in whatever order its labels stand."""
    by_labels = {key(each): number for each, number in found.items()}
    return by_labels[key(place)]


def key(place: str) -> tuple[str, frozenset[str]]:
    name, _, labels = place.partition("{")
    return name, frozenset(re.findall(r'\w+="[^"]*"', labels))


def test_without_its_mirror_it_tells_of_itself(tmp_path: Path) -> None:
    """A server that takes the line and says nothing: 200 in time, or Prometheus would call it down."""
    with closing(socket.create_server(("127.0.0.1", 0))) as mute:
        url = make_url(f"postgresql+psycopg://somebody@127.0.0.1:{mute.getsockname()[1]}/wxsync")
        store = Store(open_server(url))
        with asking(store, tmp_path) as client:
            answer = client.get("/metrics")
        store.close()

    found = numbers(answer.text)
    assert answer.status_code == 200
    assert answer.elapsed < timedelta(seconds=8)
    assert found["wxsync_mirror_ready"] == 0
    assert "wxsync_loop_silence_seconds" in found
    assert not [place for place in found if "sync=" in place]


def test_a_lease_of_the_dead_is_held_by_nobody(store: Store, tmp_path: Path) -> None:
    """A run or leader whose process is no more."""
    held = lease.acquire(store, f"{LEADING}acme", owner="daemon", ttl=timedelta(seconds=600))
    held.life.give_back()  # as the kernel does it for a process that died
    with asking(store, tmp_path) as client:
        found = numbers(client.get("/metrics").text)

    assert found['wxsync_leader{corp="acme"}'] == 0
    assert not [place for place in found if place.startswith("wxsync_leader_info")]


def test_who_is_not_in_metrics_allow_gets_nothing(store: Store, tmp_path: Path) -> None:
    """403, and not one number."""
    with asking(store, tmp_path, allow=("192.0.2.0/24",)) as client:
        answer = client.get("/metrics")

    assert answer.status_code == 403
    assert "wxsync_" not in answer.text


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
def test_what_a_proxy_passes_on_is_not_the_proxys(store: Store, tmp_path: Path, header: str) -> None:
    """A proxy on this machine does not make everybody a neighbour."""
    with asking(store, tmp_path, allow=EVERYBODY) as client:
        passed_on = client.get("/metrics", headers={header: "127.0.0.1"})
        own = client.get("/metrics")

    assert (passed_on.status_code, own.status_code) == (403, 200)


def test_a_socket_for_both_families_knows_its_ipv4_neighbours(store: Store, tmp_path: Path) -> None:
    """They come as ::ffff:127.0.0.1 there."""
    with asking(store, tmp_path, host="::") as client:
        assert client.get("/metrics").status_code == 200


@pytest.mark.parametrize(
    ("address", "networks", "allowed"),
    [
        ("127.0.0.1", ["127.0.0.0/8"], True),
        ("10.1.2.3", ["127.0.0.0/8", "10.1.0.0/16"], True),
        ("10.2.2.3", ["10.1.0.0/16"], False),
        ("::1", ["::1/128"], True),
        ("::1", ["127.0.0.0/8"], False),
        ("::ffff:10.1.2.3", ["10.1.0.0/16"], True),
        ("fe80::1%eth0", ["fe80::/10"], True),
        (None, ["0.0.0.0/0", "::/0"], False),
        ("unix:", ["0.0.0.0/0", "::/0"], False),
        ("127.0.0.1", [], False),
    ],
)
def test_who_is_in_which_network(address: str | None, networks: list[str], allowed: bool) -> None:
    """What is no address is in none."""
    assert is_allowed(address, networks) is allowed


def test_openmetrics_where_it_is_asked_for(store: Store, tmp_path: Path) -> None:
    """With its end mark, by which a cut answer shows."""
    with asking(store, tmp_path) as client:
        answer = client.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})

    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert answer.text.endswith("# EOF\n")


def test_words_from_outside_do_not_grow_without_end() -> None:
    """What came beyond so many kinds is counted together."""
    counts = CallbackCounts()
    for number in range(10_000):
        counts.received("acme", f"kind {number}")
        counts.rejected(f"reason {number}")

    assert len(counts.all_received()) <= MOST_WORDS + 1
    assert counts.all_received()["acme", OTHER] == 10_000 - MOST_WORDS
    assert sum(counts.all_rejected().values()) == 10_000


def test_two_daemons_on_one_mirror_say_the_same(store: Store, tmp_path: Path) -> None:
    """All that comes from the mirror; so nothing is to be summed over them."""
    fill(store)
    with asking(store, tmp_path) as one, asking(store, tmp_path) as other:
        texts = [numbers(each.get("/metrics").text) for each in (one, other)]
    own = ("process_", "python_", "wxsync_mirror_read_seconds")
    shared = [{place: n for place, n in text.items() if not place.startswith(own)} for text in texts]

    assert shared[0] == shared[1]
    assert len(shared[0]) > 100
