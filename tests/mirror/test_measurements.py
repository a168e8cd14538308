"""What runs came to in numbers: put, added up, and never a reason for a run to fail."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from wxsync.mirror import measurements
from wxsync.mirror.measurements import OF_A_PLAN, OF_A_RUN, Measure, Place
from wxsync.mirror.store import Store

CREATED = Place(Measure.PLANNED, "member", "create")
UPDATED = Place(Measure.PLANNED, "member", "update")
RUNS = Place(Measure.RUNS, "apply", "applied")


def put(store: Store, numbers: dict[Place, int], sync: str = "acme") -> None:
    with store.transaction() as connection:
        measurements.put(connection, "acme", sync, OF_A_PLAN, numbers)


def add(store: Store, numbers: dict[Place, int]) -> None:
    with store.transaction() as connection:
        measurements.add(connection, "acme", "acme", numbers)


def load(store: Store) -> dict[tuple[str, str], dict[Place, int]]:
    with store.reading() as connection:
        return measurements.load(connection)


def test_what_is_put_takes_the_place_of_what_was_there(store: Store) -> None:
    """Of the same measures and the same sync; others stay."""
    put(store, {CREATED: 5, UPDATED: 1})
    put(store, {CREATED: 9}, sync="other")
    add(store, {RUNS: 1})
    put(store, {UPDATED: 2})

    assert load(store) == {("acme", "acme"): {UPDATED: 2, RUNS: 1}, ("acme", "other"): {CREATED: 9}}


def test_what_is_added_only_grows(store: Store) -> None:
    """Nothing that is put later takes any of it away."""
    add(store, {RUNS: 2})
    add(store, {RUNS: 3, Place(Measure.ALL_FAILED, detail="60104"): 1})
    with store.transaction() as connection:
        measurements.put(connection, "acme", "acme", (*OF_A_PLAN, *OF_A_RUN), {})

    assert load(store) == {("acme", "acme"): {RUNS: 5, Place(Measure.ALL_FAILED, detail="60104"): 1}}


def test_errcodes_that_differ_by_case_are_two(store: Store) -> None:
    """As in every table, texts compare byte by byte."""
    put(store, {Place(Measure.REJECTED, "member", detail=detail): n for n, detail in enumerate("aA", 1)})

    assert sorted(load(store)["acme", "acme"].values()) == [1, 2]


@pytest.mark.parametrize("how_often", [25])
def test_who_counts_at_once_loses_nothing_and_stops_nobody(store: Store, how_often: int) -> None:
    """A plan by hand beside the daemon's: no number is lost, and neither meets an error."""
    with ThreadPoolExecutor(4) as pool:
        said = [pool.submit(add, store, {RUNS: 1}) for _ in range(how_often)]
        said += [pool.submit(put, store, {CREATED: n, UPDATED: n}) for n in range(how_often)]
        for each in said:
            each.result()

    found = load(store)["acme", "acme"]
    assert found[RUNS] == how_often
    assert set(found) <= {RUNS, CREATED, UPDATED}


def test_a_measure_of_a_later_version_is_left_out(store: Store) -> None:
    """A daemon that is yet to be upgraded beside one that is not."""
    put(store, {CREATED: 1})
    with store.transaction() as connection:
        connection.exec_driver_sql("UPDATE measurements SET measure = 'to_come'")

    assert load(store) == {}
