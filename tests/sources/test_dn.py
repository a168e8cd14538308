"""Distinguished names: one name in many spellings, and what is none."""

from __future__ import annotations

import copy
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wxsync.sources.dn import Dn, DnError
from wxsync.sources.normal import Breach, key_of

LIN = Dn("CN=Lin\\, Mei,OU=研发,DC=example,DC=com")

SPELLINGS = [
    "cn=lin\\, mei,ou=研发,dc=EXAMPLE,dc=COM",
    'CN="Lin, Mei",OU=研发,DC=example,DC=com',
    "CN=Lin\\2C Mei,OU=研发,DC=example,DC=com",
    "CN=Lin\\2c\\20Mei,OU=\\E7\\A0\\94\\E5\\8F\\91,DC=example,DC=com",
    "CN = Lin\\,  Mei , OU = 研发 , DC = example , DC = com",
    "CN=Lin\\, Mei;OU=研发;DC=example;DC=com",
    "2.5.4.3=Lin\\, Mei,2.5.4.11=研发,0.9.2342.19200300.100.1.25=example,DC=com",
    "OID.2.5.4.3=Lin\\, Mei,OU=研发,DC=example,DC=com",
    "commonName=Lin\\, Mei,organizationalUnitName=研发,domainComponent=example,DC=com",
    "CN=#0c084c696e2c204d6569,OU=#0406e7a094e58f91,DC=example,DC=com",
    "CN=\\ Lin\\, Mei\\ ,OU=研发,DC=example,DC=com",
    "CN=Ｌｉｎ\\, Mei,OU=研\u200b发,DC=example,DC=com",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_is_the_same_name(spelling: str) -> None:
    """Case, spaces, escapes, quotes, LDAPv2's forms, OIDs and hexadecimal BER do not make another name."""
    assert Dn(spelling) == LIN
    assert Dn(spelling).key == LIN.key == "cn=lin\\2c mei,ou=研发,dc=example,dc=com"
    assert hash(Dn(spelling)) == hash(LIN)
    assert spelling == LIN
    assert (spelling != LIN) is False
    assert spelling in (LIN, Dn("dc=com"))


@pytest.mark.parametrize(
    "other",
    [
        "CN=Lin Mei,OU=研发,DC=example,DC=com",
        "CN=Lin,CN=Mei,OU=研发,DC=example,DC=com",
        "OU=Lin\\, Mei,OU=研发,DC=example,DC=com",
        "CN=Lin\\, Mei,OU=研发,DC=example",
        "CN=Lin\\, Mei+UID=x,OU=研发,DC=example,DC=com",
        "Lin Mei",
        "",
    ],
)
def test_another_name_is_another_name(other: str) -> None:
    """Whatever differs in more than its spelling is not equal, and a text that is no name is none."""
    assert other != LIN
    assert other not in (LIN, Dn("dc=com"))


def test_parts_of_an_rdn_have_no_order() -> None:
    """A multi-valued RDN is a set; an escaped plus sign is none."""
    assert Dn("cn=a+uid=b,dc=x") == Dn("UID = B + CN = A,dc=x")
    assert Dn("cn=a\\+uid=b,dc=x") != Dn("cn=a+uid=b,dc=x")
    assert Dn("cn=a+uid=b,dc=x").rdn == "a"
    assert Dn("cn=a\\+b,dc=x").rdn == "a+b"


@pytest.mark.parametrize(
    ("text", "rdn"),
    [
        ("l=sz+OU=p,dc=x", "p"),
        ("ou=p+l=sz,dc=x", "p"),
        ("uid=a+2.5.4.3=b,dc=x", "b"),
        ("cn=b+ou=p,dc=x", "p"),
        ("l=sz+o=a,dc=x", "sz"),
        ("ou=one+ou=two,dc=x", "one"),
    ],
)
def test_a_name_of_several_parts_is_told_by_the_one_that_speaks(text: str, rdn: str) -> None:
    """In whatever order a server puts them: a department is not called by the town that it is in."""
    assert Dn(text).rdn == rdn


@pytest.mark.parametrize(
    ("text", "parent", "rdn"),
    [
        ("CN=Lin\\, Mei,OU=研发,DC=com", "OU=研发,DC=com", "Lin, Mei"),
        ('CN="a;b,c" ; OU=x', "OU=x", "a;b,c"),
        ("OU=\\#1 \\\\ Team\\ ,DC=com", "DC=com", "#1 \\ Team "),
        ("OU = x  , DC=com", "DC=com", "x"),
        ("DC=com", "", "com"),
        ("", "", ""),
        ("cn=\\FFx,dc=com", "dc=com", "\\ffx"),
    ],
)
def test_parent_and_own_name(text: str, parent: str, rdn: str) -> None:
    """The entry above as it is spelled, and the value that names the entry, without its escapes."""
    assert str(Dn(text).parent) == parent
    assert Dn(text).rdn == rdn


def test_below() -> None:
    """An entry is below itself and below whatever is above it; a comma in a value is no level."""
    base = Dn("ou=company,dc=com")
    assert Dn("OU=Company, DC=com").is_below(base)
    assert Dn("cn=a,OU=Sales,OU=Company,DC=com").is_below(base)
    assert Dn("cn=a,dc=com").is_below(Dn(""))
    assert not Dn("dc=com").is_below(base)
    assert not Dn("cn=a\\,ou=company,dc=com").is_below(base)


@pytest.mark.parametrize(
    "text",
    ["abc", "cn", "=x", "cn=a,,dc=b", "cn=a\\", 'cn="a', 'cn=a"b', "cn=#zz", "cn=a,", "1=a", "<GUID=1>"],
)
def test_what_is_no_name(text: str) -> None:
    """A text that cannot be read as a name is refused, and the message does not show it."""
    with pytest.raises(DnError) as caught:
        Dn(text)
    assert text not in str(caught.value)


def test_a_name_keeps_its_spelling() -> None:
    """It is the text that the server sent, for whoever looks at it as text, and after a copy too."""
    assert str(LIN) == "CN=Lin\\, Mei,OU=研发,DC=example,DC=com"
    assert LIN.lower().startswith("cn=lin")
    assert copy.deepcopy(LIN).key == LIN.key


def test_a_name_as_a_key() -> None:
    """It compares in its normal form, and may be longer than a key that the mirror holds."""
    long = Dn("ou=" + "长" * 300 + ",dc=com")
    assert key_of(LIN, "parent") == LIN.key
    assert key_of(long, "parent") == long.key
    assert key_of(Dn(""), "parent") is None
    with pytest.raises(Breach, match="longer than 255"):
        key_of(key_of(long, "key"), "key")


def test_a_long_name_takes_no_time() -> None:
    """A value of a megabyte is read in well under a second, escaped or not, name or not."""
    started = time.monotonic()
    for text in ("cn=" + "\\2c" * 300_000, "cn=" + "a," * 500_000, "cn=" + '"' * 1_000_001, "\\" * 1_000_001):
        try:
            Dn(text)
        except DnError:
            continue
    assert time.monotonic() - started < 10


VALUES = st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=12).filter(
    lambda text: text.strip() != ""
)
TYPES = st.sampled_from(["cn", "ou", "uid", "dc", "l"])
RDNS = st.lists(st.tuples(TYPES, VALUES), min_size=1, max_size=5)


