"""A token is kept so that every process with the secret finds it, and nobody else can read it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select, update

from wxsync.mirror.store import Store
from wxsync.mirror.tables import access_tokens
from wxsync.mirror.tokens import MirrorTokens
from wxsync.model.token import TokenRefusal, TokenState

PLACE = {"corp_id": "ww0000000000000001", "base_url": "https://wecom.test"}
SECRET = "marked-secret-of-contact-sync"
FULL = TokenState(
    version=1,
    text="marked-access-token",
    fetches=3,
    fetched_at=1_750_000_000.25,
    renew_at=1_750_007_000.5,
    ends_at=1_750_007_200.5,
    is_refused=True,
    refusals=2,
    renewed_by="host 1 ab",
    renewal_ends_at=1_750_000_045.25,
    refusal=TokenRefusal(errcode=40001, errmsg="invalid credential", until=1_750_003_600.5),
)


def tokens(store: Store, **others: str) -> MirrorTokens:
    return MirrorTokens(store, **{**PLACE, "secret": SECRET, **others})


def dumped(store: Store) -> str:
    with store.reading() as connection:
        return repr(connection.execute(select(access_tokens)).all())


@pytest.mark.parametrize(
    "state",
    [FULL, TokenState(version=1), replace(FULL, renew_at=None, refusal=None, renewed_by=None)],
)
def test_what_is_saved_is_loaded(store: Store, state: TokenState):
    """Every field, on every database, in another process too."""
    assert tokens(store).load() == TokenState()
    assert tokens(store).save(state)
    assert tokens(store).load() == state


def test_of_two_who_save_the_same_version_one_succeeds(store: Store):
    """Whoever was too late is told, at the first version and at any later one."""
    assert tokens(store).save(FULL)
    assert not tokens(store).save(replace(FULL, text="another"))
    assert tokens(store).save(replace(FULL, version=2))
    assert not tokens(store).save(replace(FULL, version=2, text="another"))
    assert not tokens(store).save(replace(FULL, version=4, text="another"))
    assert tokens(store).load() == replace(FULL, version=2)


@pytest.mark.parametrize(
    "other",
    [{"secret": "another"}, {"corp_id": "ww2"}, {"base_url": "https://elsewhere.test"}],
)
def test_another_secret_corp_or_place_has_a_token_of_its_own(sqlite_store: Store, other: dict[str, str]):
    """No token is sent to anybody but who gave it, and a new secret has not been refused."""
    tokens(sqlite_store).save(FULL)
    assert tokens(sqlite_store, **other).load() == TokenState()
    assert tokens(sqlite_store, base_url="https://wecom.test/").load() == FULL


def test_nothing_that_is_kept_tells_secret_or_token(sqlite_store: Store):
    """Neither is in the database, nor in what the objects say of themselves."""
    kept = tokens(sqlite_store)
    kept.save(FULL)
    told = dumped(sqlite_store) + repr(kept) + repr(kept.load()) + str(vars(kept))
    assert SECRET not in told
    assert "marked-access-token" not in told
    # Two rows of one token do not look alike: each is sealed anew.
    before = dumped(sqlite_store)
    kept.save(replace(FULL, version=2))
    assert before.replace(", 1, ", ", 2, ") != dumped(sqlite_store)


@pytest.mark.parametrize("sealed", ["", "no base64!", "AAAA", "A" * 80])
def test_a_token_that_somebody_else_wrote_is_none(sqlite_store: Store, sealed: str):
    """A row that was tampered with has another token fetched, instead of stopping a run."""
    tokens(sqlite_store).save(FULL)
    with sqlite_store.transaction() as connection:
        connection.execute(update(access_tokens).values(token=sealed))
    assert not tokens(sqlite_store).load().text


def test_a_refusal_is_forgotten_when_somebody_says_so(store: Store):
    """With who was fetching, and how many were refused in a row: the next is asked for at once."""
    kept = tokens(store)
    assert not kept.forget_refusal()
    kept.save(FULL)
    assert kept.forget_refusal()
    freed = replace(FULL, version=2, refusal=None, renewed_by=None, refusals=0)
    assert kept.load() == freed
    assert not kept.forget_refusal()
    kept.save(replace(freed, version=3, renewed_by="host 1 ab"))
    assert not kept.forget_refusal()
    assert kept.load() == replace(freed, version=4)
