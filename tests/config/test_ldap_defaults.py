"""What a sync's mapping says by itself where a directory is its first source, and what it may not read."""

from __future__ import annotations

from typing import Any

import pytest

from wxsync.config.checks import check_references, with_ldap_defaults

KEY = "entryUUID | default(objectGUID) | guid"


def config(source: dict[str, Any], **sync: Any) -> dict[str, Any]:
    return {"source": {"ad": {"type": "ldap", **source}}, "sync": {"acme": {"sources": ["ad"], **sync}}}


def mapped(source: dict[str, Any], **sync: Any) -> tuple[Any, Any]:
    """The mapping of departments and of members."""
    completed = with_ldap_defaults(config(source, **sync))["sync"]["acme"]
    return completed["department"], completed["member"]


def test_the_least_mapping() -> None:
    """What is left out has a default, whole tables too; what is written stays as it is."""
    department, member = mapped({}, member={"userid": "uid", "departments": "ou"})
    assert department == {"key": KEY, "parent": "parent_dn", "name": "rdn", "ref": "dn"}
    assert member == {"key": KEY, "departments": "ou", "userid": "uid"}


def test_departments_by_attribute() -> None:
    """Each value is a department under the root department, and people are in all of their values."""
    department, member = mapped({"department_attribute": "department"}, department={"order": "1"})
    assert department == {
        "key": "col('department')",
        "parent": "none",
        "name": "col('department')",
        "order": "1",
    }
    assert member == {"key": KEY, "departments": "all('department')"}


@pytest.mark.parametrize("attribute", ["x') or all('y", 7, ""])
def test_no_attribute_gives_no_defaults_of_its_own(attribute: object) -> None:
    """What is no attribute's name never becomes part of an expression."""
    department, _ = mapped({"department_attribute": attribute})
    assert department["key"] == KEY


def test_a_database_has_no_defaults() -> None:
    """A sync whose first source is a database is left as it is, also where a directory comes later."""
    data = config({}, sources=["hr", "ad"])
    data["source"]["hr"] = {"type": "sql"}
    assert with_ldap_defaults(data)["sync"]["acme"] == {"sources": ["hr", "ad"]}


@pytest.mark.parametrize(
    "sync",
    [
        {"member": {"alias": "jpegPhoto"}},
        {"member": {"extattr": {"x": "col('thumbnailphoto;binary') | default('')"}}},
        {"department": {"name": "PHOTO ~ ''"}},
        {"tags": {"x": "all('audio') | length"}},
    ],
)
def test_photos_are_refused(sync: dict[str, Any]) -> None:
    """A mapping that reads a picture is told where, in any spelling; without a directory it is no matter."""
    (problem,) = check_references(config({}, **sync))
    assert problem.path[:2] == ("sync", "acme")
    assert "photos are never read" in problem.text
    data = config({}, **sync, sources=["hr"])
    data["source"]["hr"] = {"type": "sql", "departments": "SELECT 1"}
    assert list(check_references(data)) == []
