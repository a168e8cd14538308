"""What a message may hold: each limit where it begins, and what an error tells of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.wecom.notices import EVERY_CARD, LIST, MENU, OPTIONS, PAGE, every_content
from wxsync.errors import UnsendableError, WeComError
from wxsync.wecom.blocks import (
    Button,
    CardImage,
    Checkbox,
    EmphasisContent,
    HorizontalContent,
    ImageTextArea,
    Jump,
    MainTitle,
    MenuAction,
    MiniProgram,
    Option,
    Selection,
    Source,
    SubmitButton,
    Url,
    VerticalContent,
)
from wxsync.wecom.content import (
    Article,
    ContentItem,
    Markdown,
    MiniProgramNotice,
    MpNews,
    News,
    Receivers,
    ReplacedButton,
    StoredArticle,
    Text,
)
from wxsync.wecom.measures import overlong
from wxsync.wecom.webhook_content import (
    MarkdownV2,
    WebhookImage,
    WebhookMarkdown,
    WebhookText,
    check_for_webhook,
)

MESSAGES = every_content(dict.fromkeys(("image", "voice", "file", "video"), "m"))
ARTICLE = Article(title="t", link=PAGE)
STORED = MESSAGES["mpnews"].articles[0]
ITEM = ContentItem(key="k", value="v")
KEY = "k" * 1024

BYTES = [
    (MESSAGES["text"], "content", 2048),
    (MESSAGES["markdown"], "content", 2048),
    (MESSAGES["video"], "title", 128),
    (MESSAGES["video"], "description", 512),
    (MESSAGES["textcard"], "title", 128),
    (MESSAGES["textcard"], "description", 512),
    (ARTICLE, "title", 128),
    (ARTICLE, "description", 512),
    (STORED, "author", 64),
    (STORED, "digest", 512),
    (STORED, "content", 666 * 1024),
    (MenuAction(text="t", key="k"), "key", 1024),
    (SubmitButton(text="t", key="k"), "key", 1024),
    (Button(text="t", key="k"), "key", 1024),
    (LIST, "question_key", 1024),
    (Checkbox(question_key="q", option_list=OPTIONS), "question_key", 1024),
    (OPTIONS[0], "id", 128),
    (WebhookText(content="t"), "content", 2048),
    (WebhookMarkdown(content="t"), "content", 4096),
    (MarkdownV2(content="t"), "content", 4096),
]
CHARACTERS = [
    (MESSAGES["textcard"], "btntxt", 4),
    (MESSAGES["miniprogram_notice"], "title", 12),
    (MESSAGES["miniprogram_notice"], "description", 12),
    (ITEM, "key", 10),
    (ITEM, "value", 30),
]
ITEMS = [
    (MESSAGES["news"], "articles", ARTICLE, 1, 8),
    (MESSAGES["mpnews"], "articles", STORED, 1, 8),
    (MESSAGES["miniprogram_notice"], "content_item", ITEM, 0, 10),
    (EVERY_CARD["text_notice"], "horizontal_content_list", HorizontalContent(keyname="k"), 0, 6),
    (EVERY_CARD["text_notice"], "jump_list", Jump(title="t"), 0, 3),
    (EVERY_CARD["news_notice"], "horizontal_content_list", HorizontalContent(keyname="k"), 0, 6),
    (EVERY_CARD["news_notice"], "vertical_content_list", VerticalContent(title="t"), 0, 4),
    (EVERY_CARD["news_notice"], "jump_list", Jump(title="t"), 0, 3),
    (EVERY_CARD["button_interaction"], "button_list", Button(text="t", url="https://a.cn"), 1, 6),
    (EVERY_CARD["button_interaction"], "horizontal_content_list", HorizontalContent(keyname="k"), 0, 6),
]
REQUIRED = [
    (MESSAGES["text"], "content"),
    (MESSAGES["markdown"], "content"),
    (MESSAGES["image"], "media_id"),
    (MESSAGES["voice"], "media_id"),
    (MESSAGES["file"], "media_id"),
    (MESSAGES["video"], "media_id"),
    (MESSAGES["textcard"], "title"),
    (MESSAGES["textcard"], "description"),
    (MESSAGES["textcard"], "url"),
    (ARTICLE, "title"),
    (STORED, "title"),
    (STORED, "thumb_media_id"),
    (STORED, "content"),
    (MESSAGES["miniprogram_notice"], "appid"),
    (MESSAGES["miniprogram_notice"], "title"),
    (ITEM, "key"),
    (ITEM, "value"),
    (PAGE, "url"),
    (MiniProgram(appid="a"), "appid"),
    (MenuAction(text="t", key="k"), "text"),
    (MenuAction(text="t", key="k"), "key"),
    (HorizontalContent(keyname="k"), "keyname"),
    (VerticalContent(title="t"), "title"),
    (Jump(title="t"), "title"),
    (CardImage(url="https://a.cn"), "url"),
    (ImageTextArea(image_url="https://a.cn"), "image_url"),
    (Button(text="t", key="k"), "text"),
    (SubmitButton(text="t", key="k"), "text"),
    (SubmitButton(text="t", key="k"), "key"),
    (OPTIONS[0], "id"),
    (OPTIONS[0], "text"),
    (LIST, "question_key"),
    (ReplacedButton(replace_name="n"), "replace_name"),
    (WebhookText(content="t"), "content"),
    (WebhookMarkdown(content="t"), "content"),
    (MarkdownV2(content="t"), "content"),
]
URLS = [
    (PAGE, "url"),
    (MESSAGES["textcard"], "url"),
    (ARTICLE, "picurl"),
    (STORED, "content_source_url"),
    (Source(), "icon_url"),
    (CardImage(url="https://a.cn"), "url"),
    (ImageTextArea(image_url="https://a.cn"), "image_url"),
    (Button(text="t", url="https://a.cn"), "url"),
]


def named(case) -> str:
    return f"{type(case[0]).__name__}.{case[1]}"


def refused(record, **change) -> UnsendableError:
    with pytest.raises(UnsendableError) as caught:
        replace(record, **change)
    return caught.value


@pytest.mark.parametrize("case", BYTES, ids=named)
def test_texts_have_a_limit_in_bytes(case):
    """As many bytes as WeCom takes, and one more is refused; a Chinese character is three."""
    record, name, most = case
    assert getattr(replace(record, **{name: "x" * most}), name) == "x" * most
    error = refused(record, **{name: "x" * (most + 1)})
    assert error.field == named(case)
    assert error.problem == f"has {most + 1} bytes, and WeCom takes {most}"
    assert "bytes" in refused(record, **{name: "字" * (most // 3 + 1)}).problem


@pytest.mark.parametrize("case", CHARACTERS, ids=named)
def test_texts_have_a_limit_in_characters(case):
    """Chinese ones count as Latin ones do."""
    record, name, most = case
    assert getattr(replace(record, **{name: "字" * most}), name) == "字" * most
    error = refused(record, **{name: "字" * (most + 1)})
    assert (error.field, error.problem) == (
        named(case),
        f"has {most + 1} characters, and WeCom takes {most}",
    )


@pytest.mark.parametrize("case", ITEMS, ids=named)
def test_lists_have_a_limit(case):
    """From the fewest to the most, and neither one less nor one more."""
    record, name, item, fewest, most = case
    for count in (fewest, most):
        assert len(getattr(replace(record, **{name: (item,) * count}), name)) == count
    for count in {fewest - 1, most + 1} - {-1}:
        error = refused(record, **{name: (item,) * count})
        assert (error.field, error.problem) == (
            named(case),
            f"has {count} items, and WeCom takes {fewest} to {most}",
        )


@pytest.mark.parametrize("count", [0, 4])
def test_a_menu_has_1_to_3_entries(count):
    """And keys that differ; so have lists to choose from 1 to 10 options, boxes to tick 1 to 20."""
    entries = tuple(MenuAction(text="t", key=f"k{n}") for n in range(count))
    assert "takes 1 to 3" in refused(MENU, action_list=entries).problem
    assert "twice" in refused(MENU, action_list=(MENU.action_list[0],) * 2).problem
    options = tuple(Option(id=str(n), text="t") for n in range(21))
    assert len(replace(LIST, option_list=options[:10]).option_list) == 10
    assert "takes 1 to 10" in refused(LIST, option_list=options[:11]).problem
    assert "takes 1 to 10" in refused(LIST, option_list=()).problem
    box = Checkbox(question_key="q", option_list=options[:20])
    assert "takes 1 to 20" in refused(box, option_list=options).problem


@pytest.mark.parametrize("case", REQUIRED, ids=named)
def test_what_wecom_wants_is_there(case):
    """Neither empty nor blank."""
    record, name = case
    for blank in ("", " \n"):
        error = refused(record, **{name: blank})
        assert error.field == named(case)
        assert "empty" in error.problem


@pytest.mark.parametrize("case", URLS, ids=named)
@pytest.mark.parametrize("address", ["example.com", "ftp://a.cn", "https://", "javascript:x", "https://a b"])
def test_addresses_have_their_scheme(case, address):
    """WeCom refuses one without (45034)."""
    record, name = case
    assert "http://" in refused(record, **{name: address}).problem
    assert getattr(replace(record, **{name: "HTTP://a.cn?x=1#y"}), name)


@pytest.mark.parametrize(
    "record",
    [PAGE, MESSAGES["textcard"], Button(text="t", url="https://a.cn")],
    ids=lambda r: type(r).__name__,
)
def test_addresses_of_pages_have_2048_bytes(record):
    """The scheme included."""
    url = "https://a.cn/"
    assert replace(record, url=url + "x" * (2048 - len(url)))
    assert "2048" in refused(record, url=url + "x" * (2049 - len(url))).problem


def test_the_page_of_a_mini_program_in_an_article_is_there():
    """128 bytes, and not none."""
    for path in ("", "x" * 129):
        with pytest.raises(UnsendableError, match="pagepath"):
            Article(title="t", link=MiniProgram(appid="a", pagepath=path))
    assert Article(title="t", link=MiniProgram(appid="a", pagepath="x" * 128)).title == "t"


@pytest.mark.parametrize(("title", "description"), [("三个字", ""), ("四个字了", "三个字")])
def test_a_notice_of_a_mini_program_has_4_characters_at_least(title, description):
    """In its title, and in its description if there is one."""
    with pytest.raises(UnsendableError, match="fewer than 4"):
        replace(MESSAGES["miniprogram_notice"], title=title, description=description)


@pytest.mark.parametrize("card", ["button_interaction", "vote_interaction", "multiple_interaction"])
def test_cards_that_are_clicked_have_a_task_id(card):
    """Of digits, letters, _ - and @, 128 at most."""
    assert replace(EVERY_CARD[card], task_id="aZ09_-@" + "x" * 121)
    for task_id in ("", "x" * 129, "a b", "任务", "a\n"):
        assert refused(EVERY_CARD[card], task_id=task_id).field.endswith(".task_id")


@pytest.mark.parametrize("card", ["text_notice", "news_notice"])
def test_a_menu_makes_a_task_id_necessary(card):
    """A notice has one with a menu only, and a good one if at all."""
    assert refused(EVERY_CARD[card], action_menu=MENU).field.endswith(".task_id")
    assert refused(EVERY_CARD[card], task_id="a b").field.endswith(".task_id")
    assert replace(EVERY_CARD[card], action_menu=MENU, task_id="t-1")


def test_every_card_has_words_on_top():
    """A title; a text_notice may have the text below it instead."""
    for name, card in EVERY_CARD.items():
        assert refused(card, main_title=MainTitle(desc="d")).field.endswith(".main_title"), name
    assert replace(EVERY_CARD["text_notice"], main_title=MainTitle(), sub_title_text="t")


def test_a_news_notice_has_a_picture():
    """On top, or beside a text."""
    assert "image_text_area" in refused(EVERY_CARD["news_notice"], card_image=None).problem
    area = ImageTextArea(image_url="https://a.cn/b.png")
    assert replace(EVERY_CARD["news_notice"], card_image=None, image_text_area=area)


@pytest.mark.parametrize("ratio", [1.29, 2.26, float("nan"), float("inf")])
def test_a_card_image_is_wide(ratio):
    """From 1.3 to 2.25 times its height."""
    assert "1.3 to 2.25" in refused(CardImage(url="https://a.cn"), aspect_ratio=ratio).problem
    assert CardImage(url="https://a.cn", aspect_ratio=2.25).aspect_ratio == 2.25


def test_a_button_reports_or_opens():
    """It has a key or a url, and one of four styles."""
    assert "not both" in refused(Button(text="t", key="k"), url="https://a.cn").problem
    assert "not both" in refused(Button(text="t", key="k"), key="").problem
    for style in (0, 5):
        assert refused(Button(text="t", key="k"), style=style).field == "Button.style"


def test_keys_of_a_card_differ():
    """Buttons among themselves, buttons from the menu, options, lists: a click is known by its key."""
    card = EVERY_CARD["button_interaction"]
    twin = Button(text="t", key="ok")
    assert "twice" in refused(card, button_list=(twin, twin)).problem
    assert "twice" in refused(card, button_list=(Button(text="t", key="mute"),)).problem
    assert "twice" in refused(LIST, option_list=OPTIONS + OPTIONS[:1]).problem
    assert (
        "twice" in refused(Checkbox(question_key="q", option_list=OPTIONS), option_list=OPTIONS * 2).problem
    )
    assert "twice" in refused(EVERY_CARD["multiple_interaction"], select_list=(LIST, LIST)).problem
    assert "takes 1 to 3" in refused(EVERY_CARD["multiple_interaction"], select_list=()).problem
    lists = tuple(replace(LIST, question_key=f"q{n}") for n in range(4))
    assert "takes 1 to 3" in refused(EVERY_CARD["multiple_interaction"], select_list=lists).problem


def test_what_is_chosen_already_is_an_option():
    """And one only, where one may be ticked."""
    box = Checkbox(question_key="q", option_list=OPTIONS)
    assert refused(LIST, selected_id="c").field == "Selection.selected_id"
    assert refused(box, checked_ids=frozenset({"c"})).field == "Checkbox.checked_ids"
    assert "one may" in refused(box, checked_ids=frozenset({"a", "b"})).problem
    assert replace(box, checked_ids=frozenset({"a", "b"}), is_multiple=True).is_multiple
    assert Selection(question_key="q", option_list=OPTIONS, selected_id="b").selected_id == "b"


def test_what_is_shown_in_part_is_told_and_not_refused():
    """Lengths for display are no limits: WeCom's own samples are longer."""
    long = replace(
        EVERY_CARD["text_notice"],
        main_title=MainTitle(title="字" * 27, desc="d"),
        source=Source(desc="来" * 14),
        emphasis_content=EmphasisContent(title="1" * 15),
        horizontal_content_list=(HorizontalContent(keyname="Member", value="v" * 31),),
    )
    assert overlong(long) == (
        "EmphasisContent.title",
        "HorizontalContent.keyname",
        "HorizontalContent.value",
    )
    assert overlong(long, is_webhook=True) == (
        "MainTitle.title",
        "Source.desc",
        "EmphasisContent.title",
        "HorizontalContent.keyname",
        "HorizontalContent.value",
    )
    for card in EVERY_CARD.values():
        assert overlong(card) == ()


