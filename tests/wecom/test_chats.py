"""What group chats look like on the line, and what becomes of lost answers."""

from __future__ import annotations

import httpx
import pytest

from tests.wecom.line import Line, errcode, ok
from tests.wecom.notices import every_content
from wxsync.errors import ConflictError, NotFoundError, UnsendableError, WeComError, WeComTransportError
from wxsync.wecom.chats import Chats, chatid_of
from wxsync.wecom.content import Text
from wxsync.wecom.wire.chats import Chat

HELLO = Text(content="你好")
PEOPLE = ("a", "B.b", "c")
LOST = httpx.ReadTimeout("slow")


def create(line: Line, chatid="chat1", userids=PEOPLE, **facts):
    return line.ask(lambda transport: Chats(transport).create(chatid, userids, **facts))


def shown(chatid="chat1", userids=PEOPLE, **other) -> httpx.Response:
    info = {"chatid": chatid, "name": "项目", "owner": "a", "userlist": list(userids), **other}
    return ok(chat_info=info)


def test_a_chat_is_made_with_our_chatid():
    """Name and owner only where there are any."""
    line = Line().script("appchat/create", ok(chatid="chat1"))
    create(line)
    create(line, name="项目", owner="a")
    assert line.bodies("appchat/create") == [
        {"chatid": "chat1", "userlist": ["a", "B.b", "c"]},
        {"chatid": "chat1", "userlist": ["a", "B.b", "c"], "name": "项目", "owner": "a"},
    ]


def test_a_chatid_follows_from_its_parts():
    """Always the same, 32 characters of WeCom's kind, never a number, and no two sets of parts share one."""
    assert chatid_of("acme", "D100") == chatid_of("acme", "D100")
    assert chatid_of("acme", "D100") == "wx68633c579ef406702c15575a46aed6"
    others = {chatid_of(*parts) for parts in (("ab", "c"), ("a", "bc"), ("abc",), ("a", "b", "c"), ())}
    assert len(others) == 5
    for chatid in others:
        assert len(chatid) == 32
        assert chatid.isalnum()
        assert not chatid.isdigit()


def test_a_chat_whose_answer_was_lost_is_looked_for():
    """One call to create, one to look: it is there with everybody, in whatever case."""
    line = Line().script("appchat/create", LOST).script("appchat/get", shown(userids=("A", "b.b", "c", "x")))
    create(line)
    assert (line.count("appchat/create"), line.count("appchat/get")) == (1, 1)


@pytest.mark.parametrize(
    "found", [shown(userids=("a", "x")), errcode(86001), errcode(86008), httpx.Response(502), ok()]
)
def test_a_chat_that_is_not_found_as_asked_for_stays_unknown(found):
    """Somebody else's, none, or no answer again: whether it was made is for later to find out."""
    line = Line().script("appchat/create", LOST).script("appchat/get", found)
    with pytest.raises(WeComTransportError) as caught:
        create(line)
    assert caught.value.is_ambiguous
    assert line.count("appchat/create") == 1


def test_a_chat_that_was_made_half_way_is_found():
    """-1, then taken: the first attempt made it."""
    line = Line().script("appchat/create", errcode(-1), errcode(86215)).script("appchat/get", shown())
    create(line)
    assert line.count("appchat/create") == 2


def test_a_chatid_that_is_taken_is_a_conflict():
    """Nothing was lost, so it is not this creation's, and nobody looks."""
    line = Line().script("appchat/create", errcode(86215))
    with pytest.raises(ConflictError):
        create(line)
    assert not line.count("appchat/get")


def test_a_line_that_never_carried_the_call_is_not_looked_for():
    """A refused connection is a plain failure."""
    line = Line().script("appchat/create", httpx.ConnectError("refused"))
    with pytest.raises(WeComTransportError) as caught:
        create(line)
    assert not caught.value.is_ambiguous
    assert not line.count("appchat/get")


@pytest.mark.parametrize("answer", [ok(), ok(chatid="other"), ok(chatid=5)])
def test_another_chatid_than_ours_is_an_error(answer):
    """WeCom takes the one that it is given."""
    with pytest.raises(WeComError, match="chatid"):
        create(Line().script("appchat/create", answer))


@pytest.mark.parametrize("chatid", ["", "x" * 33, "a-b", "群", "a\n"])
def test_a_chatid_has_32_letters_and_digits(chatid):
    """Checked before any call that names it."""
    line = Line()
    for act in (
        lambda chats: chats.create(chatid, PEOPLE),
        lambda chats: chats.update(chatid, name="n"),
        lambda chats: chats.get(chatid),
        lambda chats: chats.send(chatid, HELLO),
    ):
        with pytest.raises(UnsendableError, match="chatid"):
            line.ask(lambda transport, act=act: act(Chats(transport)))
    assert not line.requests


