"""All processes on one mirror count against the same limits, and never over-spend them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from wxsync.mirror import links, schema
from wxsync.mirror.quota import MirrorLedger, known_members
from wxsync.mirror.store import Store
from wxsync.mirror.tables import quota_uses
from wxsync.model.member import Member
from wxsync.model.quota import LAPSE, Account, Grant, Hold, Unused, Window
from wxsync.model.remembered import LinkState, RememberedMember
from wxsync.wecom.ledger import MemoryLedger

NOW = 1_750_000_000.0
MINUTE = Window(name="ww1 user/create", span=60, limit=100)
HOUR = Window(name="ww1 user/create", span=3600, limit=250)
ADDRESS = Window(name="address user/create", span=60, limit=150)
ACCOUNT = Account(
    key="ww1 user/create",
    windows=(MINUTE, HOUR, ADDRESS),
    locks=("address user/create", "ww1 user/create"),
    longest_hold=3601.0,
)
OTHER = Account(
    key="ww2 user/create",
    windows=(Window(name="ww2 user/create", span=60, limit=100), ADDRESS),
    locks=("address user/create", "ww2 user/create"),
    longest_hold=3601.0,
)


def rows(store: Store) -> int:
    with store.reading() as connection:
        return connection.scalar(select(func.count()).select_from(quota_uses)) or 0


def test_a_limit_is_spent_once(store: Store):
    """What one process took another cannot have, until the window has passed over it."""
    one, two = MirrorLedger(store), MirrorLedger(store)
    assert one.reserve(ACCOUNT, 70, NOW) == Grant(count=70)
    assert two.reserve(ACCOUNT, 70, NOW + 1) == Grant(count=30)
    assert two.reserve(ACCOUNT, 1, NOW + 2) == Grant(count=0, wait=60 + 1 + LAPSE - 2)
    assert one.reserve(ACCOUNT, 100, NOW + 60 + 1 + LAPSE) == Grant(count=70)


def test_corps_share_the_address(store: Store):
    """Two corps have a limit each, and one that is of the machine."""
    ledger = MirrorLedger(store)
    assert ledger.reserve(ACCOUNT, 100, NOW).count == 100
    assert ledger.reserve(OTHER, 100, NOW).count == 50
    assert ledger.reserve(OTHER, 100, NOW).count == 0


def test_the_hour_holds_where_the_minute_does_not(store: Store):
    """Three minutes of a hundred are more than the hour's 250: the last fifty wait for the hour."""
    ledger = MirrorLedger(store)
    given_out = [ledger.reserve(ACCOUNT, 100, NOW + 70 * n).count for n in range(4)]
    assert given_out == [100, 100, 50, 0]
    assert 3300 < ledger.reserve(ACCOUNT, 1, NOW + 300).wait < 3700


def test_what_comes_back_can_be_had_again(store: Store):
    """Unused permits go back to the moment at which they were reserved, and never below nothing."""
    ledger = MirrorLedger(store)
    ledger.reserve(ACCOUNT, 100, NOW)
    ledger.give_back(ACCOUNT, [Unused(count=40, reserved_at=NOW)])
    assert ledger.reserve(ACCOUNT, 100, NOW + 1).count == 40
    assert ledger.reserve(ACCOUNT, 100, NOW + 1, [Unused(count=1000, reserved_at=NOW)]).count == 60


def test_a_hold_is_everybodys(store: Store):
    """After a 45009 nobody gets a permit of that call before the end; a shorter hold does not cut it."""
    one, two = MirrorLedger(store), MirrorLedger(store)
    assert two.held(ACCOUNT, NOW) is None
    one.hold(ACCOUNT, Hold(until=NOW + 61, step=0), NOW)
    two.hold(ACCOUNT, Hold(until=NOW + 5, step=3), NOW)
    assert two.held(ACCOUNT, NOW) == Hold(until=NOW + 61, step=0)
    assert two.reserve(ACCOUNT, 5, NOW + 1) == Grant(count=0, wait=60)
    assert two.reserve(OTHER, 5, NOW + 1).count == 5
    assert two.reserve(ACCOUNT, 5, NOW + 61).count == 5


