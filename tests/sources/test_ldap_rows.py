"""Rows of a directory: which names they have, what those give, and what is asked of the server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from wxsync.config.expressions import Expression, ExpressionFailed, UnreadableValue
from wxsync.sources.base import Row
from wxsync.sources.dn import Dn
from wxsync.sources.ldap_entry import Entry
from wxsync.sources.ldap_filters import all_of, any_of, equals
from wxsync.sources.ldap_ranges import TornRangeError, whole
from wxsync.sources.ldap_rows import Shape
from wxsync.sources.ldap_schema import Schema
from wxsync.sources.normal import Breach
from wxsync.sources.sheet import read_key

TEXT, NAME, NUMBER = (f"1.3.6.1.4.1.1466.115.121.1.{number}" for number in (15, 12, 27))
OPENLDAP = {
    "cn": TEXT,
    "mail": TEXT,
    "manager": NAME,
    "entryUUID": TEXT,
    "jpegPhoto": TEXT,
    "description": TEXT,
}
OPENLDAP |= {"pwdAccountLockedTime": "1.3.6.1.4.1.1466.115.121.1.24", "col-2": TEXT, "departmentNumber": TEXT}
ACTIVE = {"cn": TEXT, "objectGUID": "1.3.6.1.4.1.1466.115.121.1.40", "userAccountControl": NUMBER}
ACTIVE |= dict.fromkeys(("accountExpires", "lockoutTime"), "1.2.840.113556.1.4.906")
ACTIVE |= {"msDS-User-Account-Control-Computed": NUMBER}
NOW = datetime(2026, 3, 10, 4, 0, tzinfo=UTC)
BASE = Dn("OU=Company,DC=example,DC=com")
LIN = "CN=Lin\\, Mei,OU=研发,OU=Company,DC=example,DC=com"


def shape(attributes: dict[str, str], *, base_is_department: bool = False) -> Shape:
    definitions = (f"( 1.2 NAME '{name}' SYNTAX {syntax} )" for name, syntax in attributes.items())
    return Shape(schema=Schema.of(definitions), base=BASE, base_is_department=base_is_department, now=NOW)


def row(schema: dict[str, str], names: Sequence[str], **attributes: bytes | list[bytes]) -> Row:
    """A row of one entry with these raw values; `_` in a name stands for `-`."""
    values = {
        name.replace("_", "-").lower(): tuple(given) if isinstance(given, list) else (given,)
        for name, given in attributes.items()
    }
    return shape(schema).layout(names).row(Entry(LIN, values))


def evaluate(text: str, of: Row) -> object:
    return Expression(text).evaluate(of)


def test_names_and_what_is_asked() -> None:
    """A mapping's names are columns as it spells them, where the directory has them; photos never are."""
    layout = shape(OPENLDAP).layout(
        ["CN", "Mail", "dn", "disabled", "jpegPhoto", "jpegphoto;binary", "nonsense", "objectGUID", "col-2"]
    )
    assert set(layout.columns) == {"CN", "Mail", "dn", "disabled", "objectGUID", "col-2"}
    assert set(layout.attributes) == {"CN", "Mail", "col-2", "pwdAccountLockedTime"}


def test_nothing_mapped_asks_for_nothing() -> None:
    """A mapping of names alone that come with every entry asks for no attribute."""
    assert shape(OPENLDAP).layout(["dn", "parent_dn", "rdn"]).attributes == ()


def test_first_and_all_values() -> None:
    """A bare word is the first value, null where there is none; `all` gives every one."""
    lin = row(OPENLDAP, ["cn", "mail", "MAIL", "col-2"], mail=[b"a@x.com", b"b@x.com"], col_2=b"2")
    assert evaluate("mail", lin) == "a@x.com"
    assert evaluate("MAIL", lin) == "a@x.com"
    assert evaluate("all('mail')", lin) == ["a@x.com", "b@x.com"]
    assert evaluate("col('col-2') ~ '!'", lin) == "2!"
    assert evaluate("cn", lin) is None
    assert evaluate("all('cn')", lin) == []
    with pytest.raises(ExpressionFailed, match='no "uid"'):
        evaluate("uid", lin)


