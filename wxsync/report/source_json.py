"""What the sources gave, as the JSON document `wxsync-source/1`."""

from __future__ import annotations

from typing import Any, Final

from wxsync.model.department import DEPARTMENT_FIELDS, Department
from wxsync.model.glance import Glance, Looked
from wxsync.model.member import MEMBER_FIELDS, Member
from wxsync.model.plan import plain
from wxsync.model.unknown import UNKNOWN
from wxsync.report.as_json import aside_entries, left_out_entries, moment, rejected_entry
from wxsync.report.locale import translate

SOURCE_FORMAT: Final = "wxsync-source/1"
SAMPLES: Final = 10
"""So many departments and people are shown as they are mapped."""


def source_document(looked: Looked, language: str = "en") -> dict[str, Any]:
    """The whole document, with full values."""
    desired = looked.desired
    return {
        "format": SOURCE_FORMAT,
        "sync": looked.sync,
        "read_at": moment(looked.read_at),
        "complete": desired.is_complete,
        "queries": [_query(glance, looked, language) for glance in looked.glances],
        "gives": {
            "departments": len(desired.departments),
            "members": len(desired.members),
            "leavers": len(desired.leavers),
            "tags": len(desired.tags),
            "rejected": len(desired.rejected),
        },
        "departments": [_department(each) for each in list(desired.departments.values())[:SAMPLES]],
        "members": [_member(each) for each in list(desired.members.values())[:SAMPLES]],
        "rejected": [rejected_entry(rejected, language) for rejected in desired.rejected],
        **aside_entries(desired.asides),
        **left_out_entries(desired.readings),
    }


def known_fields(record: Member | Department) -> dict[str, Any]:
    """The fields that the mapping gives the record, with their values."""
    names = MEMBER_FIELDS if isinstance(record, Member) else DEPARTMENT_FIELDS
    known = {name: getattr(record, name) for name in names if getattr(record, name) is not UNKNOWN}
    if isinstance(record, Member):
        known |= {f"extattr.{name}": value for name, value in record.extattr}
    return known


def _query(glance: Glance, looked: Looked, language: str) -> dict[str, Any]:
    document: dict[str, Any] = {"source": glance.source, "query": glance.query}
    for reading in looked.desired.readings:
        if (reading.source, reading.query) == (glance.source, glance.query):
            problem = None if reading.problem is None else translate(reading.problem, language)
            entries = reading.rows if reading.entries is None else reading.entries
            document |= {"rows": glance.rows, "entries": entries}
            document |= {"complete": reading.is_complete, "problem": problem}
    tallies = [{"by": each.by, "name": each.name, "count": each.count} for each in glance.tallies]
    filled = [{"name": each.name, "rows": each.filled} for each in glance.columns]
    columns = [each.name for each in glance.columns]
    return {**document, "columns": columns, "filled": filled, "counts": tallies}


def _department(department: Department) -> dict[str, Any]:
    return {"key": department.key, **_plain(department)}


def _member(member: Member) -> dict[str, Any]:
    return {"key": member.key, "userid": member.userid, **_plain(member)}


def _plain(record: Member | Department) -> dict[str, Any]:
    return {name: plain(value) for name, value in known_fields(record).items()}
