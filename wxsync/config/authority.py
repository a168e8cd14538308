"""Whose word counts for a field that somebody changed in WeCom by hand."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final, Literal

from pydantic import Field, model_validator

from wxsync.config.suggestions import did_you_mean
from wxsync.config.table import Table, Text

Authority = Literal["source", "wecom", "report"]
"""Put back; taken as it is; told and not touched."""
GROUPS: Final = ("extattr", "department", "tag")
"""Tables within the table: `extattr.Desk = "wecom"` and `"extattr.Desk" = "wecom"` are the same in it."""


PLACES: Final = frozenset({"departments", "main_department", "is_leader", "order"})
"""Fields that may come from another query than that of members."""


class DepartmentAuthority(Table):
    """[sync.NAME.authority.department]: fields of departments."""

    name: Authority = "source"
    parent: Authority = "source"
    order: Authority = "source"


class TagAuthority(Table):
    """[sync.NAME.authority.tag]: what can be changed of a tag."""

    name: Authority = "source"
    members: Authority = "source"
    """Of those whom a hand took out; whom a hand put in follows `policy.strict_tags`."""


class AuthoritySettings(Table):
    """[sync.NAME.authority]: a field of members, or a table of others' fields -> whose word counts.

    Whether somebody is enabled is not among them: nobody whom somebody else disabled is enabled.
    """

    name: Authority = "source"
    alias: Authority = "source"
    mobile: Authority = "source"
    email: Authority = "source"
    departments: Authority = "source"
    """Where it is not "source", the other three fields of places wait while a hand's places stand."""
    main_department: Authority = "source"
    is_leader: Authority = "source"
    order: Authority = "source"
    direct_leader: Authority = "source"
    position: Authority = "source"
    gender: Authority = "source"
    telephone: Authority = "source"
    address: Authority = "source"
    biz_mail: Authority = "source"
    external_position: Authority = "source"
    extattr: dict[Text, Authority] = Field(default_factory=dict)
    department: DepartmentAuthority = DepartmentAuthority()
    tag: TagAuthority = TagAuthority()

    @model_validator(mode="before")
    @classmethod
    def grouped(cls, value: Any) -> Any:
        """A quoted key with its group in front stands for the key within the group."""
        if not isinstance(value, Mapping):
            return value
        plain: dict[str, Any] = {}
        inner: dict[str, dict[str, Any]] = {}
        for key, word in value.items():
            group, dot, name = str(key).partition(".")
            if dot and name and group in GROUPS:
                inner.setdefault(group, {})[name] = word
            else:
                plain[key] = word
        for group, words in inner.items():
            beside = plain.get(group, {})
            plain[group] = {**beside, **words} if isinstance(beside, Mapping) else beside
        return plain

    @property
    def by_field(self) -> dict[str, Authority]:
        """Every field of members that is not the source's alone; an attribute as `extattr.NAME`."""
        said: dict[str, Authority] = {
            name: word for name, word in self if name not in GROUPS and word != "source"
        }
        return said | {f"extattr.{name}": word for name, word in self.extattr.items() if word != "source"}


def check_mapped(authority: AuthoritySettings, written: Collection[str]) -> AuthoritySettings:
    """The same; raises ValueError for a field of members that nothing writes, so that nothing would hold."""
    for name in authority.by_field:
        if name not in PLACES and name not in written:
            meant = did_you_mean(name, written)
            raise ValueError(f"names {name}, which [member] does not map: nothing writes it.{meant}")
    return authority
