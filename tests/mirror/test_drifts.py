"""What is noted of hands is written and read back on every database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from alembic import command
from sqlalchemy import create_engine, text

from wxsync.mirror import links, schema
from wxsync.mirror.drifts import drop_drifts, load_drifts, put_drifts
from wxsync.mirror.migrating import config_of
from wxsync.mirror.store import Store
from wxsync.model.change import Kind
from wxsync.model.drift import Drift, DriftPlace
from wxsync.model.member import Member
from wxsync.model.rekey import Rekeyed
from wxsync.model.remembered import LinkState, RememberedMember
from wxsync.model.unknown import UNKNOWN

AT = datetime(2026, 3, 2, 1, 0, 0, 123456, tzinfo=UTC)
TITLE = Drift(
    kind=Kind.MEMBER, key="E1", field="position", base="工程师", put_back_at=(AT, AT), is_counted=True
)
NOTED = (
    TITLE,
    Drift(kind=Kind.MEMBER, key="E1", field="departments", base=("D1", 1)),
    Drift(kind=Kind.MEMBER, key="E1", field="order", base=(("D1", 7), ("D2", 8))),
    Drift(kind=Kind.MEMBER, key="E2", field="extattr.工号", base=None),
    Drift(kind=Kind.DEPARTMENT, key="E1", field="parent", base="D9"),
    Drift(kind=Kind.DEPARTMENT, key="E1", field="order", base=42),
    Drift(kind=Kind.TAG, key="é" * 255, field="members." + "u" * 64, base=True),
)


def noted(store: Store, sync: str = "acme") -> Mapping[DriftPlace, Drift]:
    with store.reading() as connection:
        return links.load(connection, "acme", sync).drifts


def filled(store: Store) -> None:
    with store.transaction() as connection:
        put_drifts(connection, "acme", "acme", NOTED)
        put_drifts(connection, "acme", "other", [TITLE])


def test_every_kind_of_value_comes_back_as_it_was(store: Store) -> None:
    """Texts, numbers, lists, nothing; moments to the microsecond; each sync its own."""
    filled(store)
    assert noted(store) == {each.place: each for each in NOTED}
    assert noted(store, "other") == {TITLE.place: TITLE}


def test_a_note_takes_the_place_of_the_one_before(store: Store) -> None:
    """Of the same field; and what is struck is gone, of this sync alone."""
    filled(store)
    later = replace(TITLE, base=None, put_back_at=(), is_counted=False)
    with store.transaction() as connection:
        put_drifts(connection, "acme", "acme", [later])
        drop_drifts(connection, "acme", "acme", [each.place for each in NOTED[1:]])
    assert noted(store) == {TITLE.place: later}
    assert noted(store, "other") == {TITLE.place: TITLE}


def test_somebody_who_is_gone_takes_the_notes_along(store: Store) -> None:
    """Nobody's values outlive their use; a department of the same key is another record."""
    filled(store)
    gone = RememberedMember(state=LinkState.GONE, member=Member(key="E1", userid="e1"))
    with store.transaction() as connection:
        links.put_member(connection, "acme", "acme", gone)
    assert {(kind, key) for kind, key, _ in noted(store)} == {
        (Kind.MEMBER, "E2"),
        (Kind.DEPARTMENT, "E1"),
        (Kind.TAG, "é" * 255),
    }
    assert noted(store, "other") == {TITLE.place: TITLE}


def test_keys_change_places(store: Store) -> None:
    """Two people who trade keys trade what is noted of them."""
    other = replace(TITLE, key="E2", base="顾问")
    changed = {TITLE.place: replace(TITLE, key="E2"), other.place: replace(other, key="E1")}
    with store.transaction() as connection:
        put_drifts(connection, "acme", "acme", [TITLE, other])
        rekeyed = Rekeyed(
            pairs=(), members={}, departments={}, missed_reads={}, retired_userids={}, drifts=changed
        )
        links.rekey(connection, "acme", "acme", rekeyed)
        assert load_drifts(connection, "acme", "acme") == {each.place: each for each in changed.values()}


def test_what_an_earlier_version_said_of_places_of_departments_is_not_believed(sqlite_url: str) -> None:
    """It was written at their creation and never again; of a creation that is under way it is needed."""
    engine = create_engine(sqlite_url)
    config = config_of(schema.migrations_directory())
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0009")
        for id, state in ((101, "ours"), (102, "pending")):
            connection.execute(
                text(
                    "INSERT INTO department_links (corp, sync, key, department_id, live_department_id, state,"
                    f" parent_id, name, sort_order) VALUES ('acme', 'acme', 'D{id}', {id}, {id}, '{state}',"
                    " 1, '部', 7)"
                )
            )
    engine.dispose()
    schema.upgrade(sqlite_url)
    store = Store(schema.prepare(sqlite_url))
    with store.reading() as connection:
        found = links.load(connection, "acme", "acme").departments
    store.close()

    assert (found["D101"].parent_id, found["D101"].order, found["D101"].name) == (None, UNKNOWN, "部")
    assert (found["D102"].parent_id, found["D102"].order) == (1, 7)
