"""What each of several syncs of one corp claims, by its last complete reading."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress

from sqlalchemy import Connection, bindparam, delete, insert, select
from sqlalchemy.exc import IntegrityError

from wxsync.mirror import tables
from wxsync.model.claim import Claim


def load_claims(connection: Connection, corp: str, sync: str) -> frozenset[Claim]:
    """What `sync` itself claimed."""
    c = tables.claims.c
    rows = connection.execute(select(c.field, c.value_hash).filter_by(corp=corp, sync=sync))
    return frozenset(Claim(field, value_hash) for field, value_hash in rows)


def claims_of_others(connection: Connection, corp: str, syncs: Collection[str]) -> dict[Claim, str]:
    """What each of `syncs` claimed, with the names of those that did.

    A sync that the config no longer has is to be left out: its claims are nobody's.
    """
    c = tables.claims.c
    query = select(c.sync, c.field, c.value_hash).where(c.corp == corp, c.sync.in_(sorted(syncs)))
    names: dict[Claim, list[str]] = {}
    for sync, field, value_hash in connection.execute(query):
        names.setdefault(Claim(field, value_hash), []).append(sync)
    return {claim: ", ".join(sorted(claimants)) for claim, claimants in names.items()}


def save_claims(connection: Connection, corp: str, sync: str, claims: frozenset[Claim]) -> None:
    """Remembers `claims` as all that `sync` claims, writing only what differs from before.

    Plans take no lease: where two save the same at one moment, the later of them leaves it to its next run.
    """
    with suppress(IntegrityError), connection.begin_nested():
        _replace(connection, corp, sync, load_claims(connection, corp, sync), claims)


def _replace(
    connection: Connection, corp: str, sync: str, before: frozenset[Claim], claims: frozenset[Claim]
) -> None:
    c = tables.claims.c
    if dropped := _rows(before - claims):
        this = (c.field == bindparam("old_field"), c.value_hash == bindparam("old_value_hash"))
        leaving = delete(tables.claims).filter_by(corp=corp, sync=sync).where(*this)
        connection.execute(leaving, [{f"old_{name}": row[name] for name in row} for row in dropped])
    if added := _rows(claims - before):
        connection.execute(insert(tables.claims), [{"corp": corp, "sync": sync, **row} for row in added])


def _rows(claims: Iterable[Claim]) -> list[dict[str, str]]:
    return [{"field": claim.field, "value_hash": claim.value_hash} for claim in claims]
