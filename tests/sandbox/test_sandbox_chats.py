"""Group chats of an app: who may make them, their limits, and what becomes of them when people leave."""

from __future__ import annotations

import dataclasses

import pytest

from wxsync.sandbox.state import SandboxState

PEOPLE = ("a", "b", "c", "d")


class App:
    """Calls by an app's token."""

    def __init__(self, wecom, token):
        self._wecom, self._token = wecom, token

    def __call__(self, path, **body):
        return self._wecom.post(path, body, self._token)

    def get(self, path, **query):
        return self._wecom.get(path, self._token, **query)


@pytest.fixture
def app(wecom, state):
    """The calls of the app, in a corp with four people."""
    for userid in PEOPLE:
        state.add_member(userid, f"员工{userid}", is_activated=True)
    state.token_life = 10**9
    return App(wecom, wecom.fetch_token(state.apps[0].secret))


def text(chatid, content="好"):
    return {"chatid": chatid, "msgtype": "text", "text": {"content": content}}


def test_a_chat_is_made_read_and_changed(app, state):
    """The answer names the chat; `get` shows name, owner and members as they are spelled in the corp."""
    made = app("appchat/create", name="入职", owner="A", userlist=["a", "B", "b"], chatid="Chat1")
    assert (made["errcode"], made["chatid"]) == (0, "Chat1")
    info = {"chatid": "Chat1", "name": "入职", "owner": "a", "userlist": ["a", "b"]}
    assert app.get("appchat/get", chatid="Chat1")["chat_info"] == info
    change = app("appchat/update", chatid="Chat1", name="新人", add_user_list=["c", "a"], del_user_list=["b"])
    assert change["errcode"] == 0
    info = {"chatid": "Chat1", "name": "新人", "owner": "a", "userlist": ["a", "c"]}
    assert app.get("appchat/get", chatid="Chat1")["chat_info"] == info
    assert [call.path for call in state.writes] == ["appchat/create", "appchat/update"]


def test_what_nobody_gives_is_made_up(app, state):
    """Without chatid and owner there is an id of letters and digits, and some member is owner."""
    made = app("appchat/create", userlist=["a", "b", "c"])
    chat = state.chats[made["chatid"]]
    assert made["chatid"].isalnum()
    assert len(made["chatid"]) <= 32
    assert chat.owner.userid in ("a", "b", "c")


def test_a_long_name_is_cut(app, state):
    """At 50 characters, a Chinese one being one, in both calls."""
    app("appchat/create", name="名" * 51, userlist=["a", "b"], chatid="x")
    assert state.chats["x"].name == "名" * 50
    app("appchat/update", chatid="x", name="称" * 60)
    assert state.chats["x"].name == "称" * 50


@pytest.mark.parametrize(
    ("errcode", "body"),
    [
        (86204, {}),
        (86204, {"userlist": []}),
        (40058, {"userlist": "a|b"}),
        (86006, {"userlist": ["a"]}),
        (86006, {"userlist": ["a", "A"]}),
        (86006, {"userlist": ["a", "b", "c", "d"]}),
        (86007, {"userlist": ["a", "nobody"]}),
        (86216, {"userlist": ["a", "-b"]}),
        (86005, {"userlist": ["a", "b"], "owner": "nobody"}),
        (86207, {"userlist": ["a", "b"], "owner": "c"}),
        (86205, {"userlist": ["a", "b"], "chatid": "x" * 33}),
        (86001, {"userlist": ["a", "b"], "chatid": "x-1"}),
        (86215, {"userlist": ["a", "b"], "chatid": "taken"}),
    ],
)
def test_what_create_refuses(app, state, errcode, body):
    """Each fault has its errcode, and no chat is made."""
    state.max_chat_members = 3
    app("appchat/create", userlist=["a", "b"], chatid="taken")
    assert app("appchat/create", **body)["errcode"] == errcode
    assert list(state.chats) == ["taken"]


@pytest.mark.parametrize(
    ("errcode", "body"),
    [
        (86201, {"chatid": ""}),
        (86001, {"chatid": "other"}),
        (86203, {"del_user_list": ["a"]}),
        (86207, {"del_user_list": ["b"], "owner": "b"}),
        (86207, {"owner": "d"}),
        (86005, {"owner": "nobody"}),
        (86007, {"add_user_list": ["nobody"]}),
        (86007, {"del_user_list": ["nobody"]}),
        (86006, {"del_user_list": ["b", "c"]}),
    ],
)
def test_what_update_refuses(app, state, errcode, body):
    """Each fault has its errcode, and the chat stays as it is."""
    app("appchat/create", userlist=["a", "b", "c"], owner="a", chatid="x", name="n")
    assert app("appchat/update", **{"chatid": "x", "name": "m", **body})["errcode"] == errcode
    chat = state.chats["x"]
    assert (chat.name, chat.owner.userid, [each.userid for each in chat.members]) == (
        "n",
        "a",
        ["a", "b", "c"],
    )


def test_an_owner_leaves_by_a_call(app, state):
    """With a new owner in the same call the old one may go."""
    app("appchat/create", userlist=["a", "b", "c"], owner="a", chatid="x")
    assert app("appchat/update", chatid="x", owner="b", del_user_list=["a"])["errcode"] == 0
    assert app.get("appchat/get", chatid="x")["chat_info"]["owner"] == "b"


def test_a_deleted_owner_is_followed_by_another_member(app, state):
    """The chat goes on without who was deleted; with the switch off nobody is owner."""
    app("appchat/create", userlist=["a", "b", "c"], owner="a", chatid="x")
    state.remove_member("a")
    info = app.get("appchat/get", chatid="x")["chat_info"]
    assert (info["owner"], info["userlist"]) == ("b", ["b", "c"])
    state.chat_owner_passes_on = False
    state.remove_member("b")
    info = app.get("appchat/get", chatid="x")["chat_info"]
    assert (info["owner"], info["userlist"]) == ("", ["c"])


