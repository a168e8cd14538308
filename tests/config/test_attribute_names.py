"""What a config may call the attributes of a directory, and the columns of files."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from wxsync.config.attributes import OF_EVERY_ENTRY
from wxsync.config.settings import FileSourceSettings, LdapSourceSettings
from wxsync.sources.ldap_rows import READY

LEAST = {
    "type": "ldap",
    "url": "ldap://localhost",
    "base_dn": "dc=example,dc=com",
    "departments": "(ou=*)",
    "members": "(uid=*)",
}


def names(given: dict[str, str], **settings: Any) -> dict[str, str]:
    return LdapSourceSettings.model_validate({**LEAST, "names": given, **settings}).names


def problem(given: dict[str, str], **settings: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        names(given, **settings)
    (error,) = caught.value.errors()
    assert error["loc"] == ("names",)
    return str(error["ctx"]["error"])


def test_names_of_ones_own() -> None:
    """Any text is a name, for an attribute with options too, and for what every entry has."""
    given = {"emp_no": "employeeID", "工号": "employeeNumber;x-hr", "emp no": "cn", "is_off": "Disabled"}
    assert names(given) == {**given, "is_off": "disabled"}
    assert names({}) == LdapSourceSettings.model_validate(LEAST).names == {}


@pytest.mark.parametrize(
    "name", ["dn", "DN", "parent_dn", "rdn", "disabled", "Expired", "locked", "entryUUID", "objectGUID"]
)
def test_what_means_something_already(name: str) -> None:
    """What every entry has, and what the default key reads, keeps its meaning, in any spelling."""
    assert problem({name: "cn"}) == f'"{name}" means something already: choose another name'


@pytest.mark.parametrize("name", ["objectclass", "photo", "jpegPhoto;binary"])
def test_what_wxsync_itself_reads_or_never_reads(name: str) -> None:
    """Neither the class of an entry nor a picture can be what a name of ours is called."""
    assert "means something already" in problem({name: "cn"})


def test_every_problem_at_once() -> None:
    """Two spellings of one name, a picture, and what is no attribute."""
    assert problem({"a": "cn", "A": "sn", "b": "thumbnailPhoto", "c": "employee no", "dn": "x_y"}) == (
        '"A" and "a" are one name: case does not count; "dn" means something already: choose another name; '
        '"b" stands for thumbnailPhoto, and photos are never read from a directory; '
        '"c" stands for no attribute: those have letters, digits and -; '
        '"dn" stands for no attribute: those have letters, digits and -'
    )


def test_the_attribute_of_departments_keeps_its_name() -> None:
    """The mapping's defaults read it by that."""
    told = problem({"Department": "ou"}, department_attribute="department")
    assert told == '"department" is department_attribute: give it another name'
    assert names({"dept": "department"}, department_attribute="department") == {"dept": "department"}


def test_what_every_entry_has_is_one_list() -> None:
    """The config and the rows speak of the same names."""
    assert set(READY) == OF_EVERY_ENTRY


def test_files_have_names_too() -> None:
    """For columns, which may be called anything."""
    settings = FileSourceSettings.model_validate(
        {"type": "file", "members": "people.csv", "names": {"emp_no": "工号 (HR)"}}
    )
    assert settings.names == {"emp_no": "工号 (HR)"}
