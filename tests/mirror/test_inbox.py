"""The inbox keeps an event once, until it is worked off, on every database."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from wxsync.mirror import inbox, links, schema, told
from wxsync.mirror.erasing import erase
from wxsync.mirror.inbox import Letter, Receiver
from wxsync.mirror.people import find_person
from wxsync.mirror.restored import trust_nothing
from wxsync.mirror.retention import tidy_events
from wxsync.mirror.store import Store
from wxsync.mirror.tables import inbox as inbox_table
from wxsync.mirror.tables import told_values
from wxsync.model.event import Told
from wxsync.model.member import Member
from wxsync.model.remembered import LinkState, RememberedMember
from wxsync.service.letterbox import Letterbox

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)


def letter(message: str, receiver: Receiver = Receiver.CONTACT, corp: str = "acme") -> Letter:
    return Letter(corp=corp, receiver=receiver, message=message.encode())


def put(store: Store, *letters: Letter, at: datetime = NOW) -> int:
    with store.transaction() as connection:
        return inbox.put_letters(connection, letters, at)


def waiting(store: Store, **which: object) -> list[str]:
    with store.reading() as connection:
        found = inbox.waiting(connection, "acme", **which)  # type: ignore[arg-type]
    return [each.letter.message.decode() for each in found]


def test_each_is_kept_once_and_in_order(store: Store) -> None:
    """Equal ones of one address are one, in one call or several; another corp or address is another."""
    first = letter("one <林>")
    others = [letter("two"), first, letter("one <林>", Receiver.APP), letter("one <林>", corp="beta")]
    assert put(store, first, *others) == 4
    assert put(store, first, letter("three")) == 1
    assert waiting(store) == ["one <林>", "two", "one <林>", "three"]
    assert waiting(store, receiver=Receiver.APP) == ["one <林>"]
    assert waiting(store, limit=1) == ["one <林>"]


def test_what_is_worked_off_leaves_its_digest(store: Store) -> None:
    """The message is gone, and it does not come a second time."""
    put(store, letter("secret 13800000000"), letter("other"))
    with store.transaction() as connection:
        first = inbox.waiting(connection, "acme")[0]
        inbox.put_worked(connection, [first.id], NOW)
        kept = connection.execute(select(inbox_table.c.message).where(inbox_table.c.id == first.id)).scalar()
    assert kept is None
    assert waiting(store) == ["other"]
    assert put(store, letter("secret 13800000000")) == 0
    with store.reading() as connection:
        assert inbox.waiting_count(connection, "acme") == 1
        assert inbox.waiting_count(connection, "beta") == 0


def test_it_does_not_grow_for_ever(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a week all is struck; where there are too many, the oldest of those that are worked off."""
    put(store, letter("old"), at=NOW - timedelta(days=8))
    put(store, *(letter(f"n{n}") for n in range(6)))
    with store.transaction() as connection:
        found = inbox.waiting(connection, "acme")
        inbox.put_worked(connection, [each.id for each in found if each.letter.message != b"n0"], NOW)
    monkeypatch.setattr(inbox, "MOST_KEPT", 4)
    tidy_events(store, "acme", NOW)
    with store.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(inbox_table)) == 4
    assert waiting(store) == ["n0"]
    assert put(store, letter("n5")) == 0


def test_whoever_is_erased_is_in_no_waiting_event(store: Store) -> None:
    """What names them is emptied, in any case of letters; the others stay."""
    put(store, letter("<UserID>Lin</UserID>"), letter("<UserID>wang</UserID>"))
    with store.transaction() as connection:
        assert inbox.strike_about(connection, "acme", ["lin"]) == 1
    assert waiting(store) == ["<UserID>wang</UserID>"]


def test_a_restored_mirror_does_nothing_that_waited(store: Store) -> None:
    """A click of then decides nothing, and does not come again either."""
    put(store, letter("click", Receiver.APP))
    with store.transaction() as connection:
        trust_nothing(connection, [], NOW)
    assert waiting(store) == []
    assert put(store, letter("click", Receiver.APP)) == 0


def ours(store: Store, *userids: str, sync: str = "acme") -> None:
    members = [
        RememberedMember(state=LinkState.OURS, member=Member(key=userid, userid=userid)) for userid in userids
    ]
    with store.transaction() as connection:
        links.put_member(connection, "acme", sync, members)


def said(value: str | None, after: int, userid: str = "lin", field: str = "mobile") -> Told:
    return Told(userid=userid, field=field, value=value, told_at=NOW + timedelta(seconds=after))


def note(store: Store, *facts: Told) -> int:
    with store.transaction() as connection:
        return told.note_told(connection, "acme", facts, NOW)


def test_of_what_is_told_the_latest_counts(store: Store) -> None:
    """Out of order or not; two of one second that differ leave it open, until a later one."""
    ours(store, "Lin")
    assert note(store, said("2", 20), said("1", 10), said("x", 5, "stranger")) == 1
    note(store, said("1", 15))
    with store.reading() as connection:
        assert told.load_told(connection, "acme", "acme") == (said("2", 20),)
        assert told.load_told(connection, "acme", "other") == ()
    note(store, said("3", 20))
    with store.reading() as connection:
        assert told.load_told(connection, "acme", "acme") == (said(None, 20),)
    note(store, said("4", 21))
    with store.transaction() as connection:
        told.strike_told(connection, "acme", [said("2", 20)])
        assert told.load_told(connection, "acme", "acme") == (said("4", 21),)
        told.strike_told(connection, "acme", [said("4", 21)])
        assert told.load_told(connection, "acme", "acme") == ()


def test_what_is_told_is_kept_for_a_month_at_most(store: Store) -> None:
    """Where no run is applied it goes all the same, and so it does from a restored mirror."""
    ours(store, "lin")
    note(store, said("1", 1))
    tidy_events(store, "acme", NOW + timedelta(days=31))
    with store.reading() as connection:
        assert connection.execute(select(told_values)).all() == []
    note(store, said("1", 1))
    with store.transaction() as connection:
        trust_nothing(connection, [], NOW)
        assert connection.execute(select(told_values)).all() == []


def test_whoever_is_erased_is_told_of_no_more(store: Store) -> None:
    """What events told of them goes with the rest, and what they told of others stays."""
    ours(store, "lin", "wang")
    note(store, said("1", 1), said("2", 1, "wang"))
    gone = RememberedMember(state=LinkState.GONE, member=Member(key="lin", userid="lin"), gone_at=NOW)
    with store.transaction() as connection:
        links.put_member(connection, "acme", "acme", [gone])
        person = find_person(connection, "acme", "lin")
        assert person is not None
        erase(connection, person, NOW)
        left = connection.scalars(select(told_values.c.userid_folded)).all()
    assert left == ["wang"]


def test_two_daemons_keep_the_same_event_once(server_url: str) -> None:
    """Where another one keeps it at the same moment, it is there, and is said to be kept."""
    schema.upgrade(server_url)
    here, there = Store(schema.prepare(server_url)), Store(schema.prepare(server_url))
    same = [letter(f"n{n}") for n in range(20)]
    other = threading.Event()

    def later() -> None:
        with there.transaction() as connection:
            inbox.put_letters(connection, same, NOW)
            other.set()
            time.sleep(0.5)

    async def keep() -> None:
        box = Letterbox(here)
        await asyncio.gather(*(box.put(each) for each in reversed(same)))

    thread = threading.Thread(target=later)
    thread.start()
    assert other.wait(10)
    asyncio.run(keep())
    thread.join()
    with here.reading() as connection:
        assert len(inbox.waiting(connection, "acme")) == len(same)
    here.close()
    there.close()