def test_names_that_the_config_gives() -> None:
    """In any case, for one value and for all; what they hide is gone, what they are made of is asked for."""
    names = {"emp_no": "employeeNumber", "cn": "mail", "is_off": "disabled", "id": "objectGUID"}
    called = replace(shape({**OPENLDAP, "employeeNumber": TEXT}), names=names)
    layout = called.layout(["EMP_NO", "emp_no", "CN", "is_off", "id", "employeeNumber"])
    assert set(layout.columns) == {"EMP_NO", "emp_no", "CN", "is_off", "id", "employeeNumber"}
    assert set(layout.attributes) == {"employeeNumber", "mail", "pwdAccountLockedTime"}
    values = {"employeenumber": (b"7", b"8"), "mail": (b"a@x.com",), "cn": (b"Lin",)}
    lin = layout.row(Entry(LIN, {**values, "pwdaccountlockedtime": (b"000001010000Z",)}))
    assert evaluate("emp_no ~ '/' ~ EMP_NO ~ '/' ~ employeeNumber", lin) == "7/7/7"
    assert evaluate("all('emp_no')", lin) == ["7", "8"]
    assert (evaluate("CN", lin), evaluate("is_off", lin), evaluate("id", lin)) == ("a@x.com", True, None)
    assert {"emp_no", "employeeNumber", "parent_dn"} <= set(called.vocabulary)


def test_own_names() -> None:
    """dn, parent_dn and rdn come from the entry's own name, whatever escapes it has."""
    lin = row(OPENLDAP, ["dn", "parent_dn", "rdn"])
    assert evaluate("dn == 'cn=\"Lin, Mei\",ou=研发,ou=company,dc=example,dc=com'", lin) is True
    assert evaluate("parent_dn", lin) == "OU=研发,OU=Company,DC=example,DC=com"
    assert evaluate("rdn", lin) == "Lin, Mei"
    assert evaluate("dn | lower", lin) == LIN.lower()


@pytest.mark.parametrize(
    ("dn", "base_is_department", "parent"),
    [
        ("OU=A,OU=Company,DC=example,DC=com", False, None),
        ("OU=A,ou=company , dc=Example,DC=com", False, None),
        ("OU=A,OU=Company,DC=example,DC=com", True, "ou=company,dc=example,dc=com"),
        ("OU=B,OU=A,OU=Company,DC=example,DC=com", False, "ou=a,ou=company,dc=example,dc=com"),
        ("OU=Company,DC=example,DC=com", True, None),
    ],
)
def test_parent_at_the_base(dn: str, base_is_department: bool, parent: str | None) -> None:
    """What is directly in the base has none above it, unless the base is a department; the base has none."""
    layout = shape(OPENLDAP, base_is_department=base_is_department).layout(["parent_dn"])
    assert layout.row(Entry(dn, {}))["parent_dn"] == parent


def test_names_of_others_compare_as_names() -> None:
    """A manager, or a group in memberOf, is found by any spelling of its DN."""
    lin = row(OPENLDAP, ["manager"], manager=[b"cn=Wu, ou=Company,dc=example,dc=com", b"cn=Li,dc=com"])
    assert evaluate("manager == 'CN=wu,OU=company,DC=example,DC=com'", lin) is True
    assert evaluate("'CN=LI, DC=com' in all('manager')", lin) is True
    assert evaluate("'CN=LI,DC=org' in all('manager')", lin) is False


