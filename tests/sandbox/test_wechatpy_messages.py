"""wechatpy writes to members and chats, and hands customers over (events-and-messages.md §4 to §8)."""

from __future__ import annotations

import io

import pytest

from tests.sandbox.foreign import clients, listening_ear, refused
from wxsync.sandbox.serve import running_sandbox
from wxsync.sandbox.state import SandboxState
from wxsync.sandbox.switches import App

AGENT = 1000002
URL = "https://example.com/a"


@pytest.fixture
def state():
    state = SandboxState()
    state.add_department("研发", id=2)
    for userid, department in (("Lin", 1), ("mei", 2), ("old", 2)):
        state.add_member(userid, f"林{userid}", department=[department], email=f"{userid}@example.com")
        state.set_status(userid, 1)
    state.add_tag("导师", ["mei"], id=5)
    return state


@pytest.fixture
def client(state):
    with running_sandbox(state) as base_url, clients(state, base_url) as by_secret:
        yield by_secret


@pytest.fixture
def app(client, state):
    """wechatpy with the app's secret."""
    return client(state.apps[0].secret)


def upload(app, kind):
    content = {
        "image": b"\x89PNG\r\n\x1a\n" + bytes(64),
        "voice": b"#!AMR\n" + bytes([4 << 3]) + bytes(12),
        "video": b"\x00\x00\x00\x18ftypmp42" + bytes(16),
        "file": b"some text",
    }
    return app.media.upload(kind, (f"a.{kind}", io.BytesIO(content[kind])))["media_id"]


def readers(message):
    return [member.userid for member in message.to]


# Messages


def test_a_text_goes_to_members_departments_and_tags(state, app):
    """Each gets it once, and ids that are good for nobody are told in lower case."""
    answer = app.message.send_text(AGENT, ["Lin", "NoBody"], "早", party_ids=["2", "9"], tag_ids=["5"])
    [message] = state.messages
    assert (answer["errcode"], answer["errmsg"], answer["msgid"]) == (0, "ok", message.msgid)
    assert (answer["invaliduser"], answer["invalidparty"], "invalidtag" in answer) == ("nobody", "9", False)
    assert (message.msgtype, message.content["content"], message.agent_id) == ("text", "早", AGENT)
    assert readers(message) == ["Lin", "mei", "old"]


@pytest.mark.parametrize("kind", ["image", "voice", "video", "file"])
def test_a_file_is_sent_by_its_media_id(state, app, kind):
    """Each kind by wechatpy's method of its name; a file of another kind is 40007."""
    send = getattr(app.message, f"send_{kind}")
    media_id = upload(app, kind)
    answer = send(AGENT, ["Lin"], media_id)
    [message] = state.messages
    assert (answer["msgid"], message.msgtype) == (message.msgid, kind)
    assert message.content["media_id"] == media_id
    other = upload(app, "file" if kind != "file" else "image")
    with refused(40007):
        send(AGENT, ["Lin"], other)


def test_cards_articles_and_markdown_are_sent(state, app):
    """Everything else that wechatpy has a method for, in the shape that it gives it."""
    app.message.send_text_card(AGENT, ["Lin"], "标题", "说明", URL)
    app.message.send_articles(
        AGENT, ["Lin"], [{"title": "一", "description": "二", "url": URL, "image": f"{URL}.png"}]
    )
    article = {
        "thumb_media_id": upload(app, "image"),
        "author": "林",
        "title": "一",
        "content": "<p>二</p>",
        "content_source_url": URL,
        "digest": "三",
        "show_cover_pic": 1,
    }
    app.message.send_mp_articles(AGENT, ["Lin"], [article], safe=2)
    app.message.send_markdown(AGENT, "@all", "**早**")
    textcard, news, mpnews, markdown = state.messages
    assert textcard.content == {"title": "标题", "description": "说明", "url": URL, "btntxt": "详情"}
    assert news.content == {
        "articles": [{"title": "一", "description": "二", "url": URL, "picurl": f"{URL}.png"}]
    }
    assert (mpnews.msgtype, mpnews.content["articles"]) == ("mpnews", [article])
    assert (markdown.content, readers(markdown)) == ({"content": "**早**"}, ["Lin", "mei", "old"])


def test_types_without_a_method_of_wechatpys_go_by_its_general_one(state, app):
    """miniprogram_notice and template_card by `send(msg=…)`; a card can be taken back by its msgid."""
    notice = {"appid": "wx1", "title": "会议通知", "content_item": [{"key": "时间", "value": "九点"}]}
    app.message.send(AGENT, ["Lin"], msg={"msgtype": "miniprogram_notice", "miniprogram_notice": notice})
    card = {
        "card_type": "text_notice",
        "main_title": {"title": "标题"},
        "card_action": {"type": 1, "url": URL},
    }
    sent = app.message.send(AGENT, ["mei"], msg={"msgtype": "template_card", "template_card": card})
    assert [message.msgtype for message in state.messages] == ["miniprogram_notice", "template_card"]
    assert app.post("message/recall", data={"msgid": sent["msgid"]})["errmsg"] == "ok"
    assert [message.is_recalled for message in state.messages] == [False, True]


