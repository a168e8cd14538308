"""What waits to be told: on record first, in its turn, as one message, and never twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.servers.mailbox import Receiver, http_receiver
from tests.service.desk import Desk, http_channel, settings, update
from wxsync.mirror import notices
from wxsync.model.notice import Count, NoticeKind, NoticeState
from wxsync.service.notify.outbox import CALM, NO_CHANNEL, PER_MINUTE, TOO_OLD


class Told(Desk):
    """A desk, and the receiver at the other end."""

    def __init__(self, folder: Path, receiver: Receiver) -> None:
        super().__init__(folder, http_channel(receiver.url))
        self.receiver = receiver

    def came(self, **time: float) -> list[dict[str, Any]]:
        """What comes, some time later."""
        before = len(self.receiver.posts)
        self.send(**time)
        return [json.loads(body) for _, body in self.receiver.posts[before:]]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Told]:
    """A mirror on SQLite, a real receiver."""
    with http_receiver() as receiver:
        desk = Told(tmp_path, receiver)
        yield desk
        desk.store.close()


def test_what_waits_together_is_one_message_with_sums(desk: Told) -> None:
    """A message for each sync; what a notice says by itself is in it."""
    desk.put(done=update(2), run=1)
    desk.put(done=(Count("member", "create", 1), *update(3)), run=2)
    desk.put(sync="branch", done=update(9), run=3)
    mine, theirs = sorted(desk.came(), key=lambda document: str(document["sync"]))
    assert mine["done"] == {"member": {"create": 1, "update": 5}}
    assert (mine["runs"], mine["run"]) == (2, 2)
    assert theirs["done"] == {"member": {"update": 9}}
    assert desk.came(hours=1) == []


def test_news_that_want_nobody_to_act_come_every_five_minutes(desk: Told) -> None:
    """A failure comes at once, and brings along what waits."""
    desk.put(done=update(1))
    assert len(desk.came()) == 1
    desk.put(done=update(2))
    assert desk.came(minutes=1) == []
    desk.put(done=update(3))
    assert desk.came(minutes=1) == []
    [later] = desk.came(seconds=CALM.total_seconds())
    assert later["done"] == {"member": {"update": 5}}
    desk.put(done=update(4))
    assert desk.came(minutes=1) == []
    desk.put(NoticeKind.FAILED, error="the source is away")
    [failed] = desk.came(seconds=1)
    assert (failed["kind"], failed["error"]) == ("failed", "the source is away")


def test_a_plan_that_waits_is_not_hidden_by_silence(desk: Told) -> None:
    """Of the two the plan has the word."""
    desk.put(NoticeKind.WAITS, digest="sha256:1", asks=True)
    desk.put(NoticeKind.SILENT, reasons=("the last complete run ended long ago",))
    [document] = desk.came()
    assert (document["kind"], document["digest"]) == ("waits", "sha256:1")
    assert document["reasons"] == ["the last complete run ended long ago"]


def test_no_more_than_ten_a_minute_go_by_one_channel(desk: Told) -> None:
    """The rest waits, also for another process, and is one message."""
    for number in range(PER_MINUTE + 5):
        desk.put(NoticeKind.FAILED, error=f"error {number}")
        desk.came(seconds=1)
    assert len(desk.receiver.posts) == PER_MINUTE
    desk.outbox = desk.begun()
    assert desk.came(seconds=1) == []
    [rest] = desk.came(minutes=1)
    assert (rest["runs"], rest["error"]) == (5, f"error {PER_MINUTE + 4}")


def test_what_was_begun_by_a_process_that_died_is_not_sent_again(desk: Told) -> None:
    """Nobody knows whether it arrived: it is shown."""
    desk.put(done=update(1))
    with desk.store.transaction() as connection:
        [waiting] = notices.due(connection, "acme", desk.now)
        assert notices.begin(connection, waiting.id, [], waiting.notice, desk.now)
    desk.outbox = desk.begun()
    assert desk.came(minutes=5) == []
    assert desk.undelivered() == []
    assert desk.came(minutes=6) == []
    assert desk.undelivered()[0][0] is NoticeState.UNKNOWN
    assert desk.came(hours=2) == []


def test_of_two_processes_one_sends(desk: Told) -> None:
    """Whoever is second finds it taken."""
    desk.put(done=update(1))
    with desk.store.transaction() as connection:
        [waiting] = notices.due(connection, "acme", desk.now)
        assert notices.begin(connection, waiting.id, [], waiting.notice, desk.now)
        assert not notices.begin(connection, waiting.id, [], waiting.notice, desk.now)


def test_what_is_refused_is_tried_less_and_less_often_for_a_day(desk: Told) -> None:
    """Then it is no news any more."""
    desk.receiver.status = 500
    desk.put(NoticeKind.FAILED)
    tries = [minute for minute in range(0, 25 * 60, 5) if desk.came(minutes=5)]
    assert tries[:5] == [0, 5, 10, 15, 25]
    assert len(tries) < 35
    assert desk.undelivered() == [(NoticeState.GIVEN_UP, TOO_OLD)]
    desk.receiver.status = 200
    assert desk.came(hours=1) == []


def test_a_channel_that_the_config_no_longer_has_gets_nothing(desk: Told) -> None:
    """Nor one that is no longer the sync's."""
    desk.put(NoticeKind.FAILED)
    desk.settings = settings(http_channel(desk.receiver.url), notify=[])
    assert desk.came() == []
    assert desk.undelivered() == [(NoticeState.GIVEN_UP, NO_CHANNEL)]


def test_a_clock_that_was_ahead_holds_nothing_up(desk: Told) -> None:
    """What was sent in a time to come does not count."""
    desk.now += timedelta(days=300)
    desk.put(done=update(1))
    desk.came()
    desk.now -= timedelta(days=300)
    desk.put(done=update(2))
    assert len(desk.came(seconds=1)) == 1