@pytest.mark.parametrize(
    ("attributes", "disabled", "expired", "locked"),
    [
        ({"userAccountControl": b"512", "accountExpires": b"0"}, False, False, False),
        ({"userAccountControl": b"514", "accountExpires": b"9223372036854775807"}, True, False, False),
        ({"userAccountControl": b"66050", "accountExpires": b"134142930150000000"}, True, True, False),
        ({"userAccountControl": b"512", "accountExpires": b"140000000000000000"}, False, False, False),
        ({"userAccountControl": b"512", "lockoutTime": b"134142930150000000"}, False, None, True),
        ({"userAccountControl": b"512", "lockoutTime": b"0"}, False, None, False),
        (
            {"lockoutTime": b"134142930150000000", "msDS_User_Account_Control_Computed": b"8388608"},
            None,
            None,
            False,
        ),
        ({"msDS_User_Account_Control_Computed": b"8388624"}, None, None, True),
    ],
)
def test_accounts_of_active_directory(
    attributes: dict[str, bytes], disabled: bool | None, expired: bool | None, locked: bool
) -> None:
    """Disabled by a bit, expired by the clock; null where the server does not show it, which is not "no"."""
    of = row(ACTIVE, ["disabled", "expired", "locked"], **attributes)
    assert (of["disabled"], of["expired"], of["locked"]) == (disabled, expired, locked)


@pytest.mark.parametrize(
    ("locked_time", "disabled", "locked"),
    [(None, False, False), (b"000001010000Z", True, True), (b"20260310035900Z", False, True)],
)
def test_accounts_of_openldap(locked_time: bytes | None, disabled: bool, locked: bool) -> None:
    """Locked for ever is disabled; locked for a while, as anybody can do to anybody, is only locked."""
    attributes = {} if locked_time is None else {"pwdAccountLockedTime": locked_time}
    of = row(OPENLDAP, ["disabled", "expired", "locked"], **attributes)
    assert (of["disabled"], of["expired"], of["locked"]) == (disabled, False, locked)