def test_receivers_are_named_or_everybody():
    """Somebody, or all in scope, and not both; and nobody who would be several."""
    assert refused(Receivers(userids=("a",)), userids=()).field == "Receivers"
    assert refused(Receivers(userids=("a",)), is_everybody=True).field == "Receivers"
    for userid in ("a|b", "@all", " ", "", " @all"):
        assert refused(Receivers(userids=("a",)), userids=("a", userid)).field == "Receivers.userids"
    assert Receivers(is_everybody=True).userids == ()


@pytest.mark.parametrize(("name", "most"), [("userids", 1000), ("department_ids", 100), ("tag_ids", 100)])
def test_receivers_have_a_limit(name, most):
    """1000 members, 100 departments, 100 tags."""
    item = "u" if name == "userids" else 1
    assert len(getattr(Receivers(**{name: (item,) * most}), name)) == most
    assert f"0 to {most}" in refused(Receivers(userids=("a",)), **{name: (item,) * (most + 1)}).problem


def test_a_webhooks_picture_is_a_jpg_or_png_of_2_mb():
    """Neither another kind, nor next to nothing, nor more."""
    png = b"\x89PNG\r\n\x1a\n"
    most = 2 * 1024 * 1024
    for content in (png + b"x" * (most - len(png)), b"\xff\xd8\xff\xe0xx"):
        assert WebhookImage(content=content).content == content
    for content in (b"GIF89a..", png[:5], png + b"x" * most, b""):
        with pytest.raises(UnsendableError):
            WebhookImage(content=content)


