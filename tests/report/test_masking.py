"""Personal values are unreadable, and still recognisable to those who know them."""

from __future__ import annotations

import pytest

from wxsync.model.unknown import UNKNOWN, Value
from wxsync.report.masking import mask


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("mobile", "13812341234", "138****1234"),
        ("mobile", "+85298765432", "+852****5432"),
        ("mobile", "+8613812341234", "+86138****1234"),
        ("telephone", "021-88886666", "021-****6666"),
        ("telephone", "021-8888-6666", "021-****-6666"),
        ("telephone", "8001", "**01"),
        ("telephone", "80", "****"),
        ("email", "lin.mei@example.com", "l***@example.com"),
        ("email", "l@example.com", "***@example.com"),
        ("biz_mail", "no address at all", "****"),
        ("address", "上海市浦东新区张江路 88 号", "上海市****"),
        ("address", "上海", "****"),
        ("extattr.备用电话", "13812341234", "138****1234"),
        ("extattr.私人邮箱", "lin.mei@example.org", "l***@example.org"),
    ],
)
def test_a_personal_value_is_masked(field: str, value: str, shown: str) -> None:
    """Phone numbers keep their ends, addresses their beginning, e-mails their domain."""
    assert mask(field, value) == shown


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("position", "13812341234"),
        ("extattr.工号", "20240131"),
        ("departments", ("D1", "D2")),
        ("mobile", None),
        ("mobile", ""),
        ("email", UNKNOWN),
        ("enable", True),
    ],
)
def test_anything_else_stays_as_it_is(field: str, value: Value) -> None:
    """Other fields, and values that are empty or unknown, are not masked."""
    assert mask(field, value) == value
