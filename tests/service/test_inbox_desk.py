"""Events are worked off in order, each once, and what they set off is told."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from tests.service.sender import change_xml
from wxsync.errors import WxsyncError
from wxsync.mirror import inbox
from wxsync.mirror.inbox import Letter, Receiver
from wxsync.mirror.store import Store
from wxsync.model.event import CardEvent
from wxsync.service.inbox_desk import Reactions, Worked, tidy_inbox, work_off

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
JOB = "<xml><Event>batch_job_result</Event><BatchJob><JobId>{}</JobId></BatchJob></xml>"
CLICK = (
    "<xml><FromUserName>boss</FromUserName><Event>template_card_event</Event><EventKey>yes</EventKey>"
    "<TaskId>{}</TaskId></xml>"
)
OTHER = "<xml><Event>enter_agent</Event><CreateTime>{}</CreateTime></xml>"


class Desk:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.said: list[object] = []
        self.failing: set[str] = set()

    def reactions(self, *, has_cards: bool = True) -> Reactions:
        return Reactions(
            on_change=lambda corp: self.said.append(("change", corp)),
            on_job=lambda corp, job: self.said.append(("job", corp, job)),
            on_card=self.press if has_cards else None,
        )

    async def press(self, corp: str, click: CardEvent) -> None:
        if click.task_id in self.failing:
            raise WxsyncError("not now")
        self.said.append(("card", corp, click.userid, click.task_id))


def put(store: Store, *messages: str | bytes, receiver: Receiver = Receiver.CONTACT) -> None:
    letters = [
        Letter(corp="acme", receiver=receiver, message=each if isinstance(each, bytes) else each.encode())
        for each in messages
    ]
    with store.transaction() as connection:
        inbox.put_letters(connection, letters, NOW)


def work(store: Store, desk: Desk, corp: str = "acme", *, has_cards: bool = True) -> Worked:
    return asyncio.run(work_off(store, corp, desk.reactions(has_cards=has_cards), lambda: NOW))


def count(store: Store) -> int:
    with store.reading() as connection:
        return inbox.waiting_count(connection, "acme")


def test_a_round_works_off_all_that_waits(store: Store) -> None:
    """However many changes, the runs are wanted once a portion; jobs ring one by one; others are counted."""
    desk = Desk()
    put(store, *(change_xml("delete_user", UserID=f"u{n}") for n in range(3)), JOB.format("J1"))
    put(store, JOB.format("J2"), CLICK.format("t1"), OTHER.format(1), OTHER.format(2), receiver=Receiver.APP)
    put(store, b"\xff no xml")
    done = work(store, desk)
    assert done == Worked(changes=3, jobs=2, cards=1, unknown={"enter_agent": 2, "unreadable": 1})
    assert done.count == 9
    assert desk.said == [
        ("job", "acme", "J1"),
        ("job", "acme", "J2"),
        ("change", "acme"),
        ("card", "acme", "boss", "t1"),
    ]
    assert count(store) == 0
    assert work(store, desk) == Worked()
    assert len(desk.said) == 4


def test_another_corps_are_left(store: Store) -> None:
    """A daemon works off those of the corp that it leads."""
    put(store, JOB.format("J1"))
    assert work(store, Desk(), "beta").count == 0
    assert count(store) == 1


def test_a_click_that_fails_stays_and_keeps_nobody_waiting(store: Store) -> None:
    """It comes again in the next round, and whatever came after it does not wait for it."""
    desk = Desk()
    desk.failing = {"t1"}
    put(store, CLICK.format("t1"), CLICK.format("t2"), JOB.format("J1"), receiver=Receiver.APP)
    with capture_logs() as logs:
        assert work(store, desk) == Worked(jobs=1, cards=1)
    assert [(line["event"], line["problem"]) for line in logs] == [
        ("a click on a card stays unworked", "not now")
    ]
    desk.failing = set()
    assert work(store, desk) == Worked(cards=1)
    assert desk.said[-1] == ("card", "acme", "boss", "t1")
    assert count(store) == 0


def test_clicks_are_left_where_somebody_else_works_them_off(store: Store) -> None:
    """Without a reaction they stay as they are."""
    put(store, CLICK.format("t1"), JOB.format("J1"), receiver=Receiver.APP)
    assert work(store, Desk(), has_cards=False) == Worked(jobs=1)
    assert count(store) == 1


def test_more_than_a_portion_is_worked_off_in_order(store: Store) -> None:
    """Twelve hundred at once, the oldest first."""
    desk = Desk()
    put(store, *(JOB.format(f"J{n}") for n in range(1200)))
    assert work(store, desk).jobs == 1200
    assert [said[2] for said in desk.said if isinstance(said, tuple)] == [f"J{n}" for n in range(1200)]


@pytest.mark.anyio
async def test_the_inbox_is_tidied_between_runs(store: Store) -> None:
    """What is older than a week goes, though no run comes."""
    put(store, JOB.format("J1"))
    await tidy_inbox(store, "acme", lambda: NOW.replace(day=12))
    assert count(store) == 0


def test_a_click_counts_at_the_apps_receiver_alone(store: Store) -> None:
    """Whoever has the keys of contacts has not those of approvals."""
    desk = Desk()
    put(store, CLICK.format("t9"))
    assert work(store, desk).unknown == {"a click that came to the receiver of contacts": 1}
    assert desk.said == []
