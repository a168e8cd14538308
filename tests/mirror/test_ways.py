"""The way of reading is written and read back on every database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import update

from wxsync.mirror.store import Store
from wxsync.mirror.tables import corp_ways
from wxsync.mirror.ways import load_way, save_way
from wxsync.model.remembered import RememberedWay
from wxsync.model.seen import ReadingWay

FOUND = RememberedWay(
    way=ReadingWay.IDS, has_app=False, found_at=datetime(2026, 3, 2, 1, 0, 0, 123456, tzinfo=UTC)
)


def test_a_corp_has_the_way_that_was_saved_last(store: Store):
    """None before; then each way in the place of the former; another corp's is its own."""
    newer = replace(FOUND, way=ReadingWay.APP, has_app=True)
    with store.transaction() as connection:
        assert load_way(connection, "acme") is None
        save_way(connection, "acme", FOUND)
        save_way(connection, "other", FOUND)
    with store.transaction() as connection:
        assert load_way(connection, "acme") == FOUND
        save_way(connection, "acme", newer)
    with store.reading() as connection:
        assert load_way(connection, "acme") == newer
        assert load_way(connection, "other") == FOUND


def test_a_way_of_a_later_version_is_none(store: Store):
    """It is found anew, instead of stopping a run."""
    with store.transaction() as connection:
        save_way(connection, "acme", FOUND)
        connection.execute(update(corp_ways).values(way="telepathy"))
        assert load_way(connection, "acme") is None
