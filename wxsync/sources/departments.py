"""One row of the departments query becomes one department by the config's expressions, or is rejected.

Nothing here knows any other row: doubles, loops and unknown parents are found in `tree`.
"""

from __future__ import annotations

from dataclasses import dataclass

from wxsync.config.settings import DepartmentMapping
from wxsync.model.change import Kind, Rejected
from wxsync.model.unknown import UNKNOWN, Unknown
from wxsync.sources.base import NamedRow, Row
from wxsync.sources.fields import department_name
from wxsync.sources.joining import Joining
from wxsync.sources.normal import Breach, flag, key_of, uint32
from wxsync.sources.sheet import Sheet, read_key, reject


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartmentRow:
    """One department as its own row tells it; `parent` is still the name that the row uses."""

    key: str
    ref: str | None
    """The name by which other rows point to it."""
    parent: str | Unknown | None
    """None is "directly under root_department"; UNKNOWN where it could not be read."""
    name: str | None
    order: int | Unknown
    is_root: bool
    rejected: tuple[Rejected, ...]
    names: tuple[str, ...] = ()
    """What the rows of a directory call it beside that."""


def to_department_row(row: Row, mapping: DepartmentMapping, joining: Joining) -> DepartmentRow | Rejected:
    """A department with everything that its own row tells; a Rejected where the key cannot be read."""
    try:
        key = read_key(mapping.key, row)
    except Breach as breach:
        return reject(Kind.DEPARTMENT, None, "key", breach)
    try:
        row = joining.complete(row, key)
    except Breach as breach:
        return _nameless(key, reject(Kind.DEPARTMENT, key, "key", breach))
    sheet = Sheet(kind=Kind.DEPARTMENT, key=key, row=row)
    own, names_itself = mapping.ref, mapping.ref is None
    ref = key if names_itself else sheet.take("ref", own, lambda value: key_of(value, "ref"), decides=True)
    is_root = sheet.take("root", mapping.root, lambda value: flag(value, "root"), decides=True) is True
    parent, name, order = None, None, None
    if not is_root:  # the root department is never written: its place and name are its own business
        parent = sheet.take("parent", mapping.parent, lambda value: key_of(value, "parent"), decides=True)
        name = sheet.take("name", mapping.name, department_name)
        order = sheet.take("order", mapping.order, lambda value: uint32(value, "order"), may_be_unknown=True)
    return DepartmentRow(
        key=key,
        ref=None if ref is UNKNOWN else ref,
        parent=parent,
        name=None if name is UNKNOWN else name,
        order=UNKNOWN if order is None else order,
        is_root=is_root,
        rejected=tuple(sheet.rejected),
        names=row.names if isinstance(row, NamedRow) else (),
    )


def _nameless(key: str, rejected: Rejected) -> DepartmentRow:
    """A department of which nothing is known but its key: whatever is below it is held with it."""
    return DepartmentRow(
        key=key, ref=key, parent=UNKNOWN, name=None, order=UNKNOWN, is_root=False, rejected=(rejected,)
    )