def escaped(value: str, how: int) -> str:
    """A value written by one of the ways of RFC 4514 and RFC 2253."""
    if how == 0:
        return "".join(f"\\{byte:02X}" for byte in value.encode())
    if how == 1:
        return "".join(f"\\{each}" if each in ' "#+,;<=>\\' else each for each in value)
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


@given(
    rdns=RDNS, ways=st.lists(st.integers(0, 2), min_size=10, max_size=10), space=st.sampled_from(["", " "])
)
def test_all_ways_to_write_a_name_meet(rdns: list[tuple[str, str]], ways: list[int], space: str) -> None:
    """However each value is escaped and whatever spaces stand around, it is one name."""
    one = ",".join(f"{kind}={escaped(value, 0)}" for kind, value in rdns)
    other = f"{space},{space}".join(
        f"{kind.upper()}{space}={space}{escaped(value, way)}"
        for (kind, value), way in zip(rdns, ways, strict=False)
    )
    assert Dn(one) == Dn(other)


@given(rdns=RDNS)
def test_the_normal_form_is_a_name_of_its_own(rdns: list[tuple[str, str]]) -> None:
    """The key of a name reads as that name, has a comma for each level but one, and is in NFKC."""
    name = Dn(",".join(f"{kind}={escaped(value, 1)}" for kind, value in rdns))
    assert Dn(name.key).key == name.key
    assert name.key.count(",") == len(rdns) - 1
    assert unicodedata.is_normalized("NFKC", name.key)
    assert key_of(name.key, "parent") == name.key


@given(rdns=RDNS, base=RDNS)
def test_the_way_up(rdns: list[tuple[str, str]], base: list[tuple[str, str]]) -> None:
    """Going up as many levels as were put below a base comes to the base, however it is spelled."""
    above = ",".join(f"{kind}={escaped(value, 0)}" for kind, value in base)
    name = Dn(",".join([*(f"{kind}={escaped(value, 1)}" for kind, value in rdns), above.upper()]))
    assert name.is_below(Dn(above))
    for _ in rdns:
        name = name.parent
    assert name == above


@given(st.text(max_size=40))
def test_no_text_breaks_it(text: str) -> None:
    """Any text is a name or a DnError."""
    try:
        name = Dn(text)
    except DnError:
        return
    assert name == text
    assert isinstance(name.rdn, str)
    assert name.parent.key == name.key.partition(",")[2]
