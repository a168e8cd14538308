"""What a template card must hold (WeCom page 96459): one errcode for each kind of fault."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from wxsync.sandbox.content import SCHEME, text_in
from wxsync.sandbox.fields import is_object
from wxsync.sandbox.records import fold
from wxsync.sandbox.refusal import Refusal, invalid, missing
from wxsync.sandbox.state import SandboxState

Card = Mapping[str, Any]

TEMPLATE_CARD: Final = "template_card"
TEXT_NOTICE: Final = "text_notice"
NEWS_NOTICE: Final = "news_notice"
BUTTON: Final = "button_interaction"
VOTE: Final = "vote_interaction"
MULTIPLE: Final = "multiple_interaction"
NOTICES: Final = (TEXT_NOTICE, NEWS_NOTICE)
INTERACTIVE: Final = (BUTTON, VOTE, MULTIPLE)

TASK_ID: Final = re.compile(r"[0-9A-Za-z_\-@]{1,128}")
KEY: Final = 1024
OPTION_ID: Final = 128
"""Bytes. Lengths in characters are only how much is shown."""


def check_card(state: SandboxState, card: Card) -> None:
    """The blocks of this card type are in order; the task_id's being new is checked elsewhere."""
    kind = card.get("card_type")
    if kind not in (*NOTICES, *INTERACTIVE):
        raise Refusal(42031)
    if kind in (*NOTICES, BUTTON):
        _check_menu(card)
        _check_target(card.get("quote_area"), "quote_area")
        _check_horizontal(state, card)
    _check_task_id(card)
    if kind == TEXT_NOTICE:
        _check_text_notice(card)
    if kind == NEWS_NOTICE:
        _check_news_notice(card)
    if kind in NOTICES:
        _check_jumps(card)
        _check_action(card, allowed=(1, 2))
    if kind == BUTTON:
        _check_buttons(card)
    if kind == VOTE:
        _check_question(_object(card, "checkbox"), most=20)
        _check_submit(card)
    if kind == MULTIPLE:
        _check_selects(card)
        _check_submit(card)


def calls_back(card: Card) -> bool:
    """Something on this card, which is in order, needs the app's receiver (else 43012)."""
    kind = card["card_type"]
    if kind == BUTTON and any(not button.get("type") for button in card["button_list"]):
        return True
    return kind in (VOTE, MULTIPLE) or _has_menu(card)


def has_response_code(card: Card) -> bool:
    """The answer to message/send carries the right to update this card, which then needs a task_id."""
    return card["card_type"] in INTERACTIVE or _has_menu(card)


def _has_menu(card: Card) -> bool:
    return card["card_type"] in (*NOTICES, BUTTON) and card.get("action_menu") is not None


def _check_menu(card: Card) -> None:
    if card.get("action_menu") is None:
        return
    actions = _objects(_object(card, "action_menu"), "action_list", 1, 3, 40058)
    for action in actions:
        _need(action, "text", 42038)
        _need(action, "key", 42039, KEY)
    if len({action["key"] for action in actions}) != len(actions):
        raise Refusal(42051)


def _check_task_id(card: Card) -> None:
    task_id = text_in(card, "task_id")
    if (task_id or has_response_code(card)) and not TASK_ID.fullmatch(task_id):
        raise Refusal(42014)


def _check_target(block: Any, name: str, errcode: int = 40058) -> None:
    """What opens on a tap: type 1 a page, 2 a mini program, 0 nothing."""
    if block is None:
        return
    if not is_object(block) or block.get("type", 0) not in (0, 1, 2):
        raise invalid(name) if errcode == 40058 else Refusal(errcode)
    if block.get("type") == 1:
        _need_url(block, "url")
    if block.get("type") == 2:
        _need(block, "appid", 42030)


