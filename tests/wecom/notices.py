"""Cards and messages that are just right, for tests that change one thing in them."""

from __future__ import annotations

from typing import Any

from wxsync.wecom.blocks import (
    ActionMenu,
    Button,
    CardImage,
    Checkbox,
    HorizontalContent,
    Jump,
    MainTitle,
    MemberCard,
    MenuAction,
    Option,
    Selection,
    SubmitButton,
    Url,
    VerticalContent,
)
from wxsync.wecom.cards import (
    ButtonInteraction,
    MultipleInteraction,
    NewsNotice,
    TextNotice,
    VoteInteraction,
)
from wxsync.wecom.content import (
    Article,
    ContentItem,
    File,
    Image,
    Markdown,
    MiniProgramNotice,
    MpNews,
    News,
    StoredArticle,
    Text,
    TextCard,
    Video,
    Voice,
)

PAGE = Url(url="https://example.com/a")
TITLE = MainTitle(title="离职")
MENU = ActionMenu(action_list=(MenuAction(text="静音", key="mute"),))
OPTIONS = (Option(id="a", text="甲"), Option(id="b", text="乙"))
LIST = Selection(question_key="q", option_list=OPTIONS)

EVERY_CARD: dict[str, Any] = {
    "text_notice": TextNotice(
        card_action=PAGE,
        main_title=TITLE,
        horizontal_content_list=(HorizontalContent(keyname="人", target=MemberCard(userid="a")),),
        jump_list=(Jump(title="去", link=PAGE),),
    ),
    "news_notice": NewsNotice(
        card_action=PAGE,
        main_title=TITLE,
        card_image=CardImage(url="https://example.com/a.png"),
        vertical_content_list=(VerticalContent(title="一"),),
    ),
    "button_interaction": ButtonInteraction(
        task_id="t-buttons",
        main_title=TITLE,
        button_list=(Button(text="批准", key="ok"), Button(text="看", url="https://example.com/b")),
        action_menu=MENU,
        button_selection=LIST,
    ),
    "vote_interaction": VoteInteraction(
        task_id="t-vote",
        main_title=TITLE,
        checkbox=Checkbox(question_key="q", option_list=OPTIONS, checked_ids=frozenset({"a"})),
        submit_button=SubmitButton(text="好", key="sent"),
    ),
    "multiple_interaction": MultipleInteraction(
        task_id="t-multiple",
        main_title=TITLE,
        select_list=(LIST,),
        submit_button=SubmitButton(text="好", key="sent"),
    ),
}


def every_content(media: dict[str, str]) -> dict[str, Any]:
    """One message of each kind but cards; `media` has a media_id for each type of file."""
    return {
        "text": Text(content="好\n<a href='https://example.com'>去</a>"),
        "markdown": Markdown(content="**好**"),
        "image": Image(media_id=media["image"]),
        "voice": Voice(media_id=media["voice"]),
        "file": File(media_id=media["file"]),
        "video": Video(media_id=media["video"], title="片", description="长"),
        "textcard": TextCard(title="题", description="文", url="https://example.com/a", btntxt="更多"),
        "news": News(articles=(Article(title="题", link=PAGE, picurl="https://example.com/p.png"),)),
        "mpnews": MpNews(
            articles=(StoredArticle(title="题", thumb_media_id=media["image"], content="<p>文</p>"),)
        ),
        "miniprogram_notice": MiniProgramNotice(
            appid="wx0000000000000001",
            title="一二三四",
            description="一二三四",
            content_item=(ContentItem(key="键", value="值"),),
        ),
    }
