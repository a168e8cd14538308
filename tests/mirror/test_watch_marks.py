"""Marks of watched sources are written and read back on every database."""

from __future__ import annotations

from wxsync.mirror.store import Store
from wxsync.mirror.watch_marks import load_marks, save_marks

LONG = "wxsync-mark-1 csn " + " ".join(
    f"20260302010000.{number:06d}Z#000000#000#000000" for number in range(2000)
)


def test_a_sync_has_the_marks_that_were_saved_last(store: Store) -> None:
    """All of them in the place of all former ones; another sync's are its own, and case counts."""
    with store.transaction() as connection:
        assert load_marks(connection, "acme", "acme") == {}
        save_marks(connection, "acme", "acme", {"ad": "one", "AD": LONG})
        save_marks(connection, "acme", "other", {"ad": "theirs"})
        save_marks(connection, "beta", "acme", {"ad": "elsewhere"})
    with store.transaction() as connection:
        assert load_marks(connection, "acme", "acme") == {"ad": "one", "AD": LONG}
        save_marks(connection, "acme", "acme", {"ad": "two"})
    with store.transaction() as connection:
        assert load_marks(connection, "acme", "acme") == {"ad": "two"}
        save_marks(connection, "acme", "acme", {})
    with store.reading() as connection:
        assert load_marks(connection, "acme", "acme") == {}
        assert load_marks(connection, "acme", "other") == {"ad": "theirs"}
        assert load_marks(connection, "beta", "acme") == {"ad": "elsewhere"}
