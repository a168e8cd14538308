"""Every message that the sandbox took, with who got it, and what members click on it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from wxsync.sandbox.event_xml import Elements, Header, event_xml
from wxsync.sandbox.rates import HOUR, Rates
from wxsync.sandbox.records import Member, fold

CODE_LIFE: Final = 72 * HOUR
"""How long a response_code may be used, once."""

CARD_EVENT: Final = "template_card_event"
MENU_EVENT: Final = "template_card_menu_event"


@dataclass(slots=True, kw_only=True, eq=False)
class Message:
    """One message as it was taken."""

    msgid: str
    """Empty for one into a chat: only what an app sends to members has one."""
    msgtype: str
    content: Mapping[str, Any]
    """What the body holds under the msgtype's name, as it is shown: a text that is too long is cut."""
    sent_at: float
    agent_id: int | None = None
    """None where a webhook sent it."""
    chatid: str = ""
    """The app's group chat that it went into."""
    webhook: str = ""
    """The name of the webhook; its key is a secret."""
    to: tuple[Member, ...] = ()
    dropped: tuple[Member, ...] = ()
    """Who would have got more than WeCom delivers in a minute or an hour: the sender is not told."""
    is_recalled: bool = False
    updates: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """Folded userid -> what update_template_card made of the card for that member."""

    @property
    def receivers(self) -> tuple[str, ...]:
        """The userids of those to whom it was delivered."""
        return tuple(member.userid for member in self.to)

    @property
    def task_id(self) -> str:
        return str(self.content.get("task_id") or "") if self.card_type else ""

    @property
    def card_type(self) -> str:
        """Empty for all that is no card."""
        return str(self.content["card_type"]) if self.msgtype == "template_card" else ""

    def card_of(self, userid: str) -> Mapping[str, Any]:
        """The card that this member sees."""
        card: Mapping[str, Any] = self.updates.get(fold(userid), {}).get("template_card", self.content)
        return card


@dataclass(slots=True, kw_only=True, eq=False)
class ResponseCode:
    """The right to update one card, once."""

    text: str
    message: Message
    expires_at: float
    is_used: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Click:
    """A member pressed something on a card: what the app's receiver is to be told (WeCom page 90376)."""

    userid: str
    agent_id: int
    event: str
    """template_card_event, or template_card_menu_event for the corner menu."""
    event_key: str
    task_id: str
    card_type: str
    response_code: str
    clicked_at: float
    selected: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """question_key -> the ids of the options that are chosen."""

    def to_xml(self, corp_id: str) -> str:
        """The event as it stands inside of the encrypted envelope."""
        header = Header(
            corp_id=corp_id, created_at=int(self.clicked_at), event=self.event, from_user=self.userid
        )
        pressed: Elements = (
            ("EventKey", self.event_key),
            ("TaskId", self.task_id),
            ("CardType", self.card_type),
            ("ResponseCode", self.response_code),
            ("AgentID", self.agent_id),
        )
        chosen: Elements = tuple(("SelectedItem", _item(key, ids)) for key, ids in self.selected.items())
        has_items = self.event == CARD_EVENT
        return event_xml(header, (*pressed, ("SelectedItems", chosen)) if has_items else pressed)


def _item(question_key: str, ids: Sequence[str]) -> Elements:
    options: Elements = tuple(("OptionId", id) for id in ids)
    return (("QuestionKey", question_key), ("OptionIds", options))


class Postbox:
    """The messages of one corp, the oldest first."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.clicks: list[Click] = []
        self.codes: dict[str, ResponseCode] = {}
        self.answers: dict[tuple[int, str], tuple[float, Mapping[str, Any]]] = {}
        """(app, request) -> when it was answered last, and how: for the duplicate check."""
        self.rates = Rates()

    def with_msgid(self, msgid: str) -> Message | None:
        return next((message for message in self.messages if msgid and message.msgid == msgid), None)

    def with_task(self, agent_id: int, task_id: str) -> Message | None:
        """The card that an app sent with this task_id."""
        cards = (each for each in self.messages if each.agent_id == agent_id and each.card_type)
        return next((card for card in cards if task_id and card.task_id == task_id), None)

    def issue_code(self, message: Message, now: float) -> str:
        """A fresh response_code for a card."""
        code = ResponseCode(text=secrets.token_urlsafe(24), message=message, expires_at=now + CODE_LIFE)
        self.codes[code.text] = code
        return code.text

    def click(
        self,
        member: Member,
        message: Message,
        key: str,
        selected: Mapping[str, Sequence[str]],
        now: float,
    ) -> Click:
        """What the app is told; `ValueError` where the member cannot press that."""
        if member not in message.to or message.is_recalled or message.agent_id is None:
            raise ValueError(f"{member.userid} does not see this card")
        if "button" in message.updates.get(fold(member.userid), {}):
            raise ValueError(f"the buttons of this card are grey for {member.userid}")
        card = message.card_of(member.userid)
        event = _events(card).get(key)
        if event is None:
            raise ValueError(f"the card has nothing with the key {key!r}")
        click = Click(
            userid=member.userid,
            agent_id=message.agent_id,
            event=event,
            event_key=key,
            task_id=str(card.get("task_id") or message.task_id),
            card_type=str(card.get("card_type", "")),
            response_code=self.issue_code(message, now),
            clicked_at=now,
            selected={name: tuple(ids) for name, ids in selected.items()},
        )
        self.clicks.append(click)
        return click


def _events(card: Mapping[str, Any]) -> dict[str, str]:
    """Key -> event, of all on the card that calls back."""
    buttons = [button for button in card.get("button_list", ()) if not button.get("type")]
    pressed = [*buttons, *([card["submit_button"]] if "submit_button" in card else [])]
    menu = (card.get("action_menu") or {}).get("action_list", ())
    return {
        **{action["key"]: MENU_EVENT for action in menu},
        **{button["key"]: CARD_EVENT for button in pressed},
    }