def test_a_chat_has_2_to_2000_members_and_50_characters():
    """As many as WeCom takes, and no more."""
    everybody = [f"u{n}" for n in range(2001)]
    line = Line().script("appchat/create", ok(chatid="chat1"))
    create(line, userids=everybody[:2000], name="字" * 50)
    for userids in (everybody, everybody[:1], ()):
        with pytest.raises(UnsendableError, match="2 to 2000"):
            create(line, userids=userids)
    with pytest.raises(UnsendableError, match="50"):
        create(line, name="字" * 51)
    assert line.count("appchat/create") == 1


def update(line: Line, **change):
    return line.ask(lambda transport: Chats(transport).update("chat1", **change))


def test_a_change_says_what_changes():
    """And is repeated where its answer is lost: again it has the same effect."""
    line = Line().script("appchat/update", LOST, ok())
    update(line, owner="b", remove=("a",))
    update(line, name="新", add=["c", "d"])
    assert line.bodies("appchat/update") == [
        {"chatid": "chat1", "owner": "b", "del_user_list": ["a"]},
        {"chatid": "chat1", "owner": "b", "del_user_list": ["a"]},
        {"chatid": "chat1", "name": "新", "add_user_list": ["c", "d"]},
    ]


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"name": "", "add": ()},
        {"add": ("a", "b"), "remove": ("B",)},
        {"name": "字" * 51},
        {"owner": "\udcff"},
    ],
)
def test_a_change_of_nothing_or_both_ways_is_not_sent(change):
    """Nobody comes and goes in one call."""
    line = Line().script("appchat/update", ok())
    with pytest.raises(UnsendableError):
        update(line, **change)
    assert not line.requests


def test_a_chat_is_shown():
    """With its members as WeCom spells them."""
    line = Line().script("appchat/get", shown())
    assert line.ask(lambda transport: Chats(transport).get("chat1")) == Chat(
        chatid="chat1", name="项目", owner="a", userids=PEOPLE
    )
    assert line.requests["appchat/get"][0].url.params["chatid"] == "chat1"


@pytest.mark.parametrize("number", [86001, 86003])
def test_no_such_chat_is_not_found(number):
    """By either of WeCom's codes."""
    with pytest.raises(NotFoundError):
        Line().script("appchat/get", errcode(number)).ask(lambda transport: Chats(transport).get("chat1"))


@pytest.mark.parametrize(
    "answer",
    [
        ok(),
        ok(chat_info=[]),
        shown(userlist=None),
        shown(userlist=[1]),
        shown(name=None),
        shown(owner={}),
        ok(chat_info={"chatid": "chat1", "name": "n", "owner": "o"}),
    ],
)
def test_a_chat_of_another_shape_is_an_error(answer):
    """Half a chat is no chat."""
    with pytest.raises(WeComError, match="not what WeCom documents"):
        Line().script("appchat/get", answer).ask(lambda transport: Chats(transport).get("chat1"))


def say(line: Line, content=HELLO, **options):
    return line.ask(lambda transport: Chats(transport).send("chat1", content, **options))


def test_a_message_goes_to_the_chat():
    """No app, no duplicate check; a text mentions members."""
    line = Line().script("appchat/send", ok())
    say(line)
    say(line, is_safe=True, mentioned=["a", "@all"])
    assert line.bodies("appchat/send") == [
        {"chatid": "chat1", "msgtype": "text", "text": {"content": "你好"}},
        {
            "chatid": "chat1",
            "msgtype": "text",
            "text": {"content": "你好", "mentioned_list": ["a", "@all"]},
            "safe": 1,
        },
    ]


def test_every_kind_for_chats_has_its_words():
    """Those of message/send, without notices of mini-programs and cards."""
    contents = every_content(dict.fromkeys(("image", "voice", "file", "video"), "m"))
    del contents["miniprogram_notice"]
    line = Line().script("appchat/send", ok())
    for msgtype, content in contents.items():
        say(line, content)
        assert set(line.bodies("appchat/send")[-1]) == {"chatid", "msgtype", msgtype}


def test_a_message_whose_answer_is_lost_is_not_sent_again():
    """WeCom checks for no duplicates in chats."""
    line = Line().script("appchat/send", LOST, ok())
    with pytest.raises(WeComTransportError) as caught:
        say(line)
    assert caught.value.is_ambiguous
    assert line.count("appchat/send") == 1


def test_only_a_text_mentions():
    """Other kinds have no place for it."""
    line = Line()
    with pytest.raises(UnsendableError, match="only a text"):
        say(
            line,
            every_content(dict.fromkeys(("image", "voice", "file", "video"), "m"))["markdown"],
            mentioned=["a"],
        )
    assert not line.requests
