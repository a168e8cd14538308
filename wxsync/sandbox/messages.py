"""The calls by which an app writes to members (WeCom pages 90236, 94867, 94945, 94888)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any, Final

from wxsync.sandbox import cards, fields
from wxsync.sandbox.access import Permission
from wxsync.sandbox.audience import EVERYBODY, Audience, audience, calling_app, joined
from wxsync.sandbox.call import Asked, Operation
from wxsync.sandbox.cards import TEMPLATE_CARD as CARD
from wxsync.sandbox.content import RULES, Content, content_of
from wxsync.sandbox.fields import Shape
from wxsync.sandbox.postbox import Message, Postbox, ResponseCode
from wxsync.sandbox.rates import DAY, HOUR, MINUTE, Window, day_of
from wxsync.sandbox.records import Member, fold
from wxsync.sandbox.refusal import Refusal, invalid, missing
from wxsync.sandbox.scope import Scope
from wxsync.sandbox.state import SandboxState
from wxsync.sandbox.switches import App

ENVELOPE: Final[Mapping[str, Shape]] = {
    "touser": fields.is_text,
    "toparty": fields.is_text,
    "totag": fields.is_text,
    "msgtype": fields.is_text,
    "safe": fields.is_integer,
    "enable_id_trans": fields.is_integer,
    "enable_duplicate_check": fields.is_integer,
    "duplicate_check_interval": fields.is_integer,
}
UPDATE: Final[Mapping[str, Shape]] = {
    "userids": fields.is_texts,
    "partyids": fields.is_integers,
    "tagids": fields.is_integers,
    "atall": fields.is_integer,
    "response_code": fields.is_text,
    "button": fields.is_object,
    "template_card": fields.is_object,
    "enable_id_trans": fields.is_integer,
}

DUPLICATE_INTERVAL: Final = 1800
LONGEST_INTERVAL: Final = 14_400
RECALL_LIFE: Final = DAY
DAY_FACTOR: Final = 200
"""Person-times an app may send a day, for each account that the corp may have."""
TO_ONE_MEMBER: Final = (Window(MINUTE, 30), Window(HOUR, 1000))
"""What one member gets of one app; the rest is dropped without a word."""


def send(asked: Asked) -> Mapping[str, Any]:
    """One message to members, departments and tags; ids that are good for nobody are named."""
    app = calling_app(asked)
    _check_agent(asked, app)
    given = asked.given(ENVELOPE)
    interval = _duplicate_interval(given)
    reached = _audience(asked.scope, given)
    content = _content(asked, app, given)
    post, now = asked.state.post, asked.state.clock()
    request = (app.agent_id, json.dumps(asked.body, ensure_ascii=False))
    before = post.answers.get(request)
    if interval is not None and before is not None and now - before[0] < interval:
        return before[1]
    if given["msgtype"] == CARD and post.with_task(app.agent_id, str(content.get("task_id", ""))):
        raise Refusal(42014)
    _check_day(asked.state, app, len(reached.members))
    message = _deliver(asked.state, app, given["msgtype"], content, reached.members)
    answer = {**_bad_ids(reached), "msgid": message.msgid}
    if message.msgtype == CARD and cards.has_response_code(content):
        answer["response_code"] = post.issue_code(message, now)
    post.answers[request] = (now, answer)
    return answer


def update_template_card(asked: Asked) -> Mapping[str, Any]:
    """A card looks otherwise to some of those who got it: grey buttons, or another card."""
    app = calling_app(asked)
    _check_agent(asked, app)
    given = asked.given(UPDATE)
    code = _usable_code(asked.state.post, given, app, asked.state.clock())
    update = _update(asked, app, given, code.message)
    members = set(code.message.to)
    reached = _update_audience(asked.scope, given)
    meant = [member for member in reached.members if member in members]
    strangers = [fold(member.userid) for member in reached.members if member not in members]
    bad = [*reached.bad_users, *(strangers if given.get("userids") else ())]
    if not meant:
        raise Refusal(81013)
    for member in meant:
        code.message.updates[fold(member.userid)] = update
    code.is_used = True
    return {"invaliduser": bad}


def recall(asked: Asked) -> Mapping[str, Any]:
    """A message is taken back, within 24 hours; a second time it is taken back already."""
    app = calling_app(asked)
    msgid = fields.required(asked.given({"msgid": fields.is_text}), "msgid")
    message = asked.state.post.with_msgid(msgid)
    if message is None or message.agent_id != app.agent_id:
        raise invalid("msgid")
    if asked.state.clock() - message.sent_at > RECALL_LIFE:
        raise Refusal(42052)
    message.is_recalled = True
    return {}


def get_statistics(asked: Asked) -> Mapping[str, Any]:
    """How many person-times every app sent today (time_type 0) or yesterday (1)."""
    calling_app(asked)
    back = asked.given({"time_type": fields.is_integer}).get("time_type", 0)
    if back not in (0, 1):
        raise invalid("time_type")
    day = day_of(asked.state.clock()) - back
    rows = [
        {"agentid": app.agent_id, "app_name": app.name, "count": _sent_on(asked.state, app, day)}
        for app in asked.state.apps
    ]
    return {"statistics": [row for row in rows if row["count"]]}


def _check_agent(asked: Asked, app: App) -> None:
    """The agentid is a number, and the token's own."""
    agent_id = asked.body.get("agentid")
    if not fields.is_integer(agent_id):
        raise Refusal(40056)
    if agent_id != app.agent_id:
        raise Refusal(301002)