def test_a_webhook_takes_less_than_an_app():
    """Articles with a url each, and a news_notice with its picture on top."""
    program = Article(title="t", link=MiniProgram(appid="a", pagepath="p"))
    with pytest.raises(UnsendableError, match="url each"):
        check_for_webhook(News(articles=(ARTICLE, program)))
    area = ImageTextArea(image_url="https://a.cn/b.png")
    with pytest.raises(UnsendableError, match="card_image"):
        check_for_webhook(replace(EVERY_CARD["news_notice"], card_image=None, image_text_area=area))
    check_for_webhook(EVERY_CARD["news_notice"])
    check_for_webhook(News(articles=(ARTICLE,)))


@pytest.mark.parametrize(
    "make",
    [
        lambda text: Text(content=text),
        lambda text: Url(url="https://a.cn/" + text),
        lambda text: Receivers(userids=(text,)),
        lambda text: replace(MESSAGES["miniprogram_notice"], page=text),
        lambda text: WebhookText(content="t", mentioned_mobiles=(text,)),
    ],
)
def test_half_a_character_is_refused(make):
    """What no UTF-8 can hold never gets as far as the line, and the error does not keep the text."""
    with pytest.raises(UnsendableError, match="no character") as caught:
        make("a\ud800")
    assert caught.value.__context__ is None


def test_no_content_is_in_an_error_or_repr():
    """Neither what a message says nor whose phone number it names."""
    private = "13800000001 lin@example.com"
    error = refused(Text(content="t"), content=private * 100)
    assert "138" not in f"{error!r} {error} {error.hint}"
    assert isinstance(error, WeComError)
    shown = [
        repr(Text(content=private)),
        repr(Markdown(content=private)),
        repr(WebhookText(content=private, mentioned_mobiles=(private,))),
        repr(replace(MESSAGES["textcard"], title=private, description=private)),
        repr(News(articles=(replace(ARTICLE, title=private, description=private),))),
        repr(MpNews(articles=(replace(STORED, title=private, content=private, digest=private),))),
        repr(MiniProgramNotice(appid="a", title="12345678", content_item=(replace(ITEM, value="138000"),))),
    ]
    assert "138" not in " ".join(shown)
    assert isinstance(STORED, StoredArticle)
