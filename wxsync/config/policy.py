"""What the company wants where WeCom and the source disagree."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from wxsync.config.table import PositiveNumber, Switch, Table, Text

CLEARABLE: Final = (
    "alias",
    "mobile",
    "email",
    "position",
    "telephone",
    "address",
    "external_position",
    "direct_leader",
    "extattr",
)
"""Member fields that WeCom lets be emptied (WeCom page 90197); `extattr.NAME` is one attribute."""

PATTERN: Final = re.compile(r"[A-Za-z0-9_\-@.*?\[\]!]+")
"""What a userid may hold (WeCom page 90195), and the wildcards."""

Evidence = Literal["userid", "mobile", "email"]


def _protectable(pattern: str) -> str:
    if not PATTERN.fullmatch(pattern):
        raise ValueError("can match no userid: those hold letters, digits and _ - @ . alone; * is any text")
    return pattern


class PolicySettings(Table):
    """[sync.NAME.policy]: nothing that removes has a default."""

    leavers: Literal["keep", "disable", "delete"]
    delete_after_days: PositiveNumber | None = None
    """Days between the disabling and the deletion; None is never."""
    empty_departments: Literal["keep", "delete"]
    adopt: tuple[Evidence, ...]
    """How members who are already in WeCom are recognised; () is never."""
    adopt_departments: dict[Text, PositiveNumber] = Field(default_factory=dict)
    """Source key -> WeCom department id."""
    protect: tuple[Annotated[str, AfterValidator(_protectable)], ...] = ()
    """Userids, with wildcards, that are never changed."""
    foreign_memberships: Literal["keep", "remove"] = "keep"
    missing_in_wecom: Literal["report", "recreate"] = "report"
    empty_tags: Literal["keep", "delete"] = "keep"
    invite: Switch = False
    method: Literal["auto", "single", "batch"] = "auto"
    exclusive: Switch = False
    """The operator's word that nobody else edits the directory while a job runs."""
    replace: Switch = False
    """True: one file may replace everybody, which deletes whoever is not in it."""
    clear_when_empty: tuple[str, ...] = ()
    """The fields that an empty source value clears in WeCom."""
    confirm_reads: Annotated[PositiveNumber, Field(le=10)] = 2
    """From how many complete readings in a row somebody must be missing before the daemon removes them."""
    strict_tags: Switch = False
    """True: people whom somebody put into a tag of ours by hand are taken out."""

    @field_validator("delete_after_days")
    @classmethod
    def wants_disabling(cls, days: int | None, info: ValidationInfo) -> int | None:
        if days is not None and info.data.get("leavers", "disable") != "disable":
            raise ValueError('works only with leavers = "disable"')
        return days

    @field_validator("replace")
    @classmethod
    def wants_exclusiveness(cls, replaces: bool, info: ValidationInfo) -> bool:
        if replaces and not info.data.get("exclusive", True):
            raise ValueError(
                "wants exclusive = true beside it, your word that nobody else edits the directory of the corp"
                " while a job runs, by hand or by another program: whoever is not in a file that replaces"
                " everybody is deleted"
            )
        if replaces and info.data.get("method") == "single":
            raise ValueError('is for files, and method = "single" has none: leave one of them out')
        return replaces

    @field_validator("adopt")
    @classmethod
    def named_once(cls, names: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
        if len(set(names)) < len(names):
            raise ValueError("names something twice")
        return names

    @field_validator("adopt_departments")
    @classmethod
    def adopted_once(cls, ids: dict[str, int]) -> dict[str, int]:
        by_id: dict[int, str] = {}
        for key, id_ in ids.items():
            if id_ in by_id:
                raise ValueError(f'"{by_id[id_]}" and "{key}" both name department {id_}')
            by_id[id_] = key
        return ids

    @field_validator("clear_when_empty")
    @classmethod
    def clearable(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            is_attribute = name.startswith("extattr.") and name != "extattr."
            if name not in CLEARABLE and not is_attribute:
                raise ValueError(
                    f'"{name}" cannot be cleared. These can: {", ".join(CLEARABLE)}, extattr.NAME'
                )
        return names
