"""What the mirror keeps of approvals, demands, windows and the applied config, on each database."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from wxsync.mirror import approvals, journal, limit_uses
from wxsync.mirror.store import Store
from wxsync.model.approval import Decided, Offer, Standing, Verdict
from wxsync.model.message import say
from wxsync.model.run import RunState
from wxsync.model.uses import LimitKey

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
DIGEST = "sha256:" + "7" * 64


def planned(
    store: Store, at: datetime = NOW, *, asked: str | None = None, sync: str = "acme", digest: str = DIGEST
) -> int:
    """A dry run that came to the plan with this digest."""
    with store.transaction() as connection:
        run = journal.start_run(
            connection,
            sync=sync,
            corp="acme",
            trigger="manual",
            started_at=at,
            verb="plan",
            asked_digest=asked,
        )
        journal.save_plan(connection, run, digest=digest, document="{}")
        journal.finish_run(connection, run, RunState.PLANNED, at)
        return run


def applying(
    store: Store, state: RunState | None, at: datetime = NOW, *, verb: journal.RunVerb = "apply"
) -> int:
    with store.transaction() as connection:
        run = journal.start_run(
            connection,
            sync="acme",
            corp="acme",
            trigger="manual",
            started_at=at,
            verb=verb,
            asked_digest=DIGEST,
        )
        journal.save_plan(connection, run, digest=DIGEST, document="{}")
        if state is not None:
            journal.finish_run(connection, run, state, at)
        return run


def offered(store: Store) -> Offer:
    with store.reading() as connection:
        found = approvals.offer_of(connection, DIGEST)
    assert found is not None
    return found


def approved(store: Store, by: str = "lin") -> Decided | None:
    with store.transaction() as connection:
        return approvals.approve(connection, offered(store), by, NOW)


def standing(store: Store, before: int = 1000) -> Standing:
    with store.reading() as connection:
        return approvals.standing(connection, "acme", "acme", DIGEST, before=before)


def used(store: Store, said: Decided | None, run: int) -> bool:
    assert said is not None
    with store.transaction() as connection:
        return approvals.use(connection, said, run)


def test_the_newest_plan_with_a_digest_is_the_one_on_offer(store: Store) -> None:
    """Not one of another sync, nor of the run that asks, nor of one that was begun with that very yes."""
    first = planned(store)
    second = planned(store, NOW + timedelta(hours=1))
    planned(store, asked=DIGEST)
    planned(store, sync="branch")
    assert standing(store).offer == Offer(
        digest=DIGEST, run_id=second, corp="acme", sync="acme", verb="plan", made_at=NOW + timedelta(hours=1)
    )
    before = standing(store, before=second).offer
    assert before is not None
    assert before.run_id == first
    assert standing(store, before=first).offer is None
    other = planned(store, NOW + timedelta(hours=2), asked="sha256:another")
    assert offered(store).run_id == other


def test_of_two_who_approve_one_is_the_first(store: Store) -> None:
    """The other is told so; and of two runs one goes by it."""
    planned(store)
    said = approved(store)
    assert approved(store, "wang") is None
    assert standing(store).stands(NOW)
    assert used(store, said, 8)
    assert not used(store, said, 9)
    found = standing(store)
    assert found.is_spent
    assert not found.stands(NOW)
    assert found.decided is not None
    assert (found.decided.by, found.decided.run_id, found.decided.verdict) == ("lin", 8, Verdict.APPROVED)


def test_two_at_the_very_same_moment(store: Store) -> None:
    """Of eight threads one has the approval, and one run the use of it."""
    planned(store)
    offer = offered(store)
    ready = threading.Barrier(8)
    won: list[int] = []
    went: list[int] = []

    def act(number: int) -> None:
        ready.wait()
        with store.transaction() as connection:
            said = approvals.approve(connection, offer, f"u{number}", NOW)
            if said is not None:
                won.append(number)
        ready.wait()
        kept = standing(store).decided
        assert kept is not None
        ready.wait()
        with store.transaction() as connection:
            if approvals.use(connection, kept, 100 + number):
                went.append(number)

    threads = [threading.Thread(target=act, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(won) == len(went) == 1


def test_planned_anew_it_may_be_approved_anew(store: Store) -> None:
    """What was said before of the same plan, and not used, holds no more."""
    planned(store)
    assert approved(store) is not None
    planned(store)
    said = approved(store, "wang")
    assert said is not None
    assert used(store, said, 9)
    assert standing(store).is_spent
    planned(store)
    found = standing(store)
    assert not found.is_spent
    assert not found.stands(NOW)


def test_a_no_takes_the_yes_back(store: Store) -> None:
    """And another yes takes the no back; each is the last word for as long as it is."""
    planned(store)
    approved(store)
    for _ in range(2):
        with store.transaction() as connection:
            approvals.reject(connection, offered(store), "wang", NOW)
        assert standing(store).is_rejected
        assert not standing(store).stands(NOW)
    assert approved(store) is not None
    assert standing(store).stands(NOW)
    assert not standing(store).stands(NOW + timedelta(hours=25))


@pytest.mark.parametrize(
    ("later", "goes_on"),
    [
        ([], True),
        ([RunState.REFUSED, RunState.FAILED], True),
        ([RunState.APPLIED], False),
        ([RunState.STOPPED], False),
    ],
)
def test_the_approval_of_the_last_run_that_was_cut_off(
    store: Store, later: list[RunState], goes_on: bool
) -> None:
    """Until a run came between that wrote."""
    planned(store)
    run = applying(store, RunState.STOPPED)
    assert used(store, approved(store), run)
    for state in later:
        applying(store, state)
    planned(store)
    with store.reading() as connection:
        found = approvals.cut_off(connection, "acme", "acme", before=1000)
        before = approvals.cut_off(connection, "acme", "acme", before=run)
        elsewhere = approvals.cut_off(connection, "acme", "branch", before=1000)
    assert (found is not None) is goes_on
    assert before is None
    assert elsewhere is None
    if found is not None:
        assert (found.run_id, found.run_state, found.by) == (run, RunState.STOPPED, "lin")


def test_a_demand_is_kept_until_it_is_met(store: Store) -> None:
    """The later one counts, with its facts, and of its own sync alone."""
    with store.transaction() as connection:
        approvals.demand(connection, "acme", "acme", say("run {run} was undone", run=1), NOW)
        approvals.demand(connection, "acme", "acme", say("run {run} was undone", run=2), NOW)
    with store.transaction() as connection:
        assert str(approvals.demanded(connection, "acme", "acme")) == "run 2 was undone"
        assert approvals.demanded(connection, "acme", "branch") is None
        approvals.meet_demand(connection, "acme", "acme")
        assert approvals.demanded(connection, "acme", "acme") is None


def test_the_config_of_the_last_applied_run(store: Store) -> None:
    """Path by path, in any script, the last one alone."""
    marks = {"source.hr.members": "=SELECT 1", "sync.acme.tags.干部": "#salt:hash"}
    with store.transaction() as connection:
        assert approvals.applied_config(connection, "acme", "acme") is None
        approvals.save_config(connection, "acme", "acme", {"a": "=b"}, 1)
        approvals.save_config(connection, "acme", "acme", marks, 2)
    with store.reading() as connection:
        assert approvals.applied_config(connection, "acme", "acme") == marks


def test_uses_are_summed_within_their_windows(store: Store) -> None:
    """A day and a week back, settled ones alone; of another sync nothing."""
    remove, title = LimitKey("member_remove"), LimitKey("field_change", "position")
    ages = {1: timedelta(hours=1), 2: timedelta(hours=24), 3: timedelta(days=6), 4: timedelta(days=7)}
    with store.transaction() as connection:
        for run, age in ages.items():
            uses = {remove: run * 10, title: run, LimitKey("member_create"): 0}
            limit_uses.put_uses(connection, "acme", "acme", run, uses, NOW - age, is_settled=True)
        limit_uses.put_uses(connection, "acme", "branch", 5, {remove: 1000}, NOW, is_settled=True)
        limit_uses.put_uses(connection, "acme", "acme", 6, {remove: 7, title: 2}, NOW, is_settled=False)
    with store.reading() as connection:
        counts = limit_uses.settled_uses(connection, "acme", "acme", NOW)
        (open_run,) = limit_uses.unsettled_runs(connection, "acme", "acme", NOW)
        assert limit_uses.unsettled_runs(connection, "acme", "acme", NOW, but=(6,)) == ()
        assert limit_uses.used_at(connection, 6) == NOW
        assert limit_uses.used_at(connection, 99) is None
    assert counts["24h"][remove] == 10
    assert counts["7d"] == {remove: 60, title: 6}
    assert (open_run.run_id, open_run.at, open_run.planned) == (6, NOW, {remove: 7, title: 2})


def test_a_clock_that_was_ahead_makes_nobody_forget(store: Store) -> None:
    """What it put on record counts from the next run on, and what it found old is there still."""
    remove = LimitKey("member_remove")
    with store.transaction() as connection:
        for run, at in ((1, NOW), (2, NOW + timedelta(days=370))):
            limit_uses.put_uses(connection, "acme", "acme", run, {remove: 5}, at, is_settled=True)
        limit_uses.no_later_than(connection, "acme", "acme", NOW + timedelta(hours=1))
    with store.reading() as connection:
        day = limit_uses.settled_uses(connection, "acme", "acme", NOW + timedelta(hours=2))["24h"]
        later = limit_uses.settled_uses(connection, "acme", "acme", NOW + timedelta(days=7, hours=2))["7d"]
    assert day == {remove: 10}
    assert later == {}


def test_what_is_old_goes_when_many_runs_came_after(store: Store) -> None:
    """A week back by the clock, and a thousand runs."""
    remove = LimitKey("member_remove")
    with store.transaction() as connection:
        for run, at in ((1, NOW), (1001, NOW + timedelta(days=8))):
            limit_uses.put_uses(connection, "acme", "acme", run, {remove: 5}, at, is_settled=True)
        assert limit_uses.used_at(connection, 1) == NOW
        limit_uses.put_uses(
            connection, "acme", "acme", 1002, {remove: 5}, NOW + timedelta(days=8), is_settled=True
        )
        assert limit_uses.used_at(connection, 1) is None
