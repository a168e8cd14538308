"""What several syncs claim is written and read back on every database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from wxsync.mirror.claims import claims_of_others, load_claims, save_claims
from wxsync.mirror.store import Store
from wxsync.model.claim import Claim

A, B, C = (Claim("mobile", letter * 64) for letter in "abc")
USERID = Claim("userid", "a" * 64)


@contextmanager
def counted_rows(store: Store) -> Iterator[list[int]]:
    """How many rows each writing statement was given, while the block lasts."""
    rows: list[int] = []

    def note(connection, cursor, statement, parameters, context, executemany):
        if statement.startswith(("INSERT", "DELETE")):
            rows.append(len(parameters) if executemany else 1)

    event.listen(store.engine, "before_cursor_execute", note)
    yield rows
    event.remove(store.engine, "before_cursor_execute", note)


def save(store: Store, *claims: Claim, corp: str = "acme", sync: str = "head") -> None:
    with store.transaction() as connection:
        save_claims(connection, corp, sync, frozenset(claims))


def test_a_sync_claims_what_was_saved_last(store: Store):
    """The whole is replaced; the claims of another sync and another corp stay."""
    save(store, A, B, USERID)
    save(store, A, sync="branch")
    save(store, A, corp="other")
    save(store, B, C)
    with store.reading() as connection:
        assert load_claims(connection, "acme", "head") == {B, C}
        assert load_claims(connection, "acme", "branch") == {A}
        assert load_claims(connection, "other", "head") == {A}


def test_only_the_difference_is_written(store: Store):
    """A reading in which nobody came or went writes nothing."""
    save(store, A, B)
    with counted_rows(store) as rows:
        save(store, A, B)
        assert rows == []
        save(store, B, C)
    assert rows == [1, 1]


def test_a_claim_has_the_names_of_all_who_make_it(store: Store):
    """Of the syncs that are asked for; of one field another field's claim is none, whatever its value."""
    save(store, A, USERID, sync="head")
    save(store, A, B, sync="branch")
    save(store, A, sync="forgotten")
    save(store, C, sync="branch", corp="other")
    with store.reading() as connection:
        assert claims_of_others(connection, "acme", ["branch", "head"]) == {
            A: "branch, head",
            B: "branch",
            USERID: "head",
        }
        assert claims_of_others(connection, "acme", ["branch"]) == {A: "branch", B: "branch"}
        assert claims_of_others(connection, "acme", []) == {}
