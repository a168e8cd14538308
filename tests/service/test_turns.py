"""Whose turn it is: intervals, pauses, one run at a time for a corp, and runs that hang."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.service.clocks import Host
from wxsync.service.turns import Cause, Ending, Terms, Turns, pause_after

MINUTE = timedelta(minutes=1)


def terms(corp: str = "acme", interval: int = 5, timeout: int = 60) -> Terms:
    """With numbers of minutes."""
    return Terms(corp=corp, min_interval=interval * MINUTE, run_timeout=timeout * MINUTE)


def turns(host: Host, **syncs: Terms) -> Turns:
    return Turns(syncs or {"hr": terms()}, lambda: host.since_boot)


def begun(state: Turns) -> list[str]:
    return [turn.sync for turn in state.begin()]


def test_nobody_has_a_run_unasked() -> None:
    """Nothing begins and nothing is waited for until somebody wants a run."""
    state = turns(Host())

    assert state.begin() == ()
    assert state.wait() is None


@pytest.mark.parametrize("cause", [Cause.SCHEDULE, Cause.CHANGE])
def test_who_asks_first_begins_at_once(cause: Cause) -> None:
    """A start or a change begins a run where nothing is against it, and says which it was."""
    state = turns(Host())
    state.want("hr", cause)

    assert state.wait() == 0
    [turn] = state.begin()
    assert (turn.sync, turn.corp, turn.cause) == ("hr", "acme", cause)
    assert state.running == ("hr",)
    assert state.begin() == ()


def test_missed_starts_are_one() -> None:
    """However many starts and changes came since, one run follows."""
    host = Host()
    state = turns(host)
    for _ in range(9):
        state.want("hr", Cause.SCHEDULE)
        state.want("hr", Cause.CHANGE)
        host.passes(minutes=15)

    assert begun(state) == ["hr"]
    state.end("hr", Ending.DONE)
    host.passes(hours=9)
    assert begun(state) == []


def test_what_is_wanted_during_a_run_comes_after_it() -> None:
    """What changed while the source was being read may not be in that reading: there is one more run."""
    host = Host()
    state = turns(host)
    state.want("hr", Cause.SCHEDULE)
    state.begin()
    host.passes(minutes=20)
    state.want("hr", Cause.CHANGE)
    state.want("hr", Cause.SCHEDULE)
    assert begun(state) == []
    state.end("hr", Ending.DONE)

    [turn] = state.begin()
    assert turn.cause is Cause.CHANGE
    state.end("hr", Ending.DONE)
    host.passes(hours=1)
    assert begun(state) == []


def test_a_yes_waits_for_no_interval_and_leaves_the_start_that_waits() -> None:
    """What somebody approved begins as soon as the corp is free; the schedule's start comes after it."""
    host = Host()
    state = turns(host)
    state.want("hr", Cause.SCHEDULE)
    assert begun(state) == ["hr"]
    state.want("hr", Cause.SCHEDULE)
    state.want("hr", Cause.APPROVAL)
    assert begun(state) == []
    state.end("hr", Ending.DONE)

    assert state.wait() == 0
    assert [turn.cause for turn in state.begin()] == [Cause.APPROVAL]
    state.end("hr", Ending.DONE)
    assert begun(state) == []
    host.passes(minutes=5)
    assert [turn.cause for turn in state.begin()] == [Cause.SCHEDULE]


def test_runs_begin_no_more_often_than_min_interval() -> None:
    """From beginning to beginning, however much changes, and what waited is not lost."""
    host = Host()
    state = turns(host, hr=terms(interval=5))
    state.want("hr", Cause.CHANGE)
    state.begin()
    host.passes(minutes=1)
    state.end("hr", Ending.DONE)
    state.want("hr", Cause.CHANGE)

    assert begun(state) == []
    assert state.wait() == 4 * 60
    host.passes(minutes=4)
    assert state.wait() == 0
    assert begun(state) == ["hr"]


def test_after_failures_the_pauses_grow() -> None:
    """A failed run is tried again by itself, after one minute, then two, four, and at most an hour."""
    host = Host()
    state = turns(host, hr=terms(interval=0))
    state.want("hr", Cause.SCHEDULE)
    pauses = []
    for _ in range(9):
        [turn] = state.begin()
        state.end("hr", Ending.FAILED)
        state.want("hr", Cause.CHANGE)  # does not make it sooner
        wait = state.wait()
        assert wait is not None
        pauses.append(wait / 60)
        host.passes(seconds=wait - 1)
        assert begun(state) == []
        host.passes(seconds=1)

    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert state.failures("hr") == 9
    assert turn.cause is Cause.CHANGE
    state.begin()
    state.end("hr", Ending.DONE)
    assert state.failures("hr") == 0
    state.want("hr", Cause.SCHEDULE)
    assert state.wait() == 0


