"""Where a directory stood at one moment, as a line of text that the mirror keeps, and as a record."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from wxsync.config.settings import LdapSourceSettings

FORM: Final = "wxsync-mark-1"
PART: Final = re.compile(r"[\x21-\x7e]+")
LONGEST: Final = 4096
"""Characters; a directory of a hundred providers is within."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One moment of one directory, as one account saw it. It holds nobody's data."""

    kind: str
    """By what it stands: "csn" or "usn"."""
    place: str
    """A digest of which directory it is, see `wxsync.sources.ldap_proof.Testimony`."""
    scope: str
    """A digest of who asked and for what."""
    position: tuple[str, ...]

    def text(self) -> str:
        """The line that `parse_mark` reads."""
        return " ".join((FORM, self.kind, self.place, self.scope, *self.position))


def parse_mark(text: str) -> Mark | None:
    """The mark; None where the text is none, or one of another version of wxsync."""
    parts = text.split(" ")
    if len(text) > LONGEST or len(parts) < 5 or parts[0] != FORM or not all(map(PART.fullmatch, parts)):
        return None
    return Mark(kind=parts[1], place=parts[2], scope=parts[3], position=tuple(parts[4:]))


def scope_of(settings: LdapSourceSettings, identity: str | None) -> str:
    """A digest of what the config asks for, and as whom the server lets it be read.

    Another filter or account gives other people, although nothing has changed in the directory.
    """
    asked = (
        settings.base_dn,
        settings.departments,
        settings.members,
        settings.department_attribute,
        settings.memberships,
        settings.groups,
        settings.group_name,
        sorted(settings.names.items()),
        identity,
    )
    return hashlib.sha256(repr(asked).encode("utf-8", "surrogateescape")).hexdigest()