@pytest.mark.parametrize("kept", [MemoryLedger, MirrorLedger])
def test_what_was_written_while_the_clock_was_ahead_holds_nobody_up(store: Store, kept):
    """A hold later than any can be, and calls that lie ahead: neither counts; a real hold takes its place."""
    ledger = kept() if kept is MemoryLedger else kept(store)
    ahead = NOW + 365 * 86400
    assert ledger.reserve(ACCOUNT, 100, ahead).count == 100
    ledger.hold(ACCOUNT, Hold(until=ahead + 61, step=1), ahead)
    assert ledger.held(ACCOUNT, NOW) is None
    assert ledger.reserve(ACCOUNT, 100, NOW) == Grant(count=100)
    assert ledger.reserve(ACCOUNT, 1, NOW) == Grant(count=0, wait=60 + 1 + LAPSE)
    ledger.hold(ACCOUNT, Hold(until=NOW + 61, step=0), NOW)
    assert ledger.held(ACCOUNT, NOW) == Hold(until=NOW + 61, step=0)
    ledger.hold(ACCOUNT, Hold(until=NOW + 3601, step=1), NOW)
    ledger.hold(ACCOUNT, Hold(until=NOW + 61, step=0), NOW)
    assert ledger.held(ACCOUNT, NOW) == Hold(until=NOW + 3601, step=1)


def test_holds_of_one_corp_are_forgotten(store: Store):
    """Those of all its calls, and of no corp whose name begins like it."""
    ledger = MirrorLedger(store)
    ledger.hold(ACCOUNT, Hold(until=NOW + 3601, step=1), NOW)
    ledger.hold(OTHER, Hold(until=NOW + 61, step=0), NOW)
    ledger.forget_holds("ww")
    assert ledger.held(ACCOUNT, NOW) == Hold(until=NOW + 3601, step=1)
    ledger.forget_holds("ww1")
    assert ledger.held(ACCOUNT, NOW) is None
    assert ledger.reserve(ACCOUNT, 5, NOW).count == 5
    assert ledger.held(OTHER, NOW) == Hold(until=NOW + 61, step=0)


def test_the_members_that_are_known_are_those_of_ours(store: Store):
    """Of all syncs of the corp, without those who are gone and without other corps."""

    def link(key: str, state: LinkState = LinkState.OURS) -> RememberedMember:
        return RememberedMember(state=state, member=Member(key=key, userid=key, name=key, departments=(1,)))

    with store.transaction() as connection:
        links.put_member(connection, "acme", "hr", [link("a"), link("b"), link("c", LinkState.GONE)])
        links.put_member(connection, "acme", "shops", [link("d")])
        links.put_member(connection, "other", "hr", [link("e")])
    assert known_members(store, "acme") == 3
    assert known_members(store, "nobody") == 0


def test_what_counts_no_more_is_not_kept(store: Store):
    """A year of calls leaves no more rows than its windows have grains."""
    ledger = MirrorLedger(store)
    for day in range(30):
        ledger.reserve(ACCOUNT, 1, NOW + 86400 * day)
    assert rows(store) == len(ACCOUNT.windows)


def test_many_at_once_never_over_spend(store: Store):
    """Eight who ask at the same moment get what there is, and no more."""
    ledgers = [MirrorLedger(store) for _ in range(8)]

    def grab(ledger: MirrorLedger) -> int:
        return sum(ledger.reserve(ACCOUNT, 7, NOW).count for _ in range(4))

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(grab, ledgers)) == 100


STEPS = st.lists(
    st.tuples(st.floats(0, 90), st.integers(1, 60), st.integers(0, 40), st.booleans()),
    max_size=25,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(steps=STEPS)
def test_the_mirror_counts_as_the_memory_does(tmp_path_factory, steps):
    """Whatever is asked: a process without a mirror and one with a fresh one are told the same."""
    directory: Path = tmp_path_factory.mktemp("mirror")
    store = Store(schema.prepare(f"sqlite:///{directory}/mirror.db"))
    memory, mirror = MemoryLedger(), MirrorLedger(store)
    now, reserved_at = NOW, NOW
    try:
        for pause, want, back, is_other in steps:
            now += pause
            account = OTHER if is_other else ACCOUNT
            unused = [Unused(count=back, reserved_at=reserved_at)] if back else []
            assert mirror.reserve(account, want, now, unused) == memory.reserve(account, want, now, unused)
            reserved_at = now
    finally:
        store.close()
