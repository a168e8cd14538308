"""Values of records and the JSON text in which the mirror keeps them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wxsync.mirror.values import member_values, message_text, to_member, to_message
from wxsync.model.member import TEXT_FIELDS, Member, ref_order
from wxsync.model.message import say
from wxsync.model.unknown import UNKNOWN

texts = st.one_of(st.just(UNKNOWN), st.none(), st.text(max_size=20))
refs = st.one_of(st.integers(1, 2**32), st.text(min_size=1, max_size=8))
ref_lists = st.one_of(st.just(UNKNOWN), st.lists(refs, unique=True, max_size=4).map(tuple))
orders = st.dictionaries(refs, st.integers(0, 2**32), max_size=4).map(
    lambda found: tuple(sorted(found.items(), key=lambda pair: ref_order(pair[0])))
)
members = st.builds(
    Member,
    key=st.just("E1"),
    userid=st.just("e1"),
    **dict.fromkeys(TEXT_FIELDS, texts),
    departments=ref_lists,
    main_department=st.one_of(st.just(UNKNOWN), st.none(), refs),
    is_leader=ref_lists,
    order=st.one_of(st.just(UNKNOWN), orders),
    direct_leader=texts,
    enable=st.one_of(st.just(UNKNOWN), st.booleans()),
    extattr=st.dictionaries(st.text(max_size=5), st.one_of(st.none(), st.text(max_size=5)), max_size=3).map(
        lambda found: tuple(sorted(found.items()))
    ),
)


@given(members)
def test_every_member_comes_back_as_it_went(member: Member):
    """UNKNOWN, empty, both kinds of department references, tuples and attributes survive."""
    assert to_member("E1", "e1", member_values(member)) == member


def test_unknown_is_absent_and_empty_is_null():
    """The text holds nothing of a field that nobody knows, and null for one that is empty."""
    member = Member(key="E1", userid="e1", name="林梅", position=None, departments=("D1", 7))
    assert member_values(member) == '{"name":"林梅","departments":["D1",7],"position":null}'


@pytest.mark.parametrize("text", ['{"name": 1', '{"no_such_field": 1}', "[]"])
def test_a_damaged_text_is_an_error(text: str):
    """Nothing is guessed from a text that is not what `member_values` writes."""
    with pytest.raises((ValueError, TypeError, AttributeError)):
        to_member("E1", "e1", text)


def test_messages_keep_template_and_facts():
    """A message is still translatable when it comes back."""
    message = say("{count} rows of {query} have no key", count=3, query="members")
    assert to_message(message_text(message)) == message
    assert message_text(None) is None
    assert to_message(None) is None
