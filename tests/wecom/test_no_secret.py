"""Whatever WeCom answers, no secret and nobody's phone number is in what is left to be read of it."""

import asyncio

import pytest

from tests.wecom.leaks import listening
from tests.wecom.secrecy import (
    BREAKS,
    BROKEN,
    CALLBACK,
    EXPORT,
    FILE,
    PERSONAL,
    SECRETS,
    STATUSES,
    TO,
    TYPICAL,
    UNREAD,
    WRITE,
    Act,
    Far,
    answered,
    check,
    create_member,
    fail_at_once,
    fail_each,
    list_tags,
    refused_with,
)
from wxsync.errors import (
    RateLimitError,
    TokenError,
)
from wxsync.wecom.contacts import Contacts
from wxsync.wecom.content import ReplacedButton, Text
from wxsync.wecom.errcodes import ERRCODES
from wxsync.wecom.errcodes.access import ACCESS
from wxsync.wecom.export import Exports
from wxsync.wecom.jobs import Jobs
from wxsync.wecom.lookups import Lookups
from wxsync.wecom.media import Media
from wxsync.wecom.messages import Messages
from wxsync.wecom.retries import Patience
from wxsync.wecom.verification import Verification
from wxsync.wecom.wire.media import MediaType
from wxsync.wecom.wire.verification import SecondFactor

ACTS: dict[str, Act] = {
    "user/create": create_member,
    "user/update": lambda line: Contacts(line).update_member(WRITE),
    "user/getuserid": lambda line: Lookups(line).find_by_mobile(PERSONAL["mobile"]),
    "user/getuserid abroad": lambda line: Lookups(line).find_by_mobile(f"+{PERSONAL['mobile abroad']}"),
    "user/get_userid_by_email": lambda line: Lookups(line).find_by_email(PERSONAL["email"]),
    "tag/list": list_tags,
    "batch/syncuser": lambda line: Jobs(line).sync_members("media", CALLBACK),
    "media/upload": lambda line: Media(line).upload(MediaType.FILE, "users.csv", PERSONAL["mobile"].encode()),
    "export/user": lambda line: Exports(line).start_members(),
    "export/get_result": lambda line: Exports(line).get_result(EXPORT),
    "auth/get_tfa_info": lambda line: Verification(line).get_tfa_info(SECRETS["code"]),
    "auth/getuserinfo": lambda line: Verification(line).get_user(SECRETS["code"]),
    "user/tfa_succ": lambda line: Verification(line).unlock(
        SecondFactor(userid="lin", tfa_code=SECRETS["tfa code"])
    ),
    "message/update_template_card": lambda line: Messages(line, agent_id=1).update_template_card(
        SECRETS["response code"], ReplacedButton(replace_name="好"), TO
    ),
    "message/send": lambda line: Messages(line, agent_id=1).send(Text(content=PERSONAL["mobile"]), TO),
}
"""Calls whose URL or body holds something marked, beside the token."""


# Refusals and broken lines


@pytest.mark.parametrize("call", ["user/create", "batch/syncuser"])
def test_every_errcode(call):
    """Of all errcodes that WeCom has, with a text that repeats the whole request."""
    codes = [*ERRCODES, 99]
    count = fail_each(ACTS[call], {str(code): refused_with(code) for code in codes})
    assert count >= len(codes) - 5


@pytest.mark.parametrize("call", ACTS)
def test_every_call(call):
    """Whatever comes instead of an answer, to calls that hold all kinds of secrets."""
    answers = {**BROKEN, **{str(code): refused_with(code) for code in TYPICAL}}
    assert fail_each(ACTS[call], answers) >= len(answers) - 4


def test_every_download():
    """The address of an export's file is as good as the file, while it holds."""
    contents = {"too short": answered(200, "x"), "changed": answered(200, "x" * 32), UNREAD: answered(200)}
    answers = {**STATUSES, **BREAKS, **contents}
    assert fail_each(lambda line: Exports(line).download(EXPORT, FILE), answers) == len(answers)


def test_every_way_to_get_no_token():
    """gettoken has the secret in its URL, and its refusal is remembered with its text."""
    answers = {**BROKEN, **{str(code): refused_with(code) for code in (*ACCESS, *TYPICAL)}}

    async def story():
        for name, answer in answers.items():
            far = Far()
            far.token_answer = answer
            with listening() as heard:
                async with far.open() as line:
                    for _ in range(2):
                        error = await far.fail(lambda: ACTS["tag/list"](line))
                        assert error is not None, name
                        check(name, error, heard, {})

    asyncio.run(story(), debug=True)


def test_tokens_that_are_never_accepted():
    """Twenty calls lose one token after the other, until no other is asked for."""
    far = Far()
    far.answer = refused_with(40014)
    errors = fail_at_once(far, ACTS["user/create"], times=20)
    assert {type(error) for error in errors} == {TokenError}
    assert len(errors) == 20


def test_windows_that_are_not_waited_for():
    """A call that is not sent at all, and one that waits for its window, say so without a name."""
    far = Far()
    far.answer = refused_with(45009)
    [error] = fail_at_once(far, ACTS["user/create"], patience=Patience(longest_wait=1.0))
    assert isinstance(error, RateLimitError)
    errors = fail_at_once(far, ACTS["user/getuserid"], times=8, members=20)
    assert {type(error) for error in errors} == {RateLimitError}
