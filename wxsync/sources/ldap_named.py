"""What the config of a directory names, held against the server's own schema: before anything is read.

An attribute that nobody has finds nobody and is empty on everybody, and no server calls that an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from wxsync.config.attributes import IDENTITIES, OF_EVERY_ENTRY
from wxsync.config.settings import LdapSourceSettings
from wxsync.config.suggestions import did_you_mean
from wxsync.sources.ldap_schema import Schema
from wxsync.sources.ldap_wire import is_filter

FILTERS: Final = ("departments", "members", "memberships", "groups")
ATTRIBUTES: Final = ("department_attribute", "group_name")
ASSERTED: Final = re.compile(r"\(\s*([A-Za-z][A-Za-z0-9;.-]*)\s*(?::[^=()]*:|[~<>])?=")
"""The attributes of a filter: a parenthesis within a value is escaped (RFC 4515 §3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something in [source.NAME] that the server cannot serve."""

    key: str
    """Where: "members", "names.emp_no"."""
    problem: str


def faults(settings: LdapSourceSettings, schema: Schema) -> Iterator[Fault]:
    """Filters that are none, and every attribute that the schema does not know, with the nearest one."""
    for key in FILTERS:
        filter_ = getattr(settings, key)
        if filter_ is not None:
            yield from _in_filter(key, filter_, schema)
    named = {key: getattr(settings, key) for key in ATTRIBUTES}
    named |= {f"names.{name}": attribute for name, attribute in settings.names.items()}
    for key, attribute in named.items():
        if attribute is not None and not _is_there(attribute, schema):
            yield Fault(key=key, problem=f"{key} names {_unknown(attribute, schema)}")


def _in_filter(key: str, filter_: str, schema: Schema) -> Iterator[Fault]:
    if not is_filter(filter_):
        yield Fault(key=key, problem=f"the {key} filter is not a filter (RFC 4515)")
        return
    for name in ASSERTED.findall(filter_):
        if not schema.knows(name):
            yield Fault(key=key, problem=f"the {key} filter asks for {_unknown(name, schema)}")
            return


def _is_there(attribute: str, schema: Schema) -> bool:
    return schema.knows(attribute) or attribute.lower() in OF_EVERY_ENTRY | IDENTITIES


def _unknown(attribute: str, schema: Schema) -> str:
    meant = did_you_mean(attribute, schema.names.values())
    return f'"{attribute}", which the server\'s schema does not know.{meant}'.removesuffix(".")
