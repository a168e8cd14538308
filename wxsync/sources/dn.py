"""Distinguished names (RFC 4514): read in every spelling that servers and people use, compared in one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

ALIASES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "2.5.4.3": "cn",
        "commonname": "cn",
        "2.5.4.4": "sn",
        "surname": "sn",
        "2.5.4.6": "c",
        "countryname": "c",
        "2.5.4.7": "l",
        "localityname": "l",
        "2.5.4.8": "st",
        "stateorprovincename": "st",
        "2.5.4.9": "street",
        "streetaddress": "street",
        "2.5.4.10": "o",
        "organizationname": "o",
        "2.5.4.11": "ou",
        "organizationalunitname": "ou",
        "0.9.2342.19200300.100.1.1": "uid",
        "userid": "uid",
        "0.9.2342.19200300.100.1.3": "mail",
        "rfc822mailbox": "mail",
        "0.9.2342.19200300.100.1.25": "dc",
        "domaincomponent": "dc",
    }
)
"""What else the attribute types of RFC 4514 §3 are called."""

SPEAKING: Final = ("ou", "cn")
"""What names are made of, where an entry is named by several attributes."""

TYPE: Final = re.compile(r"[a-z][a-z0-9-]*|[0-9]+(?:\.[0-9]+)+")
PLAIN: Final = re.compile(r'[^\\"#+;<>]*')
"""Nothing that is escaped, quoted or joined: it can be cut at its commas."""

SEPARATOR: Final = re.compile(r'\\.|"(?:[^"\\]|\\.)*"|(?P<here>[,;])', re.DOTALL)
JOINT: Final = re.compile(r'\\.|"(?:[^"\\]|\\.)*"|(?P<here>\+)', re.DOTALL)
TOKEN: Final = re.compile(
    r'\\(?P<byte>[0-9A-Fa-f]{2})|\\(?P<itself>.)|(?P<fault>["\\])|(?P<plain>.)', re.DOTALL
)
SPECIAL: Final = re.compile('[\\x00-\\x1f"#+,;<=>\\\\\\x7f\\udc80-\\udcff]')
"""What a key writes as hexadecimal bytes, so that a comma in it always parts two RDNs."""

TEXT_TAGS: Final = frozenset({0x04, 0x0C, 0x13, 0x14, 0x16, 0x1A})
"""BER tags of strings whose bytes can be read as UTF-8."""


class DnError(ValueError):
    """A text that is no distinguished name; the message does not show it."""

    def __init__(self) -> None:
        super().__init__("the value is not a distinguished name")


class Dn(str):
    """A distinguished name as the server spells it, equal to every other spelling of the same name.

    Attribute types and values compare without case, spaces around them do not count and those within
    count as one, escapes and quotes mean what they stand for, and the order within a multi-valued RDN
    is nothing (RFC 4514, RFC 4518, LDAPv2's quotes and semicolons too). `==` with a text compares the
    same way. Raises DnError where the text is no name. Attributes whose values differ by case alone
    are not told apart: no server names entries by them.
    """

    __slots__ = ("key",)

    key: str
    """The one form that all spellings share. It has no comma but those between RDNs."""

    def __new__(cls, text: str) -> Dn:
        name = super().__new__(cls, text)
        name.key = _key(text)
        return name

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Dn):
            return self.key == other.key
        if not isinstance(other, str):
            return NotImplemented
        try:
            return self.key == _key(other)
        except DnError:
            return False

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.key)

    @property
    def parent(self) -> Dn:
        """The name of the entry above, as it is spelled here; that of the root is empty."""
        return Dn(_cut(self)[1])

    @property
    def rdn(self) -> str:
        """The value that names the entry among its siblings, unescaped.

        Of several that of `ou` or `cn`, else the first: a server may give them in any order.
        """
        cut = (each.partition("=") for each in _parts(_cut(self)[0], JOINT) if each.strip())
        parts = [(_type(kind), value) for kind, _, value in cut]
        speaking = [value for wanted in SPEAKING for kind, value in parts if kind == wanted]
        named = [*speaking, *(value for _, value in parts)]
        return _shown(_value(named[0])) if named else ""

    def is_below(self, base: Dn) -> bool:
        """Whether it is `base` or somewhere below it."""
        return not base.key or self.key == base.key or self.key.endswith(f",{base.key}")


def _key(text: str) -> str:
    if not text.strip():
        return ""
    is_plain = PLAIN.fullmatch(text) is not None
    rdns = text.split(",") if is_plain else _parts(text, SEPARATOR)
    return ",".join(_plain_rdn(rdn) if is_plain else _rdn(rdn) for rdn in rdns)


def _cut(text: str) -> tuple[str, str]:
    """The first RDN and the rest, as they are spelled."""
    at = next((found.start() for found in SEPARATOR.finditer(text) if found["here"]), len(text))
    return text[:at], text[at + 1 :].strip()


def _parts(text: str, separator: re.Pattern[str]) -> Iterator[str]:
    start = 0
    for found in separator.finditer(text):
        if found["here"]:
            yield text[start : found.start()]
            start = found.end()
    yield text[start:]


def _plain_rdn(rdn: str) -> str:
    kind, equals, value = rdn.partition("=")
    if not equals:
        raise DnError
    return f"{_type(kind)}={_escaped(_folded(value))}"


def _rdn(rdn: str) -> str:
    return "+".join(sorted(_assertion(part) for part in _parts(rdn, JOINT)))


def _assertion(part: str) -> str:
    kind, equals, value = part.partition("=")
    if not equals:
        raise DnError
    return f"{_type(kind)}={_escaped(_folded(_value(value)))}"


def _type(text: str) -> str:
    name = text.strip().lower().removeprefix("oid.")
    if not TYPE.fullmatch(name):
        raise DnError
    return ALIASES.get(name, name)


def _value(text: str) -> str:
    """The value that is meant; bytes that are no UTF-8 as lone surrogates."""
    text = text.lstrip(" ")
    if text.startswith("#"):
        return _from_ber(text.rstrip())
    if text.startswith('"'):
        text = text.rstrip(" ")
        if len(text) < 2 or not text.endswith('"'):
            raise DnError
        return _unescaped(list(TOKEN.finditer(text[1:-1])))
    tokens = list(TOKEN.finditer(text))
    while tokens and tokens[-1]["plain"] == " ":
        del tokens[-1]
    return _unescaped(tokens)


def _unescaped(tokens: Sequence[re.Match[str]]) -> str:
    value = bytearray()
    for token in tokens:
        if token["fault"]:
            raise DnError
        if token["byte"]:
            value.append(int(token["byte"], 16))
        else:
            value += (token["itself"] or token["plain"]).encode("utf-8", "surrogatepass")
    return value.decode("utf-8", "surrogateescape")


def _from_ber(text: str) -> str:
    """What `#` and hexadecimal BER stand for; the same text where it is no string (RFC 4514 §2.4)."""
    try:
        data = bytes.fromhex(text[1:])
    except ValueError:
        raise DnError from None
    short = 0x80  # longer strings have a length of several bytes, and name no entry
    if len(data) >= 2 and data[0] in TEXT_TAGS and data[1] < short and len(data) == data[1] + 2:
        return data[2:].decode("utf-8", "surrogateescape")
    return text


def _folded(value: str) -> str:
    """The value prepared for comparison (RFC 4518): case, form and spaces do not count."""
    if value.isascii() and value.isprintable():
        return " ".join(value.lower().split())
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", value).casefold())
    kept = "".join(" " if each.isspace() else each for each in folded if each.isspace() or _counts(each))
    return " ".join(kept.split())


def _counts(character: str) -> bool:
    return unicodedata.category(character) not in ("Cc", "Cf")


def _escaped(value: str) -> str:
    return SPECIAL.sub(_hexadecimal, value)


def _hexadecimal(found: re.Match[str]) -> str:
    return "".join(f"\\{byte:02x}" for byte in found[0].encode("utf-8", "surrogateescape"))


def _shown(value: str) -> str:
    """The value as text that can be written anywhere."""
    return re.sub("[\udc80-\udcff]", _hexadecimal, value)
