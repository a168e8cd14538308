"""A notice as WeCom shows it: the app's card, the card that asks, the group's markdown. Pure.

A card shows 36 characters of a title, 160 of its text, six lines of a five-character name and 30 characters
(WeCom page 90236).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from wxsync.model.approval import Verdict
from wxsync.model.message import Message, say
from wxsync.model.notice import Notice, NoticeKind
from wxsync.report.wording import Wording
from wxsync.service.notify.words import Letter, counted, cut, cut_bytes, happened, headline, letter, short
from wxsync.wecom.blocks import (
    Button,
    Color,
    HorizontalContent,
    MainTitle,
    QuoteArea,
    Source,
    Url,
)
from wxsync.wecom.cards import ButtonInteraction, TextNotice
from wxsync.wecom.content import Text
from wxsync.wecom.webhook_content import WebhookMarkdown

APPROVE: Final = "approve"
REJECT: Final = "reject"
"""The keys of the two buttons."""
PRODUCT: Final = "wxsync"
QUOTED: Final = 500
TITLE: Final = 36
HARMLESS: Final = str.maketrans({"<": "〈", ">": "〉", "`": "'", "*": "＊", "[": "［", "]": "］"})
"""What markdown would take for its own."""
BAD: Final = frozenset(
    {
        NoticeKind.WAITS,
        NoticeKind.REFUSED,
        NoticeKind.TROUBLE,
        NoticeKind.STOPPED,
        NoticeKind.FAILED,
        NoticeKind.SILENT,
    }
)


def card(notice: Notice, language: str, link: str) -> TextNotice:
    """The card that tells."""
    told = letter(notice, language)
    return TextNotice(
        source=_source(notice),
        main_title=_title(notice, told, language),
        sub_title_text=_text(told),
        quote_area=_quote(told),
        horizontal_content_list=tuple(_rows(notice, language))[:6],
        card_action=Url(url=link),
    )


def asking_card(notice: Notice, language: str, task_id: str) -> ButtonInteraction:
    """The card that asks whether a plan is carried out."""
    told, words = letter(notice, language), _words(language)
    return ButtonInteraction(
        task_id=task_id,
        source=_source(notice),
        main_title=_title(notice, told, language),
        sub_title_text=_text(told),
        quote_area=_quote(told),
        horizontal_content_list=tuple(_rows(notice, language))[:6],
        button_list=(
            Button(text=words.of(say("Approve")), key=APPROVE, style=1),
            Button(text=words.of(say("Reject")), key=REJECT, style=2),
        ),
    )


def decided_card(notice: Notice, language: str, link: str, said: Message) -> TextNotice:
    """The same card after somebody decided: who and what in the place of the buttons."""
    told, words = letter(notice, language), _words(language)
    return TextNotice(
        source=Source(desc=PRODUCT, desc_color=Color.GREY),
        main_title=MainTitle(title=headline(notice, said, words, TITLE), desc=cut(told.origin, 44)),
        sub_title_text=cut(words.of(say("It was: {title}", title=told.title)), 160),
        quote_area=_quote(told),
        horizontal_content_list=tuple(_rows(notice, language))[:6],
        card_action=Url(url=link),
    )


def verdict_text(verdict: Verdict, who: str) -> Message:
    """Who decided, and what."""
    if verdict is Verdict.APPROVED:
        return say("{who} approved it", who=who)
    return say("{who} rejected it", who=who)


def refusal(notice: Notice, language: str) -> Text:
    """To somebody who clicked and may not decide."""
    words = _words(language)
    said = say(
        "You may not decide on plans of sync {sync}, and nothing happened. "
        "The config names who may: approvers.",
        sync=notice.sync,
    )
    return Text(content=cut_bytes(words.of(said), 2048))


def markdown(notice: Notice, language: str) -> WebhookMarkdown:
    """The message in a group: 4096 bytes at most (WeCom page 99110)."""
    told = letter(notice, language)
    colour = "warning" if notice.kind in BAD else "info"
    lines = [f'**<font color="{colour}">{_plain(told.title)}</font>**', *map(_plain, told.facts)]
    lines += [f"> {_plain(reason)}" for reason in told.reasons]
    lines += [_plain(told.action)] if told.action else []
    end = [f"`{told.command}`"] if told.command else []
    end.append(f'<font color="comment">{_plain(told.origin)}</font>')
    tail = "\n".join(end)
    head = cut_bytes("\n".join(lines), 4096 - len(tail.encode()) - 1)
    return WebhookMarkdown(content=f"{head}\n{tail}")


def _source(notice: Notice) -> Source:
    return Source(desc=PRODUCT, desc_color=Color.RED if notice.kind in BAD else Color.GREEN)


def _title(notice: Notice, told: Letter, language: str) -> MainTitle:
    title = headline(notice, happened(notice), _words(language), TITLE)
    return MainTitle(title=title, desc=cut(told.origin, 44))


def _text(told: Letter) -> str:
    """What to do; the command would be cut off if anything stood before it."""
    return cut("\n".join(line for line in (told.action, told.command) if line), 160)


def _quote(told: Letter) -> QuoteArea | None:
    return QuoteArea(quote_text=cut("\n".join(told.reasons), QUOTED)) if told.reasons else None


def _rows(notice: Notice, language: str) -> Iterator[HorizontalContent]:
    """The numbers: of what was written, or where nothing was, of what is planned."""
    words = _words(language)
    names = {"department": say("Depts"), "member": say("Staff"), "tag": say("Tags")}
    for kind, told in counted(notice.done or notice.planned, words):
        yield HorizontalContent(keyname=words.of(names[kind]), value=cut(told, 30))
    if notice.failed or notice.unknown:
        bad = say("failed {failed}, fate unknown {unknown}", failed=notice.failed, unknown=notice.unknown)
        yield HorizontalContent(keyname=words.of(say("Wrong")), value=cut(words.of(bad), 30))
    if notice.rejected:
        rejected = say("{count} rows rejected", count=notice.rejected)
        yield HorizontalContent(keyname=words.of(say("Data")), value=cut(words.of(rejected), 30))
    if notice.digest:
        yield HorizontalContent(keyname=words.of(say("Plan#")), value=short(notice.digest))


def _words(language: str) -> Wording:
    return Wording(language=language, show_personal=False, names={})


def _plain(text: str) -> str:
    return text.translate(HARMLESS)