def test_a_card_that_was_clicked_is_updated(state, client):
    """Sent by wechatpy, clicked by a member, told to wechatpy's receiver, updated by wechatpy.

    The event of the click is of a type that wechatpy does not know, so it gives the elements alone.
    """
    with listening_ear(state.corp_id) as heard:
        state.apps = (App(receiver=heard.receiver),)
        app = client(state.apps[0].secret)
        card = {
            "card_type": "button_interaction",
            "main_title": {"title": "同意吗"},
            "button_list": [{"text": "同意", "key": "yes"}],
            "task_id": "task1",
        }
        app.message.send(AGENT, ["Lin"], msg={"msgtype": "template_card", "template_card": card})
        [message] = state.messages
        state.click("Lin", message, "yes")
        [event] = heard.wait(1)
        assert (event.type, event.source) == ("unknown", "Lin")
        told = event._data
        assert (told["Event"], told["EventKey"], told["TaskId"]) == ("template_card_event", "yes", "task1")
        answer = app.post(
            "message/update_template_card",
            data={
                "userids": ["Lin", "mei"],
                "agentid": AGENT,
                "response_code": told["ResponseCode"],
                "button": {"replace_name": "已同意"},
            },
        )
    assert (answer["errcode"], answer["invaliduser"]) == (0, ["mei"])
    assert message.updates == {"lin": {"button": {"replace_name": "已同意"}}}
    assert heard.echoes


def test_messages_that_cannot_be_sent_are_refused(state, app, client):
    """Another agentid, nobody to send to, nobody good, no text, a title that is too long; contact sync."""
    contact = client(state.contact_secret)
    for errcode, attempt in (
        (301002, lambda: app.message.send_text(1000003, ["Lin"], "早")),
        (40056, lambda: app.message.send_text("1000002", ["Lin"], "早")),
        (81012, lambda: app.message.send_text(AGENT, [], "早")),
        (81013, lambda: app.message.send_text(AGENT, ["nobody"], "早")),
        (44004, lambda: app.message.send_text(AGENT, ["Lin"], "")),
        (45002, lambda: app.message.send_text_card(AGENT, ["Lin"], "长" * 43, "说明", URL)),
        (40008, lambda: app.message.send(AGENT, ["Lin"], msg={"msgtype": "taskcard", "taskcard": {}})),
        (48002, lambda: contact.message.send_text(AGENT, ["Lin"], "早")),
    ):
        with refused(errcode):
            attempt()
    assert state.messages == []


def test_task_cards_are_a_thing_of_the_past(state, app):
    """wechatpy's update_taskcard calls what the pages have no more: HTTP 404."""
    with refused(None):
        app.message.update_taskcard(AGENT, ["Lin"], "task1", "好")
    assert state.log[-1].path == "message/update_taskcard"


# Group chats


def test_a_chat_is_made_changed_read_and_written_into(state, app):
    """Its members and owner change, and all in it get what is sent."""
    made = app.appchat.create("chat1", "项目组", "Lin", ["Lin", "mei"])
    assert made == {"errcode": 0, "errmsg": "ok", "chatid": "chat1"}
    changed = app.appchat.update(
        "chat1", name="新项目组", owner="old", add_user_list=["old"], del_user_list=["Lin"]
    )
    assert changed["errcode"] == 0
    assert app.appchat.get("chat1") == {
        "chatid": "chat1",
        "name": "新项目组",
        "owner": "old",
        "userlist": ["mei", "old"],
    }
    assert app.appchat.send_text("chat1", "早") == {"errcode": 0, "errmsg": "ok"}
    [message] = state.messages
    assert (message.chatid, message.content, readers(message)) == ("chat1", {"content": "早"}, ["mei", "old"])


def test_everything_that_a_chat_takes_is_sent_by_wechatpy(state, app):
    """All its types; for a textcard's button without a text it sends null."""
    app.appchat.create("chat1", "项目组", "Lin", ["Lin", "mei"])
    for kind in ("image", "voice", "file"):
        app.appchat.send("chat1", kind, media_id=upload(app, kind))
    app.appchat.send("chat1", "video", media_id=upload(app, "video"), title="片", description="说明")
    app.appchat.send("chat1", "textcard", title="标题", description="说明", url=URL, btntxt="看")
    app.appchat.send("chat1", "textcard", title="标题", description="说明", url=URL)
    app.appchat.send("chat1", "news", articles=[{"title": "一", "url": URL}])
    app.appchat.send("chat1", "markdown", content="**早**")
    page = {"title": "一", "thumb_media_id": upload(app, "image"), "content": "二"}
    app.appchat.send("chat1", "mpnews", articles=[page], safe=1)
    assert [message.msgtype for message in state.messages] == [
        *("image", "voice", "file", "video", "textcard", "textcard", "news", "markdown", "mpnews"),
    ]


