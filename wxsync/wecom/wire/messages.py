"""Messages of an app to WeCom's JSON and back (WeCom pages 90236, 94888, 94867)."""

from __future__ import annotations

from collections.abc import Iterable

from wxsync.model.member import fold
from wxsync.wecom.blocks import Link, MiniProgram, Url
from wxsync.wecom.cards import Card
from wxsync.wecom.content import (
    EVERYBODY,
    AppCount,
    Article,
    ChatContent,
    Content,
    File,
    Image,
    Markdown,
    MiniProgramNotice,
    MpNews,
    News,
    Receivers,
    ReplacedButton,
    Safe,
    Sent,
    StoredArticle,
    Text,
    TextCard,
    Video,
    Voice,
)
from wxsync.wecom.wire.cards import filled, to_card
from wxsync.wecom.wire.shapes import Answer, Json, number_of, rows_of, text_of, texts_of, unreadable

SEND = "message/send"


def to_message(
    content: Content,
    receivers: Receivers,
    *,
    agent_id: int,
    safe: Safe,
    enable_id_trans: bool,
    duplicate_check_interval: int,
) -> Json:
    """The body of message/send; the duplicate check is always on."""
    return {
        **_addressed(receivers),
        "agentid": agent_id,
        **to_content(content),
        **({"safe": int(safe)} if safe else {}),
        **({"enable_id_trans": 1} if enable_id_trans else {}),
        "enable_duplicate_check": 1,
        "duplicate_check_interval": duplicate_check_interval,
    }


def to_content(content: Content) -> Json:
    """`msgtype`, and the object that it names."""
    if isinstance(content, Card):
        return {"msgtype": "template_card", "template_card": to_card(content)}
    if isinstance(content, MiniProgramNotice):
        return {"msgtype": "miniprogram_notice", "miniprogram_notice": _mini_program_notice(content)}
    return to_chat_content(content)


def to_chat_content(content: ChatContent) -> Json:
    """`msgtype`, and the object that it names, of the kinds that go to members and to chats alike."""
    match content:
        case Text():
            return {"msgtype": "text", "text": {"content": content.content}}
        case Markdown():
            return {"msgtype": "markdown", "markdown": {"content": content.content}}
        case Image():
            return {"msgtype": "image", "image": {"media_id": content.media_id}}
        case Voice():
            return {"msgtype": "voice", "voice": {"media_id": content.media_id}}
        case File():
            return {"msgtype": "file", "file": {"media_id": content.media_id}}
        case Video():
            return {"msgtype": "video", "video": _video(content)}
        case TextCard():
            return {"msgtype": "textcard", "textcard": _text_card(content)}
        case News():
            return {"msgtype": "news", "news": {"articles": to_articles(content.articles)}}
        case MpNews():
            stored = [_stored_article(article) for article in content.articles]
            return {"msgtype": "mpnews", "mpnews": {"articles": stored}}


def to_articles(articles: Iterable[Article]) -> list[Json]:
    return [
        filled(
            {
                "title": article.title,
                "description": article.description,
                **_where(article.link),
                "picurl": article.picurl,
            }
        )
        for article in articles
    ]


def to_update(to: Card | ReplacedButton, receivers: Receivers, *, agent_id: int, response_code: str) -> Json:
    """The body of message/update_template_card, whose receivers are arrays."""
    body: Json = {
        "userids": list(receivers.userids),
        "partyids": list(receivers.department_ids),
        "tagids": list(receivers.tag_ids),
        "agentid": agent_id,
        "response_code": response_code,
    }
    if receivers.is_everybody:
        body["atall"] = 1
    if isinstance(to, ReplacedButton):
        body["button"] = {"replace_name": to.replace_name}
    else:
        body["template_card"] = to_card(to)
    return filled(body)


def to_recall(msgid: str) -> Json:
    return {"msgid": msgid}


def to_day(*, is_yesterday: bool) -> Json:
    return {"time_type": int(is_yesterday)}


def from_sent(answer: Answer, receivers: Receivers) -> Sent:
    """What message/send says; whom it does not reach is joined with `|`."""
    return Sent(
        msgid=text_of(answer, "msgid", SEND),
        invalid_userids=_spelled(_joined(answer, "invaliduser"), receivers),
        invalid_department_ids=_ids(answer, "invalidparty"),
        invalid_tag_ids=_ids(answer, "invalidtag"),
        unlicensed_userids=_spelled(_joined(answer, "unlicenseduser"), receivers),
        response_code=_text(answer, "response_code") or None,
    )


def from_update(answer: Answer, receivers: Receivers) -> frozenset[str]:
    """Those whose card stays as it is: an array here, not a text."""
    return _spelled(texts_of(answer, "invaliduser", "message/update_template_card"), receivers)


def from_statistics(answer: Answer) -> tuple[AppCount, ...]:
    endpoint = "message/get_statistics"
    return tuple(
        AppCount(
            agent_id=number_of(row, "agentid", endpoint),
            app_name=text_of(row, "app_name", endpoint),
            count=number_of(row, "count", endpoint),
        )
        for row in rows_of(answer, "statistics", endpoint)
    )


def _addressed(receivers: Receivers) -> Json:
    if receivers.is_everybody:
        return {"touser": EVERYBODY}
    return filled(
        {
            "touser": "|".join(receivers.userids),
            "toparty": "|".join(map(str, receivers.department_ids)),
            "totag": "|".join(map(str, receivers.tag_ids)),
        }
    )


def _video(video: Video) -> Json:
    words = {"media_id": video.media_id, "title": video.title, "description": video.description}
    return filled(words)


def _text_card(card: TextCard) -> Json:
    words = {"title": card.title, "description": card.description, "url": card.url, "btntxt": card.btntxt}
    return filled(words)


def _stored_article(article: StoredArticle) -> Json:
    return filled(
        {
            "title": article.title,
            "thumb_media_id": article.thumb_media_id,
            "author": article.author,
            "content_source_url": article.content_source_url,
            "content": article.content,
            "digest": article.digest,
        }
    )


def _mini_program_notice(notice: MiniProgramNotice) -> Json:
    return filled(
        {
            "appid": notice.appid,
            "page": notice.page,
            "title": notice.title,
            "description": notice.description,
            "emphasis_first_item": notice.emphasis_first_item,
            "content_item": [{"key": item.key, "value": item.value} for item in notice.content_item],
        }
    )


def _where(link: Link) -> Json:
    match link:
        case Url():
            return {"url": link.url}
        case MiniProgram():
            return {"appid": link.appid, "pagepath": link.pagepath}


def _spelled(userids: Iterable[str], receivers: Receivers) -> frozenset[str]:
    """`userids`, each as it is spelled among the receivers, where it is there."""
    spelling = {fold(userid): userid for userid in receivers.userids}
    return frozenset(spelling.get(fold(userid), userid) for userid in userids)


def _joined(answer: Answer, name: str) -> list[str]:
    return [part for part in _text(answer, name).split("|") if part]


def _ids(answer: Answer, name: str) -> frozenset[int]:
    parts = _joined(answer, name)
    if not all(part.isascii() and part.isdecimal() and len(part) < 19 for part in parts):
        raise unreadable(SEND, f"{name} is not made of numbers")
    return frozenset(int(part) for part in parts)


def _text(answer: Answer, name: str) -> str:
    """A text that WeCom leaves out where it is empty."""
    return text_of(answer, name, SEND) if answer.get(name) is not None else ""