def test_expiry_is_a_moment() -> None:
    """An account has expired from the very moment on, and not a microsecond before."""
    ticks = (NOW - datetime(1601, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 10
    at = row(ACTIVE, ["expired"], accountExpires=str(ticks).encode())
    later = row(ACTIVE, ["expired"], accountExpires=str(ticks + 10).encode())
    assert (at["expired"], later["expired"]) == (True, False)


@pytest.mark.parametrize("value", [b"\xb2\xce\xbf\xbc", b"a\0b"])
def test_a_value_that_cannot_be_read_fails_its_expressions_alone(value: bytes) -> None:
    """Bare, filtered or listed: whoever reads it fails, by name and without the value; others go on."""
    lin = row(OPENLDAP, ["cn", "mail", "description"], cn=value, mail=[b"a@x.com", value])
    for text in ("cn", "cn | default('x')", "cn | lower", "all('cn')", "cn is none", "all('mail')", "mail"):
        with pytest.raises(ExpressionFailed, match=r"^(cn|mail): a value (holds a NUL|is not UTF-8)"):
            evaluate(text, lin)
    assert evaluate("description", lin) is None


def test_a_key_that_cannot_be_read_may_be_anybody() -> None:
    """Bad bytes in a key are a row without key, not a failure of the run and not a null."""
    lin = row(OPENLDAP, ["cn"], cn=b"\xff")
    with pytest.raises(Breach, match="is not UTF-8"):
        read_key(Expression("cn"), lin)


def test_a_name_that_is_too_long_for_a_key() -> None:
    """A DN may point to an entry however long it is; as a key it is as long as the mirror can hold."""
    layout = shape(OPENLDAP).layout(["dn"])
    assert read_key(Expression("dn"), layout.row(Entry(f"cn={'a' * 200},dc=com", {}))).endswith("a,dc=com")
    with pytest.raises(Breach, match="longer than 255"):
        read_key(Expression("dn"), layout.row(Entry(f"cn={'a' * 300},dc=com", {})))


@pytest.mark.parametrize(
    ("schema", "attributes"),
    [
        (OPENLDAP, {"entryUUID": b"03020100-0504-0706-0809-0A0B0C0D0E0F"}),
        (ACTIVE, {"objectGUID": bytes(range(16))}),
    ],
)
def test_the_default_key(schema: dict[str, str], attributes: dict[str, bytes]) -> None:
    """One expression is the key on both kinds of servers, although each lacks the other's attribute."""
    of = row(schema, ["entryUUID", "objectGUID"], **attributes)
    expression = Expression("entryUUID | default(objectGUID) | guid")
    assert read_key(expression, of) == "03020100-0504-0706-0809-0a0b0c0d0e0f"
    assert of["objectGUID" if schema is OPENLDAP else "entryUUID"] is None


def test_one_row_for_each_value() -> None:
    """Departments by attribute: equal texts are one, however spaced; what cannot be read has no key."""
    layout = shape(OPENLDAP).layout(["departmentNumber"])
    values = [(b"Sales", b"\xe7\xa0\x94"), (b" Sales ",), (), (b"sales",), (b"\xff",), (b"\xff",)]
    entries = [Entry(f"cn={n}", {"departmentnumber": value}) for n, value in enumerate(values)]
    rows = list(layout.distinct(entries, "departmentNumber"))
    assert [each["departmentNumber"] for each in rows[:3]] == ["Sales", "研", "sales"]
    assert len(rows) == 4
    with pytest.raises(UnreadableValue):
        rows[3]["departmentNumber"]


def pieces(*counts: int) -> dict[str, Entry]:
    """The pieces of a list of members, by the attribute that is asked for to get each."""
    found, start = {}, 0
    for number, count in enumerate(counts):
        end = "*" if number == len(counts) - 1 else str(start + count - 1)
        values = tuple(str(each).encode() for each in range(start, start + count))
        found[f"member;range={start}-*"] = Entry("cn=g", {f"member;range={start}-{end}": values})
        start += count
    return found


def test_values_that_come_in_pieces() -> None:
    """All pieces make one list, in order, and the other attributes stay."""
    found = pieces(3, 3, 2)
    first = {"member": (), "cn": (b"g",), **found["member;range=0-*"].attributes}
    entry = whole(Entry("cn=g", first), lambda dn, attribute: found[attribute])
    assert entry.attributes == {"cn": (b"g",), "member": tuple(str(each).encode() for each in range(8))}


ANSWERS = [None, {}, {"member;range=0-2": (b"0",)}, {"member;range=0-*": (b"0",)}, {"x;range=3-*": (b"3",)}]


@pytest.mark.parametrize("answer", [each if each is None else Entry("cn=g", each) for each in ANSWERS])
def test_pieces_that_stop_coming(answer: Entry | None) -> None:
    """An entry that goes, loses its values or begins anew is torn, and no shorter list comes of it."""
    first = pieces(3, 3)["member;range=0-*"]
    with pytest.raises(TornRangeError):
        whole(first, lambda dn, attribute: answer)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("Lin Mei", "Lin\\20Mei"),
        ("*)(uid=*", "\\2a\\29\\28uid=\\2a"),
        ("a\\b\0", "a\\5cb\\00"),
        ("研", "\\e7\\a0\\94"),
        (b"\xff\x00\x41", "\\ff\\00A"),
        ("CN=a\\,b,DC=x", "CN=a\\5c,b,DC=x"),
    ],
)
def test_a_value_in_a_filter_stays_a_value(value: str | bytes, written: str) -> None:
    """Whatever might end a value or widen it is written as hexadecimal."""
    assert equals("cn", value) == f"(cn={written})"
    assert all_of(equals("a", value), any_of("(b=1)", "(c=*)")) == f"(&(a={written})(|(b=1)(c=*)))"
    assert equals("memberOf", "x", rule="1.2.3") == "(memberOf:1.2.3:=x)"
