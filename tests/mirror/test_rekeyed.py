"""Other keys for the same records, and counts of missed readings, on every database."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from wxsync.errors import MirrorError
from wxsync.mirror import links
from wxsync.mirror.store import Store
from wxsync.model.change import Kind
from wxsync.model.member import Member
from wxsync.model.rekey import KeyPair, Rekeyed
from wxsync.model.remembered import LinkState, Remembered, RememberedDepartment, RememberedMember


def member(key: str, userid: str, state: LinkState = LinkState.OURS, **more: Any) -> RememberedMember:
    return RememberedMember(state=state, member=Member(key=key, userid=userid, **more))


def department(key: str, id: int) -> RememberedDepartment:
    return RememberedDepartment(key=key, id=id, state=LinkState.OURS, name=f"部{id}", parent_id=1)


def load(store: Store, sync: str = "acme") -> Remembered:
    with store.reading() as connection:
        return links.load(connection, "acme", sync)


def changed(
    members: dict[str, RememberedMember], departments: dict[str, RememberedDepartment], **retired: str
) -> Rekeyed:
    return Rekeyed(
        pairs=(KeyPair(kind=Kind.MEMBER, old="A", new="B"),),
        members=members,
        departments=departments,
        missed_reads={},
        retired_userids=retired,
    )


def filled(store: Store) -> None:
    with store.transaction() as connection:
        people = [member("A", "anna"), member("B", "Bo", name="博"), member("G", "gone", LinkState.GONE)]
        links.put_member(connection, "acme", "acme", people)
        links.put_department(connection, "acme", "acme", [department("D", 7), department("E", 8)])
        links.put_member(connection, "acme", "other", [member("A", "another")])


def test_keys_change_places(store: Store) -> None:
    """The record, its userid and its id stay whose they were; another sync's are not touched."""
    filled(store)
    before = load(store)
    with store.transaction() as connection:
        links.rekey(
            connection,
            "acme",
            "acme",
            changed(
                {
                    "A": replace(before.members["A"], member=Member(key="B", userid="anna")),
                    "B": replace(before.members["B"], member=Member(key="A", userid="Bo", name="博")),
                    "G": member("H", "gone", LinkState.GONE),
                },
                {
                    "D": replace(before.departments["D"], key="E"),
                    "E": replace(before.departments["E"], key="X"),
                },
                gone="H",
            ),
        )
    after = load(store)
    assert {key: (link.member.userid, link.member.name) for key, link in after.members.items()} == {
        "A": ("Bo", "博"),
        "B": ("anna", before.members["A"].member.name),
        "H": ("gone", before.members["A"].member.name),
    }
    assert {key: link.id for key, link in after.departments.items()} == {"E": 7, "X": 8}
    assert after.retired_userids == {"gone": "H"}
    assert list(load(store, "other").members) == ["A"]


def test_what_breaks_off_changes_nothing_at_all(store: Store) -> None:
    """One transaction: what went before is taken back."""

    def break_off() -> None:
        with store.transaction() as connection:
            links.rekey(connection, "acme", "acme", changed({"A": member("N", "anna")}, {}))
            raise MirrorError("the disk is full")

    filled(store)
    before = load(store)
    with pytest.raises(MirrorError):
        break_off()
    assert load(store) == before


def test_missed_readings_are_counted_for_each_sync(store: Store) -> None:
    """What is new is written, what differs is written anew, and what is no longer there is struck."""

    def put(sync: str, before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
        with store.transaction() as connection:
            links.put_missed(connection, "acme", sync, before, after)
        return dict(load(store, sync).missed_reads)

    assert load(store).missed_reads == {}
    assert put("acme", {}, {"A": 1, "张三": 2}) == {"A": 1, "张三": 2}
    assert put("other", {}, {"A": 9}) == {"A": 9}
    assert put("acme", {"A": 1, "张三": 2}, {"A": 2, "a": 1}) == {"A": 2, "a": 1}
    assert put("acme", {"A": 2, "a": 1}, {}) == {}
    assert load(store, "other").missed_reads == {"A": 9}