def test_a_failure_is_tried_again_without_a_start() -> None:
    """A daily run that failed is not a day late; `min_interval` holds for it as for any."""
    host = Host()
    state = turns(host, hr=terms(interval=30))
    state.want("hr", Cause.SCHEDULE)
    state.begin()
    state.end("hr", Ending.FAILED)

    assert state.wait() == 30 * 60
    host.passes(minutes=30)
    [turn] = state.begin()
    assert turn.cause is Cause.RETRY


def test_pauses_have_an_end_after_any_number_of_failures() -> None:
    """A year of failures is no number too large."""
    assert pause_after(0) == 0
    assert pause_after(10_000) == 3600


def test_a_corp_has_one_run_at_a_time_and_corps_go_side_by_side() -> None:
    """Two syncs of one corp follow each other; a sync of another corp waits for neither."""
    host = Host()
    state = turns(host, hr=terms("acme"), labs=terms("acme"), shop=terms("zenith"))
    for sync in ("hr", "labs", "shop"):
        state.want(sync, Cause.SCHEDULE)
        host.passes(seconds=1)

    assert begun(state) == ["hr", "shop"]
    assert state.wait() == 60 * 60, "until the first of them has gone on for too long"
    state.end("hr", Ending.DONE)
    assert state.wait() == 0
    assert begun(state) == ["labs"]


def test_who_asked_first_is_first() -> None:
    """A sync whose runs are always wanted does not keep the other one of its corp from its turn."""
    host = Host()
    state = turns(host, hr=terms(interval=0), labs=terms(interval=0))
    order = []
    for _ in range(6):
        state.want("hr", Cause.CHANGE)
        state.want("labs", Cause.CHANGE)
        host.passes(seconds=1)
        [sync] = begun(state)
        state.want(sync, Cause.CHANGE)
        order.append(sync)
        host.passes(minutes=1)
        state.end(sync, Ending.DONE)

    assert order == ["hr", "labs"] * 3


def test_a_run_that_hangs_is_cut_off_once_and_keeps_its_corp_until_it_ends() -> None:
    """What was told to stop may still be writing: nobody begins beside it."""
    host = Host()
    state = turns(host, hr=terms(timeout=30), labs=terms())
    state.want("hr", Cause.SCHEDULE)
    state.begin()
    state.want("labs", Cause.SCHEDULE)
    host.passes(minutes=29)
    assert state.cut_off() == ()
    assert state.wait() == 60
    host.passes(minutes=1)
    assert state.wait() == 0

    assert state.cut_off() == ("hr",)
    assert state.cut_off() == ()
    assert begun(state) == []
    assert state.wait() is None
    state.end("hr", Ending.FAILED)
    assert begun(state) == ["labs"]
    assert state.failures("hr") == 1


def test_a_corp_that_another_process_has_is_asked_for_again_in_a_minute() -> None:
    """That is no failure, and no run either: `min_interval` does not count from it."""
    host = Host()
    state = turns(host, hr=terms(interval=30))
    state.want("hr", Cause.SCHEDULE)
    for _ in range(5):
        assert begun(state) == ["hr"]
        state.end("hr", Ending.BUSY)
        assert state.wait() == 60
        host.passes(minutes=1)

    assert state.failures("hr") == 0


def test_a_restart_forgets_no_interval_and_no_pause() -> None:
    """With what the journal knows of the last run, restarts do no harm."""
    host = Host()
    for began, failures, wait in ((1, 0, 4), (9, 0, 0), (1, 4, 7), (1, 1, 4), (-30, 0, 5)):
        state = turns(host, hr=terms(interval=5))
        state.recall("hr", began=began * MINUTE, failures=failures)
        state.want("hr", Cause.SCHEDULE)

        assert state.wait() == wait * 60, (began, failures)
        assert state.failures("hr") == failures