def _duplicate_interval(given: Mapping[str, Any]) -> int | None:
    """How long the same request is not delivered again; None where that was not asked for."""
    interval: int = given.get("duplicate_check_interval", DUPLICATE_INTERVAL)
    if not 0 < interval <= LONGEST_INTERVAL:
        raise invalid("duplicate_check_interval")
    return interval if given.get("enable_duplicate_check") else None


def _audience(scope: Scope, given: Mapping[str, Any]) -> Audience:
    users = joined(given.get("touser", ""))
    parties, tags = joined(given.get("toparty", "")), joined(given.get("totag", ""))
    return audience(scope, users, parties, tags, everybody=users == (EVERYBODY,))


def _content(asked: Asked, app: App, given: Mapping[str, Any]) -> Content:
    """What the message says, by the rules of its type."""
    msgtype = given.get("msgtype")
    if msgtype not in (*RULES, CARD):
        raise Refusal(40008)
    content = content_of(asked.body, msgtype)
    _check_safe(given, msgtype)
    if msgtype == CARD:
        _check_card(asked.state, app, content)
        return content
    if msgtype == "miniprogram_notice" and given.get("touser") == EVERYBODY:
        raise invalid("touser")
    return RULES[msgtype](asked.state, content)


def _check_safe(given: Mapping[str, Any], msgtype: str) -> None:
    allowed = (0, 1, 2) if msgtype == "mpnews" else (0, 1)
    if given.get("safe", 0) not in allowed:
        raise invalid("safe")


def _check_card(state: SandboxState, app: App, card: Content) -> None:
    cards.check_card(state, card)
    if cards.calls_back(card) and app.receiver is None:
        raise Refusal(43012)


def _check_day(state: SandboxState, app: App, receivers: int) -> None:
    """So many person-times a day, where the corp's account cap is known (WeCom page 90454)."""
    if state.account_cap is None:
        return
    windows = (Window(DAY, DAY_FACTOR * state.account_cap),)
    if not state.post.rates.has_room(("app", app.agent_id), windows, state.clock(), receivers):
        raise Refusal(45009)
    state.post.rates.add(("app", app.agent_id), state.clock(), receivers)


def _deliver(
    state: SandboxState, app: App, msgtype: str, content: Content, members: tuple[Member, ...]
) -> Message:
    """Into the postbox; who got too much of this app of late does not get this."""
    now, rates = state.clock(), state.post.rates
    to = [member for member in members if rates.spend((app.agent_id, member), TO_ONE_MEMBER, now)]
    message = Message(
        msgid=secrets.token_urlsafe(30),
        msgtype=msgtype,
        content=content,
        sent_at=now,
        agent_id=app.agent_id,
        to=tuple(to),
        dropped=tuple(member for member in members if member not in to),
    )
    state.post.messages.append(message)
    return message


def _bad_ids(reached: Audience) -> dict[str, str]:
    """The ids that were good for nobody, where there are any."""
    lists = {
        "invaliduser": reached.bad_users,
        "invalidparty": reached.bad_parties,
        "invalidtag": reached.bad_tags,
    }
    return {name: "|".join(ids) for name, ids in lists.items() if ids}


def _usable_code(post: Postbox, given: Mapping[str, Any], app: App, now: float) -> ResponseCode:
    code = post.codes.get(given.get("response_code", ""))
    if code is None or code.is_used or now > code.expires_at or code.message.agent_id != app.agent_id:
        raise Refusal(60140)
    return code


def _update(asked: Asked, app: App, given: Mapping[str, Any], message: Message) -> Mapping[str, Any]:
    """What becomes of the card: grey buttons with another text, or a whole new card."""
    if "button" in given:
        name = given["button"].get("replace_name")
        if message.card_type not in cards.INTERACTIVE or not name or not fields.is_text(name):
            raise invalid("button.replace_name")
        return {"button": {"replace_name": name}}
    if CARD not in given:
        raise missing(CARD)
    card = given[CARD]
    _check_card(asked.state, app, card)
    owner = asked.state.post.with_task(app.agent_id, str(card.get("task_id") or ""))
    if owner not in (None, message):
        raise Refusal(42014)
    return {CARD: card}


def _update_audience(scope: Scope, given: Mapping[str, Any]) -> Audience:
    parties = [str(id) for id in given.get("partyids", ())]
    tags = [str(id) for id in given.get("tagids", ())]
    users = given.get("userids", ())
    return audience(scope, users, parties, tags, everybody=given.get("atall") == 1)


def _sent_on(state: SandboxState, app: App, day: int) -> int:
    sent = (each for each in state.post.messages if each.agent_id == app.agent_id and not each.chatid)
    return sum(len(message.to) for message in sent if day_of(message.sent_at) == day)


OPERATIONS: Final = tuple(
    Operation(path=path, method="POST", permission=Permission.APP, carry_out=carry_out, is_write=is_write)
    for path, carry_out, is_write in (
        ("message/send", send, True),
        ("message/update_template_card", update_template_card, True),
        ("message/recall", recall, True),
        ("message/get_statistics", get_statistics, False),
    )
)
