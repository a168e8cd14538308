"""A department as a source asks for it, or as WeCom has it."""

from __future__ import annotations

from dataclasses import dataclass

from wxsync.model.unknown import DepartmentRef, Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """One department of ours; `id` is None until WeCom has one for it."""

    key: str
    parent: DepartmentRef
    """The parent's key, or the WeCom id of the root department or of a foreign parent."""
    name: str | Unknown
    order: int | Unknown
    """Larger sorts first (WeCom page 90205)."""
    id: int | None = None


DEPARTMENT_FIELDS: tuple[str, ...] = ("name", "parent", "order")
"""The fields that are compared, in the order of reports."""
