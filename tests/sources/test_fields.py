"""WeCom's fields: their normal form and their limits."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wxsync.sources.fields import (
    NORMALISERS,
    attribute,
    biz_mail,
    department_name,
    email,
    gender,
    mobile,
    required_name,
    telephone,
    userid,
)
from wxsync.sources.normal import Breach


def rule_of(normalise, value: object) -> str:
    with pytest.raises(Breach) as caught:
        normalise(value)
    assert not isinstance(value, str) or value not in str(caught.value.problem)
    return caught.value.rule


@pytest.mark.parametrize(
    ("value", "normal"),
    [
        ("13800000001", "13800000001"),
        (13800000001, "13800000001"),
        ("+86 138 0000 0001", "13800000001"),
        ("+86-138-0000-0001", "13800000001"),
        ("0086 13800000001", "13800000001"),
        ("8613800000001", "13800000001"),
        ("(+86) 13800000001", "13800000001"),
        ("１３８００００0001", "13800000001"),
        ("+852 5123 4567", "+85251234567"),
        ("00852 51234567", "+85251234567"),
        ("+1 202-555-0123", "+12025550123"),
        ("+44 (0)20 7946 0000", "+442079460000"),
        (None, None),
        ("  ", None),
    ],
)
def test_phone_numbers_are_as_wecom_returns_them(value: object, normal: str | None) -> None:
    """Mainland numbers without country code, others as E.164."""
    assert mobile(value) == normal


@pytest.mark.parametrize(
    "value",
    [
        "1380000000",
        "138000000011",
        "010 12345678",
        "+86 10 1234 5678",
        "12345",
        "n/a",
        "1800FLOWERS",
        "+852 1",
        "无",
    ],
)
def test_what_is_no_mobile_breaks_rule_phone_number(value: str) -> None:
    """Short and long numbers, landlines, letters: the problem does not show them."""
    assert rule_of(mobile, value) == "phone_number"


@given(
    st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
    st.sampled_from(["", "+86", "+86 ", "0086", "86", "+86-"]),
)
def test_the_short_way_for_mainland_numbers_agrees_with_phonenumbers(digits: str, prefix: str) -> None:
    """The quick reading of mainland numbers gives what the library gives."""
    parsed = phonenumbers.parse(prefix + digits, "CN")
    assert mobile(prefix + digits) == phonenumbers.national_significant_number(parsed) == digits


def test_emails_are_lower_case_addresses_of_6_to_64_bytes() -> None:
    """One @, a domain with a dot, ASCII."""
    assert email(" Lin.Mei@Example.COM ") == "lin.mei@example.com"
    assert email("a@b.cn") == "a@b.cn"
    assert email("x" * 52 + "@example.com") == "x" * 52 + "@example.com"
    for value in (
        "a@b.c",
        "x" * 53 + "@example.com",
        "a@@b.cn",
        "a b@c.cn",
        "a@b",
        "林@b.cn",
        "a@b.cn;c@d.cn",
        "无",
    ):
        assert rule_of(email, value) == "email"


def test_biz_mail_has_the_limit_of_an_update() -> None:
    """A creation would take 64 bytes, an update takes 63."""
    assert biz_mail("x" * 51 + "@example.com") == "x" * 51 + "@example.com"
    assert rule_of(biz_mail, "x" * 52 + "@example.com") == "email"


def test_userids_are_1_to_64_plain_characters() -> None:
    """Case is kept; the first character is a letter or a digit."""
    for value in ("e0042", "Lin.Mei@x-y_z", "1", "x" * 64):
        assert userid(value) == value
    assert userid(42) == "42"
    for value in ("x" * 65, ".a", "_a", "@all", "林梅", "a b", "a/b", "a,b"):
        assert rule_of(userid, value) == "userid"


@pytest.mark.parametrize(
    ("value", "normal"),
    [("男", "1"), ("女", "2"), ("Male", "1"), ("F", "2"), (1, "1"), ("2", "2"), (0, None), (None, None)],
)
def test_genders_are_wecoms_numbers(value: object, normal: str | None) -> None:
    """Words and numbers become "1" and "2"; WeCom's own 0 is empty."""
    assert gender(value) == normal


def test_an_unknown_gender_breaks_its_rule() -> None:
    """Nothing is guessed."""
    assert rule_of(gender, "diverse") == "gender"


def test_telephones_have_their_characters() -> None:
    """Digits, - + and , up to 32 of them."""
    assert telephone("+86-10-12345678,123") == "+86-10-12345678,123"
    assert rule_of(telephone, "(010) 12345678") == "telephone"
    assert rule_of(telephone, "1" * 33) == "length"


@pytest.mark.parametrize(
    ("field", "limit"),
    [("name", 64), ("alias", 64), ("position", 128), ("address", 128), ("external_position", 12)],
)
def test_lengths_count_characters(field: str, limit: int) -> None:
    """A Chinese character counts as one."""
    assert NORMALISERS[field]("梅" * limit) == "梅" * limit
    assert rule_of(NORMALISERS[field], "梅" * (limit + 1)) == "length"


def test_attributes_have_64_characters() -> None:
    """The text of an extattr."""
    assert attribute("梅" * 64, "extattr.工号") == "梅" * 64
    assert rule_of(lambda value: attribute(value, "extattr.工号"), "梅" * 65) == "length"


def test_a_name_is_required() -> None:
    """Of people and departments alike."""
    assert rule_of(required_name, None) == "required"
    assert rule_of(department_name, "\u200b") == "required"


@pytest.mark.parametrize("banned", list('\\:*?"<>|｜'))
def test_department_names_lack_what_wecom_bans(banned: str) -> None:
    """Each of them breaks rule "characters"."""
    assert rule_of(department_name, f"研发{banned}部") == "characters"
    assert department_name("研发/平台 (上海)") == "研发/平台 (上海)"
