"""What hands changed in WeCom: a row for each field that they left otherwise than the source has it.

All functions take a connection and never commit: what is noted goes into one transaction with the links
in which the hand's value is remembered.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select

from wxsync.mirror.store import replace_rows
from wxsync.mirror.tables import drifts
from wxsync.mirror.values import as_text, fields_text, to_fields
from wxsync.model.change import Kind
from wxsync.model.drift import Drift, DriftPlace


def load_drifts(connection: Connection, corp: str, sync: str) -> dict[DriftPlace, Drift]:
    """All that is noted of `sync`."""
    c = drifts.c
    query = select(c.kind, c.key, c.field, c.base, c.put_back_at, c.is_counted)
    found = (
        Drift(
            kind=Kind(kind),
            key=key,
            field=field,
            base=to_fields(base)["base"],
            put_back_at=tuple(map(datetime.fromisoformat, json.loads(put_back_at))),
            is_counted=is_counted,
        )
        for kind, key, field, base, put_back_at, is_counted in connection.execute(
            query.filter_by(corp=corp, sync=sync)
        )
    )
    return {drift.place: drift for drift in found}


def put_drifts(connection: Connection, corp: str, sync: str, noted: Iterable[Drift]) -> None:
    """Notes each, in the place of what was noted of the same field."""
    replace_rows(connection, drifts, [_row(corp, sync, drift) for drift in noted])


def drop_drifts(connection: Connection, corp: str, sync: str, places: Iterable[DriftPlace]) -> None:
    """Strikes what is noted of these fields."""
    struck = [{"of_kind": kind.value, "of_key": key, "of_field": field} for kind, key, field in places]
    if struck:
        c = drifts.c
        connection.execute(
            delete(drifts).where(
                c.corp == corp,
                c.sync == sync,
                c.kind == bindparam("of_kind"),
                c.key == bindparam("of_key"),
                c.field == bindparam("of_field"),
            ),
            struck,
        )


def forget_drifts(connection: Connection, corp: str, sync: str, kind: Kind, keys: Iterable[str]) -> None:
    """Strikes all that is noted of these records: they are gone."""
    struck = [{"of_key": key} for key in keys]
    if struck:
        c = drifts.c
        of_these = (c.corp == corp, c.sync == sync, c.kind == kind.value, c.key == bindparam("of_key"))
        connection.execute(delete(drifts).where(*of_these), struck)


def rekey_drifts(connection: Connection, corp: str, sync: str, changed: Mapping[DriftPlace, Drift]) -> None:
    """What is noted at each of these places is from now on noted as this; keys may change places."""
    drop_drifts(connection, corp, sync, changed)
    put_drifts(connection, corp, sync, changed.values())


def _row(corp: str, sync: str, drift: Drift) -> dict[str, Any]:
    return {
        "corp": corp,
        "sync": sync,
        "kind": drift.kind.value,
        "key": drift.key,
        "field": drift.field,
        "base": fields_text({"base": drift.base}),
        "put_back_at": as_text([at.isoformat() for at in drift.put_back_at]),
        "is_counted": drift.is_counted,
    }