def test_a_reload_goes_by_the_new_terms_and_stops_nothing() -> None:
    """A run under way ends by its old timeout; who is gone is forgotten; who is new has no past."""
    host = Host()
    state = turns(host, hr=terms(timeout=30), labs=terms("zenith", timeout=30))
    state.want("hr", Cause.SCHEDULE)
    state.want("labs", Cause.SCHEDULE)
    state.begin()
    state.reload({"hr": terms(timeout=10, interval=0), "shop": terms("acme")})
    state.want("labs", Cause.CHANGE)
    state.want("shop", Cause.SCHEDULE)
    host.passes(minutes=20)

    assert state.cut_off() == ()
    assert begun(state) == [], "acme is taken"
    host.passes(minutes=10)
    assert state.cut_off() == ("hr", "labs")
    state.end("labs", Ending.DONE)
    state.end("hr", Ending.DONE)
    assert begun(state) == ["shop"]
    assert state.running == ("shop",)


def test_a_sync_that_moved_to_another_corp_has_still_one_run() -> None:
    """Its run under way keeps the old corp, and another one of it waits."""
    state = turns(Host(), hr=terms("acme", interval=0))
    state.want("hr", Cause.SCHEDULE)
    state.begin()
    state.reload({"hr": terms("zenith", interval=0), "labs": terms("acme")})
    state.want("hr", Cause.SCHEDULE)
    state.want("labs", Cause.SCHEDULE)

    assert begun(state) == []
    state.end("hr", Ending.DONE)
    assert sorted(begun(state)) == ["hr", "labs"]


def test_an_end_without_a_run_is_an_error() -> None:
    """Whoever tells of it has lost count, and another run may be under way."""
    with pytest.raises(KeyError):
        turns(Host()).end("hr", Ending.DONE)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("want"), st.sampled_from("abc"), st.sampled_from([Cause.SCHEDULE, Cause.CHANGE])),
        st.tuples(st.just("end"), st.sampled_from("abc"), st.sampled_from(list(Ending))),
        st.tuples(st.just("pass"), st.sampled_from([1, 30, 60, 61, 299, 300, 4000]), st.none()),
    ),
    max_size=60,
)


@given(STEPS)
@settings(max_examples=300)
def test_whatever_happens_the_rules_hold(steps: list[tuple[str, Any, Any]]) -> None:
    """One run a corp, intervals and pauses kept, no `wait` too long, and whoever wants a run has one."""
    host = Host()
    syncs: Mapping[str, Terms] = {"a": terms("one"), "b": terms("one"), "c": terms("two")}
    state = Turns(syncs, lambda: host.since_boot)
    began: dict[str, float] = {}
    free_at: dict[str, float] = {}
    wanted: set[str] = set()

    def begin() -> None:
        wait = state.wait()
        for turn in state.begin():
            assert wait == 0
            assert host.since_boot >= free_at.get(turn.sync, 0.0), turn
            began[turn.sync] = host.since_boot
            free_at[turn.sync] = host.since_boot + 300
            wanted.discard(turn.sync)
        corps = [syncs[sync].corp for sync in state.running]
        assert len(corps) == len(set(corps))

    def end(sync: str, ending: Ending) -> None:
        state.end(sync, ending)
        if ending is not Ending.DONE:
            wanted.add(sync)
        if ending is Ending.FAILED:
            free_at[sync] = max(free_at[sync], host.since_boot + pause_after(state.failures(sync)))
        if ending is Ending.BUSY:
            free_at[sync] = host.since_boot + 60

    for verb, what, how in steps:
        if verb == "want":
            state.want(what, how)
            wanted.add(what)
        elif verb == "pass":
            host.passes(seconds=what)
            state.cut_off()
        elif what in state.running:
            end(what, how)
        begin()

    while wanted or state.running:
        for sync in state.running:
            end(sync, Ending.DONE)
        host.passes(seconds=state.wait() or 0)
        begin()


def test_what_may_not_begin_now_waits() -> None:
    """Who lost the lead for a moment has its start when it leads again."""
    state = turns(Host())
    state.want("hr", Cause.SCHEDULE)
    assert state.begin(lambda _corp: False) == ()
    assert state.wait(lambda _corp: False) is None
    assert begun(state) == ["hr"]


def test_what_was_forgotten_does_not_begin() -> None:
    """Another process leads: what was wanted here it knows itself."""
    state = turns(Host())
    state.want("hr", Cause.SCHEDULE)
    state.want("hr", Cause.APPROVAL)
    state.forget("hr")
    assert begun(state) == []