def test_a_renamed_member_stays_in_the_chat(app, wecom, state):
    """A chat shows people under the userids that they have now."""
    state.add_member("gen1", "e", email="e@example.com", has_generated_userid=True)
    app("appchat/create", userlist=["gen1", "b"], owner="gen1", chatid="x")
    assert wecom.post("user/update", {"userid": "gen1", "new_userid": "e"})["errcode"] == 0
    info = app.get("appchat/get", chatid="x")["chat_info"]
    assert (info["owner"], info["userlist"]) == ("e", ["e", "b"])


def test_chats_belong_to_the_app_that_made_them(wecom, state):
    """Another app gets 86008, one without the root department 48002, the contact-sync secret 48002."""
    own = state.apps[0]
    part = state.add_department("部门").id
    state.apps = (
        own,
        dataclasses.replace(own, agent_id=2, secret="two"),
        dataclasses.replace(own, agent_id=3, secret="three", scope=(part,)),
    )
    for userid in PEOPLE:
        state.add_member(userid, userid, department=(1, part))
    one, two, three = (wecom.fetch_token(app.secret) for app in state.apps)
    body = {"userlist": ["a", "b"], "chatid": "x"}
    assert wecom.post("appchat/create", body, one)["errcode"] == 0
    assert wecom.get("appchat/get", two, chatid="x")["errcode"] == 86008
    assert wecom.post("appchat/send", text("x"), two)["errcode"] == 86008
    assert wecom.post("appchat/create", {"userlist": ["a", "b"]}, three)["errcode"] == 48002
    assert wecom.post("appchat/create", {"userlist": ["a", "b"]})["errcode"] == 48002


def test_a_switched_off_app_gets_50003(app, state):
    """Its token is good, and its calls are not carried out."""
    state.apps = (dataclasses.replace(state.apps[0], is_enabled=False),)
    assert app("appchat/create", userlist=["a", "b"])["errcode"] == 50003
    assert state.chats == {}


def test_changes_and_creations_are_counted(app, state, clock):
    """1000 changes an hour and 1000 creations a day in Beijing, here fewer; refused ones do not count."""
    assert (SandboxState.chat_changes_per_hour, SandboxState.chats_per_day) == (1000, 1000)
    state.chats_per_day, state.chat_changes_per_hour = 2, 3
    app("appchat/create", userlist=["a"])
    made = [app("appchat/create", userlist=["a", "b"], chatid=f"x{n}")["errcode"] for n in range(3)]
    assert made == [0, 0, 45009]
    changes = [app("appchat/update", chatid="x0", name=f"n{n}")["errcode"] for n in range(4)]
    assert changes == [0, 0, 0, 45009]
    clock.now += 3600
    assert app("appchat/update", chatid="x0", name="n")["errcode"] == 0
    assert app("appchat/create", userlist=["a", "b"])["errcode"] == 45009
    clock.now += 86_400
    assert app("appchat/create", userlist=["a", "b"])["errcode"] == 0


def test_a_message_goes_to_all_in_the_chat(app, state):
    """Everybody in it gets it; the answer has no msgid; the text is cut at 2048 bytes."""
    app("appchat/create", userlist=["a", "b"], chatid="x")
    answer = app("appchat/send", **text("x", "字" * 700))
    assert answer == {"errcode": 0, "errmsg": "ok"}
    (message,) = state.messages
    assert (message.chatid, message.receivers, message.msgid) == ("x", ("a", "b"), "")
    assert message.content["content"] == "字" * 682


@pytest.mark.parametrize(
    ("errcode", "body"),
    [
        (86214, {"msgtype": "template_card", "template_card": {}}),
        (86214, {"msgtype": "miniprogram_notice"}),
        (86214, {}),
        (44004, {"msgtype": "text", "text": {"content": ""}}),
        (44004, {"msgtype": "text"}),
        (45002, {"msgtype": "markdown", "markdown": {"content": "字" * 683}}),
        (40007, {"msgtype": "file", "file": {"media_id": "none"}}),
        (40058, {"msgtype": "text", "text": {"content": "a"}, "safe": 2}),
        (40058, {"msgtype": "text", "text": ["a"]}),
    ],
)
def test_what_a_chat_does_not_take(app, state, errcode, body):
    """Each fault has its errcode, and nobody gets anything."""
    app("appchat/create", userlist=["a", "b"], chatid="x")
    assert app("appchat/send", chatid="x", **body)["errcode"] == errcode
    assert state.messages == []


def test_a_chat_that_everybody_left_has_no_receiver(app, state):
    """81013, and the chat is still there."""
    app("appchat/create", userlist=["a", "b"], chatid="x")
    state.remove_member("a")
    state.remove_member("b")
    assert app("appchat/send", **text("x"))["errcode"] == 81013
    assert app.get("appchat/get", chatid="x")["chat_info"]["userlist"] == []


def test_too_much_for_one_member_is_dropped_without_a_word(app, state, clock):
    """The 201st message of an app's chats in a minute does not arrive, and the answer is ok."""
    app("appchat/create", userlist=["a", "b"], chatid="x")
    app("appchat/create", userlist=["a", "c"], chatid="y")
    for _ in range(200):
        app("appchat/send", **text("x"))
    assert app("appchat/send", **text("y"))["errcode"] == 0
    assert state.messages[-1].receivers == ("c",)
    assert [member.userid for member in state.messages[-1].dropped] == ["a"]
    clock.now += 60
    app("appchat/send", **text("y"))
    assert state.messages[-1].receivers == ("a", "c")