def _check_horizontal(state: SandboxState, card: Card) -> None:
    for row in _objects(card, "horizontal_content_list", 0, 6, 42035):
        _need(row, "keyname", 42027)
        match row.get("type", 0):
            case 0:
                pass
            case 1:
                _need_url(row, "url")
            case 2:
                _need(row, "media_id", 42029)
                if row["media_id"] not in state.media:
                    raise Refusal(42029)
            case 3:
                _need(row, "userid", 42050)
                if fold(row["userid"]) not in state.members:
                    raise Refusal(42050)
            case _:
                raise invalid("horizontal_content_list.type")


def _check_text_notice(card: Card) -> None:
    titles = _object(card, "main_title") if card.get("main_title") is not None else {}
    if not text_in(titles, "title") and not text_in(card, "sub_title_text"):
        raise Refusal(42033)


def _check_news_notice(card: Card) -> None:
    if card.get("card_image") is None and card.get("image_text_area") is None:
        raise Refusal(42044)
    if card.get("card_image") is not None:
        image = _object(card, "card_image")
        _need_url(image, "url", 42044)
        ratio = image.get("aspect_ratio", 1.3)
        if not isinstance(ratio, int | float) or not 1.3 <= ratio <= 2.25:
            raise invalid("aspect_ratio")
    if card.get("image_text_area") is not None:
        area = _object(card, "image_text_area")
        _check_target(area, "image_text_area")
        _need_url(area, "image_url", 42044)
    for row in _objects(card, "vertical_content_list", 0, 4, 42036):
        _need(row, "title", 42033)


def _check_jumps(card: Card) -> None:
    for jump in _objects(card, "jump_list", 0, 3, 42042):
        _need(jump, "title", 42033)
        _check_target(jump, "jump_list", 42042)


def _check_action(card: Card, *, allowed: Collection[int]) -> None:
    action: Any = card.get("card_action")
    if not is_object(action) or action.get("type") not in allowed:
        raise Refusal(42045)
    _check_target(action, "card_action", 42045)


def _check_buttons(card: Card) -> None:
    buttons = _objects(card, "button_list", 1, 6, 40058)
    for button in buttons:
        _need(button, "text", 42038)
        if button.get("type", 0) == 1:
            _need_url(button, "url")
        else:
            _need(button, "key", 42039, KEY)
    keys = [button["key"] for button in buttons if not button.get("type")]
    if len(set(keys)) != len(keys):
        raise Refusal(42039)
    if card.get("button_selection") is not None:
        _check_question(_object(card, "button_selection"), most=10)
    if card.get("card_action") is not None:
        _check_action(card, allowed=(0, 1, 2))


def _check_question(block: Card, *, most: int) -> None:
    _need(block, "question_key", 42043, KEY)
    for option in _objects(block, "option_list", 1, most, 42037):
        _need(option, "id", 42040, OPTION_ID)
        _need(option, "text", 42041)


def _check_selects(card: Card) -> None:
    for select in _objects(card, "select_list", 1, 3, 42047):
        _check_question(select, most=10)


def _check_submit(card: Card) -> None:
    button = _object(card, "submit_button")
    _need(button, "text", 42049)
    _need(button, "key", 42046, KEY)


def _object(holder: Card, name: str) -> Card:
    block = holder.get(name)
    if block is None:
        raise missing(name)
    if not is_object(block):
        raise invalid(name)
    found: Card = block
    return found


def _objects(holder: Card, name: str, least: int, most: int, errcode: int) -> list[Card]:
    """A list of so many objects; another count gets the errcode."""
    blocks = holder.get(name)
    if blocks is None:
        blocks = []
    if not isinstance(blocks, list) or not all(is_object(block) for block in blocks):
        raise invalid(name)
    if not least <= len(blocks) <= most:
        raise Refusal(errcode) if errcode != 40058 else (invalid(name) if blocks else missing(name))
    return blocks


def _need(block: Card, name: str, errcode: int, most: int | None = None) -> None:
    """A text that is there and within so many bytes."""
    value = block.get(name)
    if not isinstance(value, str) or not value or (most is not None and len(value.encode()) > most):
        raise Refusal(errcode)


def _need_url(block: Card, name: str, errcode: int = 42028) -> None:
    _need(block, name, errcode, 2048)
    if not SCHEME.match(block[name]):
        raise Refusal(errcode)
