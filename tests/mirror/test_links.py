"""Which record is ours and what it holds, written and read back on every database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event, func, select, update

from wxsync.errors import MirrorError
from wxsync.mirror import links
from wxsync.mirror.store import Store
from wxsync.mirror.tables import member_links, tag_members
from wxsync.model.member import Member
from wxsync.model.remembered import (
    LinkState,
    Remembered,
    RememberedDepartment,
    RememberedMember,
    RememberedTag,
)

PENDING, OURS, GONE = LinkState.PENDING, LinkState.OURS, LinkState.GONE
DAY = datetime(2026, 1, 31, 8, 0, 0, 123456, tzinfo=UTC)


def member(key: str, userid: str, state: LinkState = OURS, **values: Any) -> RememberedMember:
    return RememberedMember(state=state, member=Member(key=key, userid=userid, **values))


def department(key: str, id: int, state: LinkState = OURS) -> RememberedDepartment:
    return RememberedDepartment(key=key, id=id, state=state)


def tag(name: str, id: int, *userids: str, state: LinkState = OURS) -> RememberedTag:
    return RememberedTag(name=name, id=id, state=state, userids=frozenset(userids))


def put(store: Store, *records: object, corp: str = "acme", sync: str = "acme") -> None:
    with store.transaction() as connection:
        for record in records:
            match record:
                case RememberedDepartment():
                    links.put_department(connection, corp, sync, record)
                case RememberedMember():
                    links.put_member(connection, corp, sync, record)
                case RememberedTag():
                    links.put_tag(connection, corp, sync, record)


def load(store: Store, corp: str = "acme", sync: str = "acme") -> Remembered:
    with store.reading() as connection:
        return links.load(connection, corp, sync)


def test_a_mirror_that_knows_nothing_is_an_empty_remembered(store: Store):
    """A sync that the mirror never saw is no error."""
    assert load(store) == Remembered()


def test_everything_comes_back_as_it_was_put(store: Store):
    """Departments, members and tags survive with every field, also unknown ones."""
    named = RememberedDepartment(key="D1", id=2, state=PENDING, parent_id=1, name="研发部", order=2**32 - 1)
    full = RememberedMember(
        state=OURS,
        member=Member(key="E1", userid="Lin.Mei", name="林梅", departments=("D1", 7), position=None),
        unproven=frozenset({"mobile", "email"}),
        disabled_at=DAY,
        left_at=DAY,
    )
    announced = RememberedMember(
        state=PENDING, member=Member(key="E2", userid="e2"), announced_department_ids=(3, 2)
    )
    put(store, named, department("D2", 3), full, announced, tag("经理", 5, "lin.mei", "e2"))

    remembered = load(store)

    assert remembered.departments == {"D1": named, "D2": department("D2", 3)}
    assert remembered.members == {"E1": full, "E2": announced}
    assert remembered.tags == {"经理": tag("经理", 5, "lin.mei", "e2")}


def test_putting_again_replaces_what_was_remembered(store: Store):
    """One key has one link, and a field that is unknown now is not remembered from before."""
    put(store, member("E1", "e1", PENDING, position="工程师"), department("D1", 2, PENDING))
    put(store, member("E1", "e1", OURS, name="林梅"), department("D1", 2, OURS))

    remembered = load(store)

    assert remembered.members == {"E1": member("E1", "e1", OURS, name="林梅")}
    assert remembered.departments == {"D1": department("D1", 2, OURS)}


def test_a_sequence_is_put_at_once_and_the_last_of_a_key_holds(store: Store):
    """A batch may hold the announcement and the outcome of the same record."""
    with store.transaction() as connection:
        links.put_member(connection, "acme", "acme", [member("E1", "e1", PENDING), member("E1", "e1", OURS)])
        links.put_department(connection, "acme", "acme", [department("D1", 2), department("D2", 3)])
        links.put_tag(connection, "acme", "acme", [tag("T1", 1), tag("T2", 2)])
        links.put_member(connection, "acme", "acme", [])

    remembered = load(store)

    assert remembered.members == {"E1": member("E1", "e1", OURS)}
    assert set(remembered.departments) == {"D1", "D2"}
    assert set(remembered.tags) == {"T1", "T2"}


def test_keys_differ_by_every_character(store: Store):
    """Keys compare byte by byte: case and accents tell them apart."""
    put(store, member("e1", "a"), member("E1", "b"), member("é1", "c"))
    assert {key: one.member.userid for key, one in load(store).members.items()} == {
        "e1": "a",
        "E1": "b",
        "é1": "c",
    }


def test_a_userid_belongs_to_one_key_whatever_its_case(store: Store):
    """WeCom ignores the case of userids, so no two living links of a corp may differ by it alone."""
    put(store, member("E1", "Lin"))
    with pytest.raises(MirrorError, match="refused a record") as caught:
        put(store, member("E2", "lIN"))
    assert "two records claim the same id" in str(caught.value.hint)
    assert set(load(store).members) == {"E1"}
    put(store, member("E2", "lIN"), corp="other")


def test_a_department_id_belongs_to_one_key_of_a_corp(store: Store):
    """Not even two syncs of a corp may own the same department."""
    put(store, department("D1", 2))
    with pytest.raises(MirrorError, match="refused a record"):
        put(store, department("D9", 2), sync="second")


def test_a_gone_member_keeps_key_and_userid_only(store: Store):
    """What wxsync knew of somebody goes with them; that the userid was ours stays."""
    put(store, member("E1", "e1", name="林梅", mobile="13812345678"))
    gone = RememberedMember(
        state=GONE, member=Member(key="E1", userid="e1", mobile="13812345678"), left_at=DAY, disabled_at=DAY
    )
    put(store, gone)
    assert load(store).members == {"E1": member("E1", "e1", GONE)}


def test_a_gone_userid_is_free_and_a_gone_key_may_come_back(store: Store):
    """The userid of a gone link may go to another key, and its key may live again with another one."""
    put(store, member("E1", "e1", GONE), member("E2", "e1", OURS))
    put(store, member("E1", "e1x", PENDING))
    assert load(store).members == {"E2": member("E2", "e1"), "E1": member("E1", "e1x", PENDING)}


def test_two_keys_may_trade_userids_in_one_call(store: Store):
    """All old links of a call go before the new ones come."""
    put(store, member("E1", "a"), member("E2", "b"))
    with store.transaction() as connection:
        links.put_member(connection, "acme", "acme", [member("E1", "b"), member("E2", "a")])
    assert {key: one.member.userid for key, one in load(store).members.items()} == {"E1": "b", "E2": "a"}


def test_a_tag_writes_only_the_difference(sqlite_store: Store):
    """A tag of thousands costs one row when one person joins and one when one leaves."""
    crowd = [f"e{number}" for number in range(3000)]
    put(sqlite_store, tag("T", 1, *crowd))
    written: list[tuple[str, int]] = []

    @event.listens_for(sqlite_store.engine, "before_cursor_execute")
    def note(conn, cursor, statement, parameters, context, executemany):
        if "tag_members" in statement and not statement.startswith("SELECT"):
            written.append((statement.split()[0], len(parameters) if executemany else 1))

    put(sqlite_store, tag("T", 1, *crowd[1:], "new"))

    assert written == [("DELETE", 1), ("INSERT", 1)]
    assert load(sqlite_store).tags["T"].userids == frozenset(crowd[1:]) | {"new"}


def test_a_gone_tag_has_no_members_and_may_come_back_with_another_id(store: Store):
    """Nobody is in a tag that is no more."""
    put(store, tag("T", 1, "e1"), tag("T", 1, "e1", state=GONE))
    assert load(store).tags == {"T": tag("T", 1, state=GONE)}
    put(store, tag("T", 2, "e2"))
    assert load(store).tags == {"T": tag("T", 2, "e2")}
    with store.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(tag_members)) == 1


def test_syncs_and_corps_do_not_see_each_other(store: Store):
    """A sync loads its own links, and of other syncs of its corp the living userids alone."""
    put(store, member("E1", "e1"), tag("T", 1, "e1"), department("D1", 2))
    put(store, member("F1", "F1"), member("F2", "f2", PENDING), member("F3", "f3", GONE), sync="second")
    put(store, member("G1", "g1"), corp="other", sync="third")

    remembered = load(store, sync="second")

    assert set(remembered.members) == {"F1", "F2", "F3"}
    assert remembered.tags == {}
    assert remembered.departments == {}
    assert remembered.elsewhere_userids == {"e1"}
    assert load(store).elsewhere_userids == {"f1", "f2"}
    assert load(store, corp="other", sync="third").elsewhere_userids == frozenset()


def test_the_highest_ids_count_every_sync_and_every_state(store: Store):
    """An id that was ever chosen in the corp is not chosen again."""
    put(store, department("D1", 12), tag("T", 3))
    put(store, department("D2", 40, GONE), tag("U", 9, state=PENDING), sync="second")
    put(store, department("D3", 99), tag("V", 99), corp="other")

    remembered = load(store)

    assert (remembered.highest_department_id, remembered.highest_tag_id) == (40, 9)


def test_values_that_cannot_be_read_name_the_member_and_no_value(store: Store):
    """A damaged value stops the run with an error that gives nothing personal away."""
    put(store, member("E1", "e1"))
    with store.transaction() as connection:
        connection.execute(update(member_links).values(known_values='{"mobile": "13812345678"'))
    with pytest.raises(MirrorError, match="member E1 that cannot be read") as caught:
        load(store)
    assert "138" not in str(caught.value)
