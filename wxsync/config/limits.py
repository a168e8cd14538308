"""How much one run may change without being asked."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from wxsync.config.table import Table, WholeNumber

Percent = Annotated[float, Field(strict=True, ge=0, le=100, allow_inf_nan=False)]


class LimitRule(Table):
    """allowed = max(floor, min(percent of what is ours, rounded down; max))."""

    percent: Percent | None = None
    floor: WholeNumber = 0
    max: WholeNumber | None = None

    @model_validator(mode="after")
    def limits_something(self) -> Self:
        if self.percent is None and self.max is None:
            raise ValueError("needs a percent or a max: without both it would be no limit")
        return self

    def allowed(self, ours: int) -> int:
        """How many changes may be made where `ours` records of the kind are ours."""
        bounds = []
        if self.percent is not None:
            # Through the decimal text: 2.3 as a binary float makes 2299 of 2.3 % of 100,000.
            bounds.append(ours * Fraction(str(self.percent)) // 100)
        if self.max is not None:
            bounds.append(self.max)
        return max(self.floor, min(bounds))


class LimitsSettings(Table):
    """[sync.NAME.limits]: what is left out holds at the defaults, key by key."""

    member_remove: LimitRule = LimitRule(percent=5, floor=5, max=50)
    """Disables and deletions together."""
    member_create: LimitRule = LimitRule(percent=20, floor=20)
    member_update: LimitRule = LimitRule(percent=50, floor=50)
    field_change: LimitRule = LimitRule(percent=20, floor=20)
    """One attribute of many people."""
    department_create: LimitRule = LimitRule(percent=50, floor=50)
    department_update: LimitRule = LimitRule(percent=50, floor=50)
    """Renamed or put into another order."""
    department_delete: LimitRule = LimitRule(max=10)
    department_move: LimitRule = LimitRule(percent=10, floor=5)
    tag_member_add: LimitRule = LimitRule(percent=50, floor=200)
    """Places in tags, of people who are there already; measured by how many people are ours."""
    tag_member_remove: LimitRule = LimitRule(percent=20, floor=20)
    source_shrink: LimitRule = LimitRule(percent=3, floor=5)
    """Rows that a query lost since the last complete read of a run that was applied."""

    @field_validator("*", mode="before")
    @classmethod
    def completed(cls, value: Any, info: ValidationInfo) -> Any:
        """A plain number is a max without percent; a table takes what it lacks from the default."""
        if isinstance(value, int) and not isinstance(value, bool):
            return {"percent": None, "floor": 0, "max": value}
        if isinstance(value, dict) and info.field_name is not None:
            default: LimitRule = cls.model_fields[info.field_name].default
            return {**default.model_dump(), **value}
        return value
