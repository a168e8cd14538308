"""Personal values are unreadable, and still recognisable to those who know them."""

from __future__ import annotations

import pytest

from wxsync.model.message import Message, say
from wxsync.model.unknown import UNKNOWN, Value
from wxsync.report.masking import mask, mask_message


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


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (say("{key} is there", key="13812341234"), "138****1234 is there"),
        (
            say("{keys}", keys="13812341234, E2, lin.mei@example.com (+2)"),
            "138****1234, E2, l***@example.com (+2)",
        ),
        (say("{keys}", keys="+85298765432、13812341234"), "+852****5432、138****1234"),
        (
            say("{problem}!", problem=say("{keys} lack", keys="13812341234, 13812341235")),
            "138****1234, 138****1235 lack!",
        ),
        (say("{fields}", fields=("13812341234", "E2")), "('138****1234', 'E2')"),
        (say("{fields}", fields=["13812341234", say("{key}", key="13812341235")]), None),
        (say("{fields}", fields=frozenset({"13812341234"})), "frozenset({'138****1234'})"),
        (
            say("{count} rows of {name}", count=13812341234, name="E2, 138123412345"),
            "13812341234 rows of E2, 138123412345",
        ),
    ],
)
def test_the_facts_of_a_message_are_masked(message: Message, shown: str | None) -> None:
    """Alone, in a list, in a message within it; what does not look like a number or an address stays."""
    masked = mask_message(message)
    assert str(masked) == shown if shown else "1381234123" not in str(masked)
    assert masked.template == message.template
