"""Template cards to WeCom's JSON (WeCom page 90236); what is empty is left out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from wxsync.wecom.blocks import (
    ActionMenu,
    Attachment,
    Button,
    CardImage,
    Checkbox,
    HorizontalContent,
    ImageTextArea,
    Link,
    MemberCard,
    MiniProgram,
    QuoteArea,
    Selection,
    Source,
    SubmitButton,
    Url,
)
from wxsync.wecom.cards import (
    ButtonInteraction,
    Card,
    MultipleInteraction,
    NewsNotice,
    TextNotice,
    VoteInteraction,
)
from wxsync.wecom.wire.shapes import Json

NOWHERE: Final = 0
"""`type` of what leads nowhere, and of a button that reports its key."""
TO_URL: Final = 1
TO_MINI_PROGRAM: Final = 2
TO_FILE: Final = 2
TO_MEMBER: Final = 3


def to_card(card: Card) -> Json:
    """The template_card of message/send, webhook/send and message/update_template_card."""
    match card:
        case TextNotice():
            parts = _text_notice(card)
        case NewsNotice():
            parts = _news_notice(card)
        case ButtonInteraction():
            parts = _button_interaction(card)
        case VoteInteraction():
            parts = {
                "card_type": "vote_interaction",
                "checkbox": _checkbox(card.checkbox),
                "submit_button": _submit(card.submit_button),
            }
        case MultipleInteraction():
            parts = {
                "card_type": "multiple_interaction",
                "select_list": [_selection(chosen) for chosen in card.select_list],
                "submit_button": _submit(card.submit_button),
            }
    return filled({**parts, **_head(card)})


def filled(body: Json) -> Json:
    """`body` without what is empty: no text, no list, no block; numbers stay."""
    return {name: value for name, value in body.items() if value not in (None, "", [], {})}


def _head(card: Card) -> Json:
    title = card.main_title
    return {
        "source": _source(card.source),
        "main_title": filled({"title": title.title, "desc": title.desc}),
        "task_id": card.task_id,
    }


def _text_notice(card: TextNotice) -> Json:
    emphasis = card.emphasis_content
    return {
        "card_type": "text_notice",
        "action_menu": _menu(card.action_menu),
        "quote_area": _quote(card.quote_area),
        "emphasis_content": emphasis and filled({"title": emphasis.title, "desc": emphasis.desc}),
        "sub_title_text": card.sub_title_text,
        "horizontal_content_list": _lines(card.horizontal_content_list),
        "jump_list": [{"title": jump.title, **_link(jump.link)} for jump in card.jump_list],
        "card_action": _link(card.card_action),
    }


def _news_notice(card: NewsNotice) -> Json:
    rows = [filled({"title": row.title, "desc": row.desc}) for row in card.vertical_content_list]
    return {
        "card_type": "news_notice",
        "action_menu": _menu(card.action_menu),
        "quote_area": _quote(card.quote_area),
        "card_image": _image(card.card_image),
        "image_text_area": _image_text(card.image_text_area),
        "vertical_content_list": rows,
        "horizontal_content_list": _lines(card.horizontal_content_list),
        "jump_list": [{"title": jump.title, **_link(jump.link)} for jump in card.jump_list],
        "card_action": _link(card.card_action),
    }


def _button_interaction(card: ButtonInteraction) -> Json:
    return {
        "card_type": "button_interaction",
        "action_menu": _menu(card.action_menu),
        "quote_area": _quote(card.quote_area),
        "sub_title_text": card.sub_title_text,
        "horizontal_content_list": _lines(card.horizontal_content_list),
        "button_selection": card.button_selection and _selection(card.button_selection),
        "button_list": [_button(button) for button in card.button_list],
        "card_action": card.card_action and _link(card.card_action),
    }


def _link(link: Link | None) -> Json:
    match link:
        case Url():
            return {"type": TO_URL, "url": link.url}
        case MiniProgram():
            return filled({"type": TO_MINI_PROGRAM, "appid": link.appid, "pagepath": link.pagepath})
        case None:
            return {"type": NOWHERE}


def _source(source: Source | None) -> Json | None:
    if source is None:
        return None
    words = {"icon_url": source.icon_url, "desc": source.desc, "desc_color": int(source.desc_color)}
    return filled(words)


def _menu(menu: ActionMenu | None) -> Json | None:
    if menu is None:
        return None
    entries = [{"text": action.text, "key": action.key} for action in menu.action_list]
    return filled({"desc": menu.desc, "action_list": entries})


def _quote(quote: QuoteArea | None) -> Json | None:
    if quote is None:
        return None
    return filled({**_link(quote.link), "title": quote.title, "quote_text": quote.quote_text})


def _lines(rows: Iterable[HorizontalContent]) -> list[Json]:
    return [filled({"keyname": row.keyname, "value": row.value, **_target(row)}) for row in rows]


def _target(row: HorizontalContent) -> Json:
    match row.target:
        case Url(url=url):
            return {"type": TO_URL, "url": url}
        case Attachment(media_id=media_id):
            return {"type": TO_FILE, "media_id": media_id}
        case MemberCard(userid=userid):
            return {"type": TO_MEMBER, "userid": userid}
        case None:
            return {"type": NOWHERE}


def _image(image: CardImage | None) -> Json | None:
    return None if image is None else {"url": image.url, "aspect_ratio": image.aspect_ratio}


def _image_text(area: ImageTextArea | None) -> Json | None:
    if area is None:
        return None
    words = {"title": area.title, "desc": area.desc, "image_url": area.image_url}
    return filled({**_link(area.link), **words})


def _button(button: Button) -> Json:
    leads = TO_URL if button.url else NOWHERE
    words = {"text": button.text, "style": button.style, "key": button.key, "url": button.url}
    return filled({"type": leads, **words})


def _submit(button: SubmitButton) -> Json:
    return {"text": button.text, "key": button.key}


def _selection(chosen: Selection) -> Json:
    options = [{"id": option.id, "text": option.text} for option in chosen.option_list]
    return filled(
        {
            "question_key": chosen.question_key,
            "title": chosen.title,
            "selected_id": chosen.selected_id,
            "option_list": options,
        }
    )


def _checkbox(box: Checkbox) -> Json:
    options = [
        {"id": option.id, "text": option.text, "is_checked": option.id in box.checked_ids}
        for option in box.option_list
    ]
    return {"question_key": box.question_key, "option_list": options, "mode": int(box.is_multiple)}
