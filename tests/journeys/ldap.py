"""A corp fed from an LDAP directory: what a story of it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.journeys.stage import Stage, settings_of
from tests.sources.directory import ldap_source
from wxsync.cli.main import EXIT_ERROR
from wxsync.cli.output import EXIT_REFUSED, exit_code_of
from wxsync.config.settings import SourceSettings
from wxsync.errors import GuardError, WxsyncError
from wxsync.model.run import Run
from wxsync.sandbox.records import Member

DEPARTMENT: Mapping[str, str | None] = {
    "key": "ou",
    "ref": "dn",
    "parent": "parent_dn",
    "name": "ou",
    "order": None,
    "root": "ou == 'Company'",
}
MEMBER: Mapping[str, str | None] = dict.fromkeys(
    ("alias", "gender", "position", "direct_leader", "active", "starts", "ends")
) | {
    "key": "employeeNumber",
    "userid": "uid",
    "name": "cn",
    "mobile": "mobile",
    "email": "mail",
    "departments": "parent_dn",
}

HELD = (
    *("name", "alias", "mobile", "email", "biz_mail", "position", "gender", "telephone", "address"),
    *("external_position", "placement", "direct_leader", "extattr"),
)
"""What WeCom holds of a member, beside who it is and whether it is let in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How `wxsync apply` ended."""

    code: int
    run: Run | None = None
    error: WxsyncError | None = None

    @property
    def problems(self) -> list[str]:
        """What was not proven, in words."""
        if self.run is None:
            return []
        return [str(each.problem) for each in self.run.plan.readings if each.problem is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What WeCom shows of people, departments and tags: all that somebody can lose."""

    people: frozenset[tuple[str, frozenset[int]]]
    """Whom it lets in, and where they are."""
    departments: frozenset[tuple[int, str, int]]
    """Id, name, and what is above it."""
    fields: frozenset[tuple[str, ...]]
    """Userid and everything else that WeCom holds of the person: texts, marks, leader."""
    tags: frozenset[tuple[str, frozenset[str]]]
    """Name, and who is in it."""


@dataclass(kw_only=True)
class LdapStory:
    """A sync whose one source is the directory at `url`."""

    stage: Stage

    def read_from(self, url: str | Sequence[str], **settings: Any) -> None:
        """The source is there from now on."""
        source: SourceSettings = ldap_source(url, **settings).settings
        changed = {**dict(self.stage.settings.source), "hr": source}
        self.stage.settings = self.stage.settings.model_copy(update={"source": changed})

    def apply(self) -> Ended:
        """`wxsync apply`, with its exit code."""
        try:
            run = self.stage.apply()
        except GuardError as error:
            return Ended(code=EXIT_REFUSED, error=error)
        except WxsyncError as error:
            return Ended(code=EXIT_ERROR, error=error)
        return Ended(code=exit_code_of(run), run=run)

    def wecom(self) -> Shown:
        """What can be lost."""
        directory = self.stage.state.directory
        people = (
            (member.userid, frozenset(member.placement.department))
            for member in directory.members.values()
            if member.enable
        )
        departments = ((each.id, each.name, each.parentid) for each in directory.departments.values())
        return Shown(
            people=frozenset(people),
            departments=frozenset(departments),
            fields=frozenset(_held(member) for member in directory.members.values()),
            tags=frozenset((each.name, frozenset(each.users)) for each in directory.tags.values()),
        )


def _held(member: Member) -> tuple[str, ...]:
    return (member.userid, *(str(getattr(member, name)) for name in HELD))


def ldap_story(
    folder: Path,
    url: str,
    *,
    member: Mapping[str, str | None] = MEMBER,
    department: Mapping[str, str | None] = DEPARTMENT,
    **sync: Any,
) -> LdapStory:
    """Nothing has been read yet."""
    settings = settings_of(
        f"sqlite:///{folder}/nothing.db",
        folder / "mirror.db",
        member=member,
        department=department,
        tags={},
        **sync,
    )
    story = LdapStory(stage=Stage(settings))
    story.read_from(url)
    return story
