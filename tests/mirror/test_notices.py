"""What the mirror keeps of notices and of what was told last, on each database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from wxsync.mirror import journal, notices
from wxsync.mirror.erasing import erase
from wxsync.mirror.notices import Mark
from wxsync.mirror.people import Person
from wxsync.mirror.restored import trust_nothing
from wxsync.mirror.store import Store
from wxsync.model.approval import Verdict
from wxsync.model.desired import ReadingProof
from wxsync.model.notice import Count, Notice, NoticeKind, NoticeState
from wxsync.model.run import RunState

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
NOTICE = Notice(
    kind=NoticeKind.WAITS,
    corp="acme",
    sync="acme",
    at=NOW,
    run=4,
    done=(Count("member", "update", 2),),
    reasons=("成员 E42 未计划", "run E1"),
    digest="sha256:" + "7" * 64,
    asks=True,
)


def put(store: Store, notice: Notice = NOTICE, *channels: str) -> None:
    with store.transaction() as connection:
        notices.put(connection, notice, channels or ("chiefs",), NOW)


def sent(store: Store, task_id: str = "task-1") -> int:
    """The one that waits goes out as a card that asks."""
    with store.transaction() as connection:
        [waiting] = notices.due(connection, "acme", NOW)
        assert notices.begin(connection, waiting.id, [], waiting.notice, NOW, task_id=task_id)
        notices.end(connection, waiting.id, NoticeState.SENT)
    return waiting.id


def ran(
    store: Store,
    ended: datetime,
    state: RunState = RunState.APPLIED,
    *,
    verb: journal.RunVerb = "apply",
    is_complete: bool = True,
    sync: str = "acme",
) -> None:
    with store.transaction() as connection:
        run = journal.start_run(
            connection, sync=sync, corp="acme", trigger="schedule", started_at=ended, verb=verb
        )
        readings = [
            ReadingProof(source="hr", query="departments", rows=2, is_complete=True),
            ReadingProof(source="hr", query="members", rows=9, is_complete=is_complete),
        ]
        journal.save_readings(connection, run, sync, readings)
        journal.finish_run(connection, run, state, ended)


def test_a_notice_comes_back_as_it_was_put(store: Store) -> None:
    """For each channel, at its time, and no other corp's."""
    put(store, NOTICE, "chiefs", "mail")
    with store.reading() as connection:
        assert notices.due(connection, "acme", NOW - timedelta(seconds=1)) == ()
        assert notices.due(connection, "branch", NOW) == ()
        found = notices.due(connection, "acme", NOW)
    assert [(each.channel, each.notice) for each in found] == [("chiefs", NOTICE), ("mail", NOTICE)]


def test_a_card_takes_one_answer(store: Store) -> None:
    """Whoever is second is told so; a card of another corp is none."""
    put(store)
    sent(store)
    with store.transaction() as connection:
        assert notices.card(connection, "branch", "task-1") is None
        card = notices.card(connection, "acme", "task-1")
        assert card is not None
        assert notices.decide(connection, card, Verdict.APPROVED, "wecom:lin", NOW)
        assert not notices.decide(connection, card, Verdict.REJECTED, "wecom:wang", NOW)
        decided = notices.card(connection, "acme", "task-1")
        assert notices.approved_cards(connection, "acme", NOW - timedelta(hours=1)) == (decided,)
    assert decided is not None
    assert (decided.verdict, decided.decided_by, decided.decided_at) == (Verdict.APPROVED, "wecom:lin", NOW)


def test_a_card_that_was_not_sent_takes_no_answer(store: Store) -> None:
    """It is sent later under another task_id."""
    put(store)
    number = sent(store)
    with store.transaction() as connection:
        notices.put_off(connection, number, NOW, "refused")
        assert notices.card(connection, "acme", "task-1") is None
    assert sent(store, "task-2") == number


def test_what_was_told_last(store: Store) -> None:
    """Of each sync; a later mark takes the place of the former."""
    mark = Mark(known_since=NOW, trouble="failed:1", told_at=NOW)
    with store.transaction() as connection:
        assert notices.mark(connection, "acme", "acme") is None
        notices.put_mark(connection, "acme", "acme", Mark(known_since=NOW))
        notices.put_mark(connection, "acme", "acme", mark)
        assert notices.mark(connection, "acme", "acme") == mark
        assert notices.mark(connection, "acme", "branch") is None


@pytest.mark.parametrize("by_plans", [True, False])
def test_the_last_complete_run(store: Store, by_plans: bool) -> None:
    """A dry run is one only where the daemon makes no others; an incomplete or refused one never is."""
    ran(store, NOW)
    ran(store, NOW + timedelta(hours=1), RunState.PLANNED, verb="plan")
    ran(store, NOW + timedelta(hours=2), is_complete=False)
    ran(store, NOW + timedelta(hours=3), RunState.REFUSED)
    ran(store, NOW + timedelta(hours=4), RunState.STOPPED)
    ran(store, NOW + timedelta(hours=5), verb="repair")
    ran(store, NOW + timedelta(hours=6), sync="branch")
    with store.reading() as connection:
        found = notices.last_complete(connection, "acme", "acme", by_plans=by_plans)
        assert notices.last_complete(connection, "acme", "nobody", by_plans=by_plans) is None
    assert found == NOW + timedelta(hours=1 if by_plans else 0)


def test_what_is_old_goes(store: Store) -> None:
    """Sent or not; of its own corp alone."""
    put(store)
    with store.transaction() as connection:
        notices.strike(connection, "branch", NOW + timedelta(days=1))
        assert len(notices.due(connection, "acme", NOW)) == 1
        notices.strike(connection, "acme", NOW + timedelta(days=1))
        assert notices.due(connection, "acme", NOW) == ()


def test_after_a_restore_nothing_goes_out_and_no_card_decides(store: Store) -> None:
    """What waited may have been sent since the backup."""
    put(store)
    sent(store)
    put(store)
    with store.transaction() as connection:
        trust_nothing(connection, [("acme", "acme")], NOW)
        assert notices.due(connection, "acme", NOW + timedelta(days=1)) == ()
        assert notices.card(connection, "acme", "task-1") is None
        [doubted] = notices.undelivered(connection, NOW - timedelta(days=1))
    assert doubted.state is NoticeState.UNKNOWN


def test_whoever_is_erased_stands_in_no_notice(store: Store) -> None:
    """Sentences that named them do so no more, the rest is as it was."""
    put(store)
    person = Person(corp="acme", keys=frozenset({("acme", "E42")}), userids=frozenset({"e42"}))
    with store.transaction() as connection:
        erased = erase(connection, person, NOW)
        [waiting] = notices.due(connection, "acme", NOW)
    assert erased.texts == 1
    assert "E42" not in waiting.notice.reasons[0]
    assert waiting.notice.reasons[1] == "run E1"
    assert waiting.notice.digest == NOTICE.digest