def test_chats_that_cannot_be_are_refused(state, app, client):
    """Each refusal has its own code, and no chat is made or changed."""
    contact = client(state.contact_secret)
    app.appchat.create("chat1", "项目组", "Lin", ["Lin", "mei"])
    for errcode, attempt in (
        (86215, lambda: app.appchat.create("chat1", "另一个", "Lin", ["Lin", "mei"])),
        (86006, lambda: app.appchat.create("chat2", "一个人", "Lin", ["Lin"])),
        (86007, lambda: app.appchat.create("chat2", "谁", "Lin", ["Lin", "nobody"])),
        (86207, lambda: app.appchat.create("chat2", "谁", "old", ["Lin", "mei"])),
        (86001, lambda: app.appchat.create("chat-2", "名", "Lin", ["Lin", "mei"])),
        (86001, lambda: app.appchat.get("chat9")),
        (86203, lambda: app.appchat.update("chat1", add_user_list=["old"], del_user_list=["Lin"])),
        (86006, lambda: app.appchat.update("chat1", del_user_list=["mei"])),
        (44004, lambda: app.appchat.send_text("chat1", "")),
        (48002, lambda: contact.appchat.create("chat2", "名", "Lin", ["Lin", "mei"])),
    ):
        with refused(errcode):
            attempt()
    assert {chat.chatid: [each.userid for each in chat.members] for chat in state.chats.values()} == {
        "chat1": ["Lin", "mei"]
    }


# Customers


def test_customers_of_who_left_are_handed_over(state, app):
    """Found by wechatpy, handed over by the calls of today, which it has no methods for."""
    mine, other = state.add_customer("old"), state.add_customer("Lin")
    assert app.external_contact.get_follow_user_list()["follow_user"] == ["Lin", "mei", "old"]
    assert app.external_contact.list("old")["external_userid"] == [mine]
    assert app.external_contact.get_unassigned_list()["info"] == []
    state.remove_member("old")
    unassigned = app.external_contact.get_unassigned_list()
    assert [(row["handover_userid"], row["external_userid"]) for row in unassigned["info"]] == [("old", mine)]
    assert (unassigned["is_last"], unassigned["next_cursor"]) == (True, "")
    pair = {"handover_userid": "old", "takeover_userid": "mei"}
    started = app.post(
        "externalcontact/resigned/transfer_customer", data={**pair, "external_userid": [mine, other]}
    )
    assert started["customer"] == [
        {"external_userid": mine, "errcode": 0},
        {"external_userid": other, "errcode": 84061},
    ]
    [row] = app.post("externalcontact/resigned/transfer_result", data=pair)["customer"]
    assert row["status"] == 2
    state.forward(24 * 3600 + 1)
    [row] = app.post("externalcontact/resigned/transfer_result", data=pair)["customer"]
    assert (row["external_userid"], row["status"]) == (mine, 1)
    assert app.external_contact.list("mei")["external_userid"] == [mine]
    with refused(40097):
        app.post(
            "externalcontact/resigned/transfer_customer",
            data={**pair, "handover_userid": "Lin", "external_userid": [other]},
        )


def test_customer_chats_are_listed_page_by_page(state, app):
    """wechatpy follows the cursor to the end; by state and by owner, and 40003 for an owner who left."""
    chats = [state.add_customer_chat("old") for _ in range(3)]
    mine = state.add_customer_chat("Lin")
    listed = app.external_contact_group_chat.list_all(limit=2)
    assert [(row["chat_id"], row["status"]) for row in listed] == [*((id, 0) for id in chats), (mine, 0)]
    assert [
        row["chat_id"] for row in app.external_contact_group_chat.list_all(owner_userid_list=["Lin"])
    ] == [mine]
    state.remove_member("old")
    waiting = app.external_contact.get_group_chat_list(limit=10, status_filter=1)["group_chat_list"]
    assert [row["chat_id"] for row in waiting] == chats
    with refused(40003):
        app.external_contact.get_group_chat_list(limit=10, owner_filter={"userid_list": ["old"]})
    moved = app.post(
        "externalcontact/groupchat/transfer", data={"chat_id_list": [*chats, mine], "new_owner": "mei"}
    )
    assert [(row["chat_id"], row["errcode"]) for row in moved["failed_chat_list"]] == [(mine, 90500)]
    owned = app.external_contact_group_chat.list(owner_userid_list=["mei"])["group_chat_list"]
    assert [row["chat_id"] for row in owned] == chats


def test_contact_sync_has_no_customers(state, client):
    """48002: an app that is let to does that."""
    with refused(48002):
        client(state.contact_secret).external_contact.get_follow_user_list()
