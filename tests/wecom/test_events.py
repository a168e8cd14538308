"""Decrypted events become records, and nothing that was signed is an error (events-and-messages.md §2)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wxsync.model.event import (
    CardEvent,
    DepartmentEvent,
    JobEvent,
    MemberEvent,
    TagEvent,
    UnknownEvent,
)
from wxsync.wecom.events import parse_event

AT = datetime(2025, 11, 24, 16, 1, tzinfo=UTC)
HEAD = (
    "<xml><ToUserName><![CDATA[ww0123456789abcdef]]></ToUserName><FromUserName><![CDATA[sys]]></FromUserName>"
    "<CreateTime>1764000060</CreateTime><MsgType><![CDATA[event]]></MsgType>"
)
CONTACT = "<Event><![CDATA[change_contact]]></Event>"
FULL = (
    "<ChangeType>update_user</ChangeType><UserID><![CDATA[lin.mei]]></UserID>"
    "<Name><![CDATA[林梅]]></Name><Department><![CDATA[12,40,7]]></Department>"
    "<MainDepartment>12</MainDepartment><IsLeaderInDept><![CDATA[1,0,0]]></IsLeaderInDept>"
    "<DirectLeader><![CDATA[wang.bo]]></DirectLeader><Position><![CDATA[工程师]]></Position>"
    "<Mobile>13800000000</Mobile><Gender>2</Gender><Email><![CDATA[Lin@example.com]]></Email>"
    "<BizMail><![CDATA[lin@corp.example.com]]></BizMail><Status>1</Status>"
    "<Avatar><![CDATA[https://example.com/a.png]]></Avatar><Alias><![CDATA[]]></Alias>"
    "<Telephone><![CDATA[010-1]]></Telephone><Address><![CDATA[Beijing]]></Address>"
    "<ExtAttr><Item><Name><![CDATA[工号]]></Name><Type>0</Type><Text><Value><![CDATA[E0042]]></Value></Text>"
    "</Item><Item><Name><![CDATA[主页]]></Name><Type>1</Type><Web><Title><![CDATA[me]]></Title>"
    "<Url><![CDATA[https://example.com]]></Url></Web></Item></ExtAttr>"
)


def parsed(inside: str) -> object:
    return parse_event(f"{HEAD}{inside}</xml>".encode())


def test_a_member_in_full() -> None:
    """Every value that it tells, in its normal form; what is empty or a link is not told."""
    assert parsed(CONTACT + FULL) == MemberEvent(
        created_at=AT,
        change="update_user",
        userid="lin.mei",
        values={
            "name": "林梅",
            "position": "工程师",
            "mobile": "13800000000",
            "gender": "2",
            "email": "lin@example.com",
            "biz_mail": "lin@corp.example.com",
            "telephone": "010-1",
            "address": "Beijing",
            "extattr.工号": "E0042",
        },
    )


@pytest.mark.parametrize(
    ("inside", "event"),
    [
        (
            "<ChangeType>create_user</ChangeType><UserID><![CDATA[lin.mei]]></UserID><Department>12</Department>",
            MemberEvent(created_at=AT, change="create_user", userid="lin.mei"),
        ),
        (
            "<ChangeType><![CDATA[update_user]]></ChangeType><UserID>a</UserID><NewUserID>b</NewUserID>",
            MemberEvent(created_at=AT, change="update_user", userid="a", new_userid="b"),
        ),
        (
            "<ChangeType>delete_user</ChangeType><UserID>lin.mei2</UserID>",
            MemberEvent(created_at=AT, change="delete_user", userid="lin.mei2"),
        ),
        (
            "<ChangeType>create_party</ChangeType><Id>77</Id><Name>x</Name><ParentId><![CDATA[12]]></ParentId>",
            DepartmentEvent(created_at=AT, change="create_party", id=77),
        ),
        (
            "<ChangeType>update_party</ChangeType><Id>77</Id><ParentId><![CDATA[13]]></ParentId>",
            DepartmentEvent(created_at=AT, change="update_party", id=77),
        ),
        (
            "<ChangeType>delete_party</ChangeType><Id> 77 </Id>",
            DepartmentEvent(created_at=AT, change="delete_party", id=77),
        ),
        (
            "<ChangeType><![CDATA[update_tag]]></ChangeType><TagId>3</TagId><AddUserItems>a,b</AddUserItems>",
            TagEvent(created_at=AT, id=3),
        ),
        (
            "<ChangeType>create_user</ChangeType>",
            UnknownEvent(created_at=AT, name="change_contact/create_user"),
        ),
        (
            f"<ChangeType>delete_user</ChangeType><UserID>{'x' * 65}</UserID>",
            UnknownEvent(created_at=AT, name="change_contact/delete_user"),
        ),
        (
            "<ChangeType>delete_party</ChangeType><Id>x</Id>",
            UnknownEvent(created_at=AT, name="change_contact/delete_party"),
        ),
        ("<ChangeType>new_kind</ChangeType>", UnknownEvent(created_at=AT, name="change_contact/new_kind")),
    ],
)
def test_a_contact_change(inside: str, event: object) -> None:
    """Ids whole; what lacks what it should have is an unknown one."""
    assert parsed(CONTACT + inside) == event


def test_a_job_and_a_click() -> None:
    """The end of a job names it; a click says who, on which card, and what."""
    job = "<BatchJob><JobId><![CDATA[S0Mr]]></JobId><ErrCode>0</ErrCode></BatchJob>"
    assert parsed("<Event>batch_job_result</Event>" + job) == JobEvent(created_at=AT, job_id="S0Mr")
    click = (
        "<xml><FromUserName><![CDATA[hr.lead]]></FromUserName><CreateTime>1764000060</CreateTime>"
        "<MsgType>event</MsgType><Event>{}</Event><EventKey>ok</EventKey><TaskId>offboard-1</TaskId>"
        "<CardType>button_interaction</CardType><ResponseCode>RC</ResponseCode><AgentID>7</AgentID></xml>"
    )
    told = CardEvent(
        created_at=AT,
        userid="hr.lead",
        event_key="ok",
        task_id="offboard-1",
        card_type="button_interaction",
        response_code="RC",
    )
    assert parse_event(click.format("template_card_event").encode()) == told
    menu = parse_event(click.format("template_card_menu_event").encode())
    assert isinstance(menu, CardEvent)
    assert menu.is_menu


def test_any_other_is_named_in_plain_letters() -> None:
    """A name for logs and counters, short, whatever it holds; a message is named by its type."""
    assert parsed("<Event>change_external_contact</Event><ChangeType>add</ChangeType>") == UnknownEvent(
        created_at=AT, name="change_external_contact/add"
    )
    evil = parsed(f"<Event>x\n林 {{}}{'y' * 99}</Event>")
    assert isinstance(evil, UnknownEvent)
    assert evil.name == "x?????" + "y" * 58
    assert parse_event(b"<xml><MsgType>text</MsgType></xml>") == UnknownEvent(
        created_at=datetime(1970, 1, 1, tzinfo=UTC), name="text"
    )


def test_no_value_stands_in_a_repr() -> None:
    """Phone numbers and the code of a card are in no repr, and so in no log."""
    assert "13800000000" not in repr(parsed(CONTACT + FULL))


@given(
    st.one_of(st.binary(max_size=300), st.text(max_size=300).map(lambda text: f"{HEAD}{text}</xml>".encode()))
)
def test_nothing_is_an_error(message: bytes) -> None:
    """Whatever was signed becomes a record."""
    assert parse_event(message).created_at.tzinfo is UTC
