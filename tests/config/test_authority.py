"""Whose word counts, field by field."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tests.engine.companies import settings
from wxsync.config.authority import AuthoritySettings

MAPPED = {"key": "no", "userid": "no", "name": "name", "extattr": {"Desk": "desk"}}


def authority(said: dict[str, Any]) -> AuthoritySettings:
    return settings(authority=said, member=MAPPED).authority


def test_the_source_is_right_where_nothing_is_said() -> None:
    """Of members, departments and tags."""
    said = authority({})
    assert said.by_field == {}
    assert {*dict(said.department).values(), *dict(said.tag).values()} == {"source"}


@pytest.mark.parametrize(
    "said",
    [
        {"extattr": {"Desk": "wecom"}, "department": {"name": "report"}, "tag": {"members": "wecom"}},
        {"extattr.Desk": "wecom", "department.name": "report", "tag.members": "wecom"},
    ],
)
def test_a_group_may_be_a_table_or_stand_before_the_name(said: dict[str, Any]) -> None:
    """As TOML has it with and without quotation marks."""
    found = authority(said)
    assert found.by_field == {"extattr.Desk": "wecom"}
    assert (found.department.name, found.department.parent, found.tag.members) == (
        "report",
        "source",
        "wecom",
    )


def test_places_need_no_mapping_of_members() -> None:
    """They may come from the memberships query."""
    assert authority({"departments": "report", "is_leader": "wecom"}).by_field == {
        "departments": "report",
        "is_leader": "wecom",
    }


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (
            {"extattr.Dsk": "wecom"},
            'extattr.Dsk, which .member. does not map: .* Did you mean "extattr.Desk"',
        ),
        ({"position": "wecom"}, "position, which .member. does not map: nothing writes it"),
        ({"enable": "wecom"}, "Extra inputs"),
        ({"tag.users": "wecom"}, "Extra inputs"),
        ({"name": "me"}, "'source', 'wecom' or 'report'"),
        ({"department": "wecom"}, "valid dictionary"),
    ],
)
def test_what_cannot_be_said(said: dict[str, Any], problem: str) -> None:
    """A field that nothing writes, that does not exist or that is nobody's to give away; another word."""
    with pytest.raises(ValidationError, match=problem):
        authority(said)
