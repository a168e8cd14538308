"""Messages of an app and of webhooks (events-and-messages.md §5 and §9)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.sandbox.situation import (
    APP,
    CONTACT,
    NARROW_APP,
    NOBODY,
    OTHER_APP,
    Setup,
    Situation,
    Stage,
    after,
    app_switch,
    as_ever,
    switch,
)
from wxsync.sandbox.receivers import Receiver

AGENT = 1000002
TEXT = {"msgtype": "text", "text": {"content": "新员工到岗"}}
LINK = {"type": 1, "url": "https://example.com/a"}
NOTICE: Mapping[str, Any] = {
    "card_type": "text_notice",
    "main_title": {"title": "到岗", "desc": "研发"},
    "card_action": LINK,
}
BUTTONS: Mapping[str, Any] = {
    "card_type": "button_interaction",
    "main_title": {"title": "确认离职"},
    "task_id": "task-1",
    "button_list": [{"text": "同意", "style": 1, "key": "ok"}, {"text": "拒绝", "style": 2, "key": "no"}],
}
VOTE: Mapping[str, Any] = {
    "card_type": "vote_interaction",
    "main_title": {"title": "选择"},
    "task_id": "task-2",
    "checkbox": {"question_key": "q", "option_list": [{"id": "a", "text": "甲"}]},
    "submit_button": {"text": "提交", "key": "s"},
}
SELECTS: Mapping[str, Any] = {
    "card_type": "multiple_interaction",
    "main_title": {"title": "选择"},
    "task_id": "task-3",
    "select_list": [{"question_key": "q", "option_list": [{"id": "a", "text": "甲"}]}],
    "submit_button": {"text": "提交", "key": "s"},
}
receiver = app_switch(
    receiver=Receiver(
        url="https://callback.invalid/app",
        token="SandboxToken",
        encoding_aes_key="abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
    )
)


def send(
    title: str, errcode: int = 0, /, *, by=APP, given=as_ever, answer=None, lacks=(), **fields
) -> Situation:
    """message/send to lin; None leaves a field out."""
    body = {"touser": "lin", "agentid": AGENT, **(fields if "msgtype" in fields else {**TEXT, **fields})}
    return Situation(
        id=f"message/send: {title}",
        call="POST message/send",
        by=by,
        errcode=errcode,
        given=given,
        body={name: value for name, value in body.items() if value is not None},
        answer=answer or {},
        lacks=lacks,
    )


def card(
    title: str, errcode: int = 0, /, base=NOTICE, *, given: Setup = as_ever, lacks=(), **changes
) -> Situation:
    """message/send of a card that is right but for these blocks."""
    blocks = {name: value for name, value in {**base, **changes}.items() if value is not None}
    return send(
        f"card: {title}", errcode, given=given, lacks=lacks, msgtype="template_card", template_card=blocks
    )


def sent(stage: Stage) -> None:
    """A text to lin went before."""
    body = {"touser": "lin", "agentid": AGENT, **TEXT}
    stage.notes["msgid"] = stage.did(APP, "POST", "message/send", body=body)["msgid"]


def carded(stage: Stage) -> None:
    """lin got a card with buttons."""
    receiver(stage)
    body = {"touser": "lin", "agentid": AGENT, "msgtype": "template_card", "template_card": BUTTONS}
    answer = stage.did(APP, "POST", "message/send", body=body)
    stage.notes["msgid"], stage.notes["response_code"] = answer["msgid"], answer["response_code"]


def updated(stage: Stage) -> None:
    carded(stage)
    stage.did(APP, "POST", "message/update_template_card", body=grey(stage))


def grey(stage: Stage) -> dict[str, Any]:
    """The body that greys the buttons of the card."""
    return {
        "userids": ["lin"],
        "agentid": AGENT,
        "response_code": stage.notes["response_code"],
        "button": {"replace_name": "已同意"},
    }


def later(seconds: float, setup: Setup) -> Setup:
    return after(setup, lambda stage: stage.forward(seconds))


def recall(title: str, errcode: int = 0, /, *, by=APP, given=sent, body=None) -> Situation:
    return Situation(
        id=f"message/recall: {title}",
        call="POST message/recall",
        by=by,
        errcode=errcode,
        given=given,
        body=body or (lambda stage: {"msgid": stage.notes["msgid"]}),
    )


def change(title: str, errcode: int = 0, /, *, by=APP, given=carded, answer=None, **fields) -> Situation:
    def body(stage: Stage) -> dict[str, Any]:
        whole = {**grey(stage), **fields}
        return {name: value for name, value in whole.items() if value is not None}

    return Situation(
        id=f"message/update_template_card: {title}",
        call="POST message/update_template_card",
        by=by,
        errcode=errcode,
        given=given,
        body=body,
        answer=answer or {},
    )


SEND = (
    send("a text", answer={"errmsg": "ok"}, lacks=("response_code", "invaliduser")),
    send("some receivers", touser="LIN|x", toparty="3|77", totag="1|78", answer={"invaliduser": "x"}),
    send("an unknown userid comes back in lower case", touser="lin|NoBody", answer={"invaliduser": "nobody"}),
    send(
        "an unknown department and tag",
        toparty="77",
        totag="78",
        answer={"invalidparty": "77", "invalidtag": "78"},
    ),
    send("everybody", touser="@all"),
    send("no receiver that is good", 81013, touser="x|y"),
    send("a receiver outside the app's scope", 81013, by=NARROW_APP, agentid=1000004),
    send("no receiver", 81012, touser=None),
    send("1001 members", 40032, touser="|".join(f"u{n}" for n in range(1001))),
    send("101 departments", 82002, toparty="|".join(str(n) for n in range(101))),
    send("101 tags", 82003, totag="|".join(str(n) for n in range(101))),
    send("another app's agentid", 301002, agentid=1000003),
    send("an agentid that is a text", 40056, agentid="x"),
    send("contact sync", 48002, by=CONTACT),
    send("an app that is switched off", 50003, given=app_switch(is_enabled=False)),
    send("an address that is not trusted", 60020, given=switch(trusted_ips=["203.0.113.7"])),
    send("a type that is none", 40008, msgtype="poem", poem={}),
    send("markdown_v2, which is for webhooks", 40008, msgtype="markdown_v2", markdown_v2={"content": "x"}),
    send("an empty text", 44004, text={"content": ""}),
    send("a text that is cut", text={"content": "长" * 700}),
    send(
        "a text card",
        msgtype="textcard",
        textcard={"title": "到岗", "description": "一人", "url": "https://example.com"},
    ),
    send(
        "a text card without a title",
        41016,
        msgtype="textcard",
        textcard={"description": "一人", "url": "https://example.com"},
    ),
    send(
        "a text card without a description",
        41033,
        msgtype="textcard",
        textcard={"title": "到岗", "url": "https://example.com"},
    ),
    send(
        "a text card with an address without a scheme",
        45034,
        msgtype="textcard",
        textcard={"title": "到岗", "description": "一人", "url": "example.com"},
    ),
    send(
        "eight articles",
        msgtype="news",
        news={"articles": [{"title": "到岗", "url": "https://example.com"}] * 8},
    ),
    send(
        "nine articles",
        45008,
        msgtype="news",
        news={"articles": [{"title": "到岗", "url": "https://example.com"}] * 9},
    ),
    send("markdown", msgtype="markdown", markdown={"content": "**到岗**"}),
    send("a file that was never uploaded", 40007, msgtype="file", file={"media_id": "never-given"}),
    send("an interval that is too long", 40058, enable_duplicate_check=1, duplicate_check_interval=14_401),
)

CARDS = (
    card("a notice", lacks=("response_code",)),
    card("a type that is none", 42031, card_type="poem"),
    card("a notice that leads nowhere", 42045, card_action=None),
    card("a notice that says nothing", 42033, main_title=None),
    card("seven rows", 42035, horizontal_content_list=[{"keyname": "部门", "value": "研发"}] * 7),
    card("a row without a name", 42027, horizontal_content_list=[{"value": "研发"}]),
    card(
        "a row of nobody",
        42050,
        horizontal_content_list=[{"type": 3, "keyname": "谁", "value": "x", "userid": "nobody"}],
    ),
    card(
        "a row with a file that was never uploaded",
        42029,
        horizontal_content_list=[{"type": 2, "keyname": "文件", "value": "x", "media_id": "never-given"}],
    ),
    card("four links", 42042, jump_list=[{"type": 1, "title": "更多", "url": "https://example.com"}] * 4),
    card("a link without an address", 42028, jump_list=[{"type": 1, "title": "更多"}]),
    card(
        "news", card_type="news_notice", card_image={"url": "https://example.com/a.png", "aspect_ratio": 1.3}
    ),
    card("news without a picture", 42044, card_type="news_notice"),
    card(
        "news with five lines",
        42036,
        card_type="news_notice",
        card_image={"url": "https://example.com/a.png"},
        vertical_content_list=[{"title": "一"}] * 5,
    ),
    card("buttons", 0, BUTTONS, given=receiver),
    card("buttons, and no receiver of clicks", 43012, BUTTONS),
    card("buttons without a task_id", 42014, BUTTONS, given=receiver, task_id=None),
    card("a task_id with a space", 42014, BUTTONS, given=receiver, task_id="task 1"),
    card("a task_id of before", 42014, BUTTONS, given=carded),
    card("a button without a text", 42038, BUTTONS, given=receiver, button_list=[{"key": "ok"}]),
    card("a button without a key", 42039, BUTTONS, given=receiver, button_list=[{"text": "同意"}]),
    card("a vote", 0, VOTE, given=receiver),
    card(
        "a vote without a question",
        42043,
        VOTE,
        given=receiver,
        checkbox={"option_list": [{"id": "a", "text": "甲"}]},
    ),
    card(
        "a vote without options",
        42037,
        VOTE,
        given=receiver,
        checkbox={"question_key": "q", "option_list": []},
    ),
    card(
        "21 options",
        42037,
        VOTE,
        given=receiver,
        checkbox={"question_key": "q", "option_list": [{"id": str(n), "text": "甲"} for n in range(21)]},
    ),
    card(
        "an option without an id",
        42040,
        VOTE,
        given=receiver,
        checkbox={"question_key": "q", "option_list": [{"text": "甲"}]},
    ),
    card(
        "an option without a text",
        42041,
        VOTE,
        given=receiver,
        checkbox={"question_key": "q", "option_list": [{"id": "a"}]},
    ),
    card("a submit button without a key", 42046, VOTE, given=receiver, submit_button={"text": "提交"}),
    card("a submit button without a text", 42049, VOTE, given=receiver, submit_button={"key": "s"}),
    card("selections", 0, SELECTS, given=receiver),
    card(
        "four selections",
        42047,
        SELECTS,
        given=receiver,
        select_list=[{"question_key": f"q{n}", "option_list": [{"id": "a", "text": "甲"}]} for n in range(4)],
    ),
    card(
        "two menu entries of one key",
        42051,
        BUTTONS,
        given=receiver,
        action_menu={"desc": "更多", "action_list": [{"text": "一", "key": "k"}, {"text": "二", "key": "k"}]},
    ),
)

AFTERWARDS = (
    change("greys the buttons", answer={"invaliduser": []}),
    change("another card", button=None, template_card=dict(NOTICE)),
    change("a second time", 60140, given=updated),
    change("after 72 hours", 60140, given=later(72 * 3600 + 1, carded)),
    change("a code of nobody", 60140, response_code="never-given"),
    change("for somebody who never got it", 81013, userids=["wang"]),
    change("another app's agentid", 301002, agentid=1000003),
    change("contact sync", 48002, by=CONTACT),
    recall("at once"),
    recall("after 23 hours", given=later(23 * 3600, sent)),
    recall("after 25 hours", 42052, given=later(25 * 3600, sent)),
    recall("another app's", 40058, by=OTHER_APP),
    recall("of nobody", 40058, body={"msgid": "never-given"}),
    Situation(
        id="message/get_statistics",
        call="POST message/get_statistics",
        by=APP,
        given=sent,
        body={"time_type": 0},
        answer={"statistics": [{"agentid": AGENT, "app_name": "样例应用", "count": 1}]},
    ),
    Situation(
        id="message/get_statistics: of the day before yesterday",
        call="POST message/get_statistics",
        by=APP,
        errcode=40058,
        body={"time_type": 2},
    ),
)


def hook(
    title: str, errcode: int = 0, /, *, given: Setup = as_ever, key: str | None = None, **body
) -> Situation:
    def query(stage: Stage) -> dict[str, str]:
        return {"key": stage.notes["key"] if key is None else key}

    def set_up(stage: Stage) -> None:
        stage.notes["key"] = stage.state.add_webhook("值班群").key
        given(stage)

    return Situation(
        id=f"webhook/send: {title}",
        call="POST webhook/send",
        by=NOBODY,
        errcode=errcode,
        given=set_up,
        query=query,
        body=body or TEXT,
    )


def said(times: int) -> Callable[[Stage], None]:
    """So many messages went before, within the minute."""

    def say(stage: Stage) -> None:
        for _ in range(times):
            stage.did(NOBODY, "POST", "webhook/send", query={"key": stage.notes["key"]}, body=TEXT)

    return say


def disabled(stage: Stage) -> None:
    stage.state.webhooks[stage.notes["key"]].is_enabled = False


WEBHOOKS = (
    hook("a text"),
    hook("a wrong key", 93000, key="never-given"),
    hook("no key", 93000, key=""),
    hook("one that is disabled", 93004, given=disabled),
    hook("the twentieth in a minute", given=said(19)),
    hook("the twenty-first in a minute", 45009, given=said(20)),
    hook("the twenty-first, a minute later", given=later(61, said(20))),
    hook("a type that is none", 40008, msgtype="textcard", textcard={}),
    hook("markdown_v2", msgtype="markdown_v2", markdown_v2={"content": "| a |"}),
    hook("markdown that is too long", 40058, msgtype="markdown", markdown={"content": "x" * 4097}),
    hook("a notice", msgtype="template_card", template_card=dict(NOTICE)),
    hook("buttons", 42031, msgtype="template_card", template_card=dict(BUTTONS)),
)

SITUATIONS = (*SEND, *CARDS, *AFTERWARDS, *WEBHOOKS)
