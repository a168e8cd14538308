"""What a directory's own schema says of its attributes: which there are, and what their values are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from types import MappingProxyType
from typing import Final

from wxsync.config.attributes import PHOTOS, base_of


class Kind(Enum):
    """What the values of an attribute become."""

    TEXT = auto()
    DN = auto()
    BOOLEAN = auto()
    INTEGER = auto()
    TIME = auto()
    UTC_TIME = auto()
    FILETIME = auto()
    GUID = auto()
    SID = auto()
    BINARY = auto()


NAMED: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        **dict.fromkeys(
            (
                "accountexpires",
                "badpasswordtime",
                "lastlogoff",
                "lastlogon",
                "lastlogontimestamp",
                "lockouttime",
                "msds-userpasswordexpirytimecomputed",
                "pwdlastset",
            ),
            Kind.FILETIME,
        ),
        **dict.fromkeys(("objectguid", "parentguid", "ms-ds-consistencyguid"), Kind.GUID),
        **dict.fromkeys(("objectsid", "sidhistory", "tokengroups"), Kind.SID),
    }
)
"""Attributes of Active Directory whose syntax says less than their name ([MS-ADTS] 3.1.1.2.2)."""

SYNTAXES: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        **{
            f"1.3.6.1.4.1.1466.115.121.1.{number}": kind
            for number, kind in {
                4: Kind.BINARY,
                5: Kind.BINARY,
                7: Kind.BOOLEAN,
                8: Kind.BINARY,
                9: Kind.BINARY,
                10: Kind.BINARY,
                12: Kind.DN,
                23: Kind.BINARY,
                24: Kind.TIME,
                27: Kind.INTEGER,
                28: Kind.BINARY,
                34: Kind.DN,
                40: Kind.BINARY,
                53: Kind.UTC_TIME,
            }.items()
        },
        "1.2.840.113556.1.4.906": Kind.INTEGER,
        "1.2.840.113556.1.4.907": Kind.BINARY,
    }
)
"""RFC 4517 §3.3 and [MS-ADTS] 3.1.1.2.2.2; whatever is not here is text."""

DESCRIPTION: Final = re.compile(r"\bDESC\s+'[^']*'")
NAMES: Final = re.compile(r"\bNAME\s+(?:'([^']+)'|\(([^)]*)\))")
SYNTAX: Final = re.compile(r"\bSYNTAX\s+'?([0-9.]+)")
MUST: Final = re.compile(r"\bMUST\s+(?:\(([^)]*)\)|([^\s()]+))")
SUPERIOR: Final = re.compile(r"\bSUP\s+([^\s)]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """The attributes that a directory knows, by every name that they have."""

    names: Mapping[str, str]
    """A name in lower case -> as the schema spells it."""
    kinds: Mapping[str, Kind]
    musts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """An object class -> the attributes that its entries must have by itself, all in lower case."""

    @classmethod
    def of(cls, definitions: Iterable[str], classes: Iterable[str] = ()) -> Schema:
        """That of the values of `attributeTypes` (RFC 4512 §4.1.2) and of `objectClasses` (§4.1.1).

        Active Directory quotes its syntaxes.
        """
        names: dict[str, str] = {}
        syntaxes: dict[str, str] = {}
        superiors: dict[str, str] = {}
        for definition in definitions:
            bare = DESCRIPTION.sub("", definition)
            found = NAMES.search(bare)
            if found is None:
                continue
            syntax, superior = SYNTAX.search(bare), SUPERIOR.search(bare)
            for name in _names(found):
                names[name.lower()] = name
                if syntax is not None:
                    syntaxes[name.lower()] = syntax[1].rstrip(".")
                if superior is not None:
                    superiors[name.lower()] = superior[1].lower()
        return cls(
            names=names,
            kinds={name: _kind(name, syntaxes, superiors) for name in names},
            musts=dict(_musts(classes)),
        )

    def knows(self, attribute: str) -> bool:
        """Whether there is such an attribute; case and options such as `;binary` do not count."""
        return base_of(attribute) in self.names

    def wants(self, classes: Iterable[str], attributes: Iterable[str]) -> bool:
        """Whether an entry of these classes must have one of the attributes.

        A server gives an entry's classes with all that they are derived from (RFC 4512 §3.3).
        """
        musts = frozenset[str]().union(*(self.musts.get(each.lower(), ()) for each in classes))
        return not musts.isdisjoint(each.lower() for each in attributes)

    def kind(self, attribute: str) -> Kind:
        """What the attribute's values become."""
        name, _, options = attribute.lower().partition(";")
        if "binary" in options.split(";"):
            return Kind.BINARY
        return self.kinds.get(name, Kind.TEXT)


def is_photo(attribute: str) -> bool:
    """Whether the attribute holds pictures or sounds."""
    return base_of(attribute) in PHOTOS


def _musts(classes: Iterable[str]) -> Iterator[tuple[str, frozenset[str]]]:
    for definition in classes:
        bare = DESCRIPTION.sub("", definition)
        found, musts = NAMES.search(bare), MUST.search(bare)
        if found is not None and musts is not None:
            listed = frozenset((musts[1] or musts[2]).replace("$", " ").lower().split())
            for name in _names(found):
                yield name.lower(), listed


def _names(found: re.Match[str]) -> list[str]:
    """Every name of a definition."""
    return [found[1]] if found[1] else re.findall(r"'([^']+)'", found[2])


def _kind(name: str, syntaxes: Mapping[str, str], superiors: Mapping[str, str]) -> Kind:
    """By its name, else by its own syntax, else by that of the type which it is derived from."""
    if name in NAMED:
        return NAMED[name]
    seen: set[str] = set()
    at: str | None = name
    while at is not None and at not in seen:
        if at in syntaxes:
            return SYNTAXES.get(syntaxes[at], Kind.TEXT)
        seen.add(at)
        at = superiors.get(at)
    return Kind.TEXT
