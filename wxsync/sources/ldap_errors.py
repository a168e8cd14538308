"""What a directory server or its line says, retold without secrets and values, with what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from wxsync.errors import SourceError, SourceUnavailableError
from wxsync.sources.ldap_wire import BREAKS, Result

SUCCESS: Final = 0
TIME_LIMIT: Final = 3
SIZE_LIMIT: Final = 4
STRONGER_AUTH: Final = (8, 13)
REFERRAL: Final = 10
ADMIN_LIMIT: Final = 11
NO_PAGING: Final = 12
NO_SUCH_OBJECT: Final = 32
BAD_DN: Final = 34
BAD_CREDENTIALS: Final = (48, 49)
NO_ACCESS: Final = 50
PASSING: Final = frozenset({1, 51, 52, 53, 80})
"""Result codes of a server that is busy, stopping or confused (RFC 4511, appendix A)."""
LONGEST: Final = 300
WHERE: Final = re.compile(r"\s*\(_ssl\.c:\d+\)")

HINTS: Final[Mapping[int, str]] = MappingProxyType(
    {
        TIME_LIMIT: "let the account of bind_dn search longer, or index the attributes of the filter",
        SIZE_LIMIT: "lift the account's size limit for paged searches (OpenLDAP: size.prtotal=unlimited)",
        ADMIN_LIMIT: "lift the account's limits (OpenLDAP: size.unchecked, size.pr), or lower page_size",
        NO_PAGING: "the server gives no pages (RFC 2696); wxsync cannot prove that it reads all of it",
        NO_ACCESS: "give the account of bind_dn the right to read",
    }
)

ACTIVE_DIRECTORY: Final = re.compile(r"\bdata ([0-9a-f]{1,8}),")
REASONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "525": "there is no such account",
        "52e": "the password is wrong, or there is no such account",
        "530": "the account may not log on at this time",
        "531": "the account may not log on from this machine",
        "532": "the account's password has expired",
        "533": "the account is disabled",
        "701": "the account has expired",
        "773": "the account must change its password first",
        "775": "the account is locked",
    }
)
"""What Active Directory hides behind result 49 ([MS-ERREF] 2.2)."""


def told(result: Result) -> str:
    """A result in one line: its name and number, and what Active Directory means by it."""
    found = ACTIVE_DIRECTORY.search(result.message)
    reason = REASONS.get(found[1]) if found else None
    return f"{result.name} ({result.code})" + (f": {reason}" if reason else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Retold:
    """Turns what goes wrong on the line to one source into our errors."""

    source: str

    @contextmanager
    def reading(self, what: str) -> Iterator[None]:
        """A line that breaks here is a source that broke off; it is never taken up again."""
        try:
            yield
        except BREAKS as error:
            raise SourceUnavailableError(
                self.source,
                f"{what} broke off: {in_words(error)}",
                hint="nothing was concluded from what came before; run again when the server is back",
            ) from None

    def refused(self, what: str, result: Result) -> SourceError:
        """An operation that ended with another result than success, and gave nothing."""
        hint = HINTS.get(result.code, f"correct [source.{self.source}]; `wxsync check` tries it")
        kind = SourceUnavailableError if result.code in PASSING else SourceError
        return kind(self.source, f"{what} failed: {told(result)}", hint=hint)


def in_words(error: BaseException) -> str:
    """One line of what the library says, without the brackets and quotes of its errors within errors."""
    text = WHERE.sub("", " ".join(str(error).split()))
    return text.replace("\\", "").strip("()'\", ")[:LONGEST] or type(error).__name__
