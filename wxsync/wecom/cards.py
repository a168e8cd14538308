"""The five template cards (WeCom page 90236), whole and within their limits from birth.

A card that WeCom would refuse raises `UnsendableError`. Cards that are clicked need a receiver of the app's
(else 43012), and a `task_id` that the app has used for no other card.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from wxsync.errors import UnsendableError
from wxsync.wecom.blocks import (
    ActionMenu,
    Button,
    CardImage,
    Checkbox,
    EmphasisContent,
    HorizontalContent,
    ImageTextArea,
    Jump,
    Link,
    MainTitle,
    QuoteArea,
    Selection,
    Source,
    SubmitButton,
    VerticalContent,
)
from wxsync.wecom.measures import Measure, check, check_distinct

TASK_ID: Final = re.compile(r"[0-9A-Za-z_\-@]{1,128}", re.ASCII)
NO_TITLE: Final = MainTitle()


@dataclass(frozen=True, slots=True, kw_only=True)
class TextNotice:
    """A notice in words: a title or a text below it, up to 6 lines, 3 links; a tap opens `card_action`."""

    card_action: Link
    main_title: MainTitle = NO_TITLE
    sub_title_text: str = field(default="", metadata=Measure(shown=160, shown_in_webhook=112).metadata)
    source: Source | None = None
    action_menu: ActionMenu | None = None
    task_id: str = ""
    quote_area: QuoteArea | None = None
    emphasis_content: EmphasisContent | None = None
    horizontal_content_list: tuple[HorizontalContent, ...] = field(
        default=(), metadata=Measure(items=(0, 6)).metadata
    )
    jump_list: tuple[Jump, ...] = field(default=(), metadata=Measure(items=(0, 3)).metadata)

    def __post_init__(self) -> None:
        check(self)
        _check_task_id("TextNotice", self.task_id, is_required=self.action_menu is not None)
        if not (self.main_title.title.strip() or self.sub_title_text.strip()):
            raise UnsendableError("TextNotice.main_title", "neither this nor sub_title_text has a text")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsNotice:
    """A notice with a picture, or a text beside a small one; a tap opens `card_action`."""

    card_action: Link
    main_title: MainTitle
    card_image: CardImage | None = None
    image_text_area: ImageTextArea | None = None
    source: Source | None = None
    action_menu: ActionMenu | None = None
    task_id: str = ""
    quote_area: QuoteArea | None = None
    vertical_content_list: tuple[VerticalContent, ...] = field(
        default=(), metadata=Measure(items=(0, 4)).metadata
    )
    horizontal_content_list: tuple[HorizontalContent, ...] = field(
        default=(), metadata=Measure(items=(0, 6)).metadata
    )
    jump_list: tuple[Jump, ...] = field(default=(), metadata=Measure(items=(0, 3)).metadata)

    def __post_init__(self) -> None:
        check(self)
        _check_task_id("NewsNotice", self.task_id, is_required=self.action_menu is not None)
        _check_title("NewsNotice", self.main_title)
        if self.card_image is None and self.image_text_area is None:
            raise UnsendableError("NewsNotice.card_image", "neither this nor image_text_area is there")


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonInteraction:
    """A question with 1 to 6 buttons, and with a list to choose from where there is `button_selection`."""

    task_id: str
    main_title: MainTitle
    button_list: tuple[Button, ...] = field(metadata=Measure(items=(1, 6)).metadata)
    button_selection: Selection | None = None
    sub_title_text: str = field(default="", metadata=Measure(shown=160).metadata)
    source: Source | None = None
    action_menu: ActionMenu | None = None
    quote_area: QuoteArea | None = None
    horizontal_content_list: tuple[HorizontalContent, ...] = field(
        default=(), metadata=Measure(items=(0, 6)).metadata
    )
    card_action: Link | None = None

    def __post_init__(self) -> None:
        check(self)
        _check_task_id("ButtonInteraction", self.task_id, is_required=True)
        _check_title("ButtonInteraction", self.main_title)
        menu = self.action_menu.action_list if self.action_menu else ()
        keys = [button.key for button in self.button_list if button.key]
        # A click is known by its key alone, so no button may share one with the menu (42051).
        check_distinct("ButtonInteraction.button_list", [*keys, *(action.key for action in menu)])


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteInteraction:
    """A list of 1 to 20 things to tick, and a button that sends it."""

    task_id: str
    main_title: MainTitle
    checkbox: Checkbox
    submit_button: SubmitButton
    source: Source | None = None

    def __post_init__(self) -> None:
        check(self)
        _check_task_id("VoteInteraction", self.task_id, is_required=True)
        _check_title("VoteInteraction", self.main_title)


@dataclass(frozen=True, slots=True, kw_only=True)
class MultipleInteraction:
    """1 to 3 lists to choose one thing of each, and a button that sends it."""

    task_id: str
    main_title: MainTitle
    select_list: tuple[Selection, ...] = field(metadata=Measure(items=(1, 3)).metadata)
    submit_button: SubmitButton
    source: Source | None = None

    def __post_init__(self) -> None:
        check(self)
        _check_task_id("MultipleInteraction", self.task_id, is_required=True)
        _check_title("MultipleInteraction", self.main_title)
        check_distinct(
            "MultipleInteraction.select_list", (chosen.question_key for chosen in self.select_list)
        )


Card = TextNotice | NewsNotice | ButtonInteraction | VoteInteraction | MultipleInteraction


def _check_task_id(card: str, task_id: str, *, is_required: bool) -> None:
    if (task_id or is_required) and not TASK_ID.fullmatch(task_id):
        raise UnsendableError(f"{card}.task_id", "is not 1 to 128 of the characters 0-9 A-Z a-z _ - @")


def _check_title(card: str, title: MainTitle) -> None:
    if not title.title.strip():
        raise UnsendableError(f"{card}.main_title", "has no title")
