"""A company in an LDAP directory, made up, and a source that reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.servers.slapd import PASSWORD, READER, SUFFIX, SlapdServer
from wxsync.config.settings import LdapSourceSettings
from wxsync.sources.ldap import LdapSource

BASE = f"ou=Company,{SUFFIX}"
UNITS = ("Research", "Sales", "Works", "Office")
NAMES = frozenset({"entryUUID", "ou", "dn", "parent_dn"})
"""What a mapping of departments reads."""
PEOPLE = frozenset({"employeeNumber", "uid", "cn", "mail", "mobile", "parent_dn"})

Attributes = Mapping[str, Sequence[str | bytes]]
Person = tuple[str, Attributes]


def unit(name: str, parent: str = BASE) -> Person:
    """An organizational unit."""
    return f"ou={name},{parent}", {"objectClass": ["organizationalUnit"], "ou": [name]}


def person(number: int, *, units: int = len(UNITS)) -> Person:
    """Number 0 is in the first unit, number 1 in the second, and so on, round and round."""
    name = f"u{number:05d}"
    return (
        f"uid={name},ou={UNITS[number % units]},{BASE}",
        {
            "objectClass": ["inetOrgPerson"],
            "uid": [name],
            "cn": [f"人员{number:05d}"],
            "sn": ["人"],
            "employeeNumber": [f"E{number:05d}"],
            "mail": [f"{name}@example.com"],
            "mobile": [f"138{number:08d}"],
        },
    )


def company(people: int) -> list[Person]:
    """The base, four units, and so many people in them."""
    return [unit("Company", SUFFIX), *(unit(name) for name in UNITS), *map(person, range(people))]


def ldap_source(server: SlapdServer | str | Sequence[str], **settings: Any) -> LdapSource:
    """A source that reads the company as the ordinary account does, from a server or from URLs."""
    url = server.url if isinstance(server, SlapdServer) else server
    return LdapSource(
        "ad",
        LdapSourceSettings.model_validate(
            {
                "type": "ldap",
                "url": url,
                "bind_dn": READER,
                "bind_password": PASSWORD,
                "base_dn": BASE,
                "departments": "(objectClass=organizationalUnit)",
                "members": "(objectClass=inetOrgPerson)",
                "receive_timeout": 3,
                "connect_timeout": 3,
                "page_size": 100,
            }
            | settings
        ),
    )
