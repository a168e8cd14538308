"""What an app's messages look like on the line, and what is read from the answers."""

from __future__ import annotations

import httpx
import pytest

from tests.wecom.line import Line, errcode, ok
from tests.wecom.notices import EVERY_CARD, LIST, MENU, OPTIONS, PAGE, TITLE, every_content
from wxsync.errors import DeniedError, FieldError, UnsendableError, WeComError, WeComTransportError
from wxsync.wecom.blocks import (
    Attachment,
    Button,
    CardImage,
    Checkbox,
    Color,
    EmphasisContent,
    HorizontalContent,
    ImageTextArea,
    Jump,
    MainTitle,
    MemberCard,
    MiniProgram,
    QuoteArea,
    Source,
    SubmitButton,
    VerticalContent,
)
from wxsync.wecom.cards import ButtonInteraction, NewsNotice, TextNotice, VoteInteraction
from wxsync.wecom.content import AppCount, Receivers, ReplacedButton, Safe, Sent, Text
from wxsync.wecom.messages import Messages
from wxsync.wecom.wire.cards import to_card

TO_LIN = Receivers(userids=("Lin.Mei",))
HELLO = Text(content="你好")
CONTENTS = every_content({kind: f"m-{kind}" for kind in ("image", "voice", "file", "video")})
PROGRAM = MiniProgram(appid="wx1", pagepath="pages/a")
TO_PROGRAM = {"type": 2, "appid": "wx1", "pagepath": "pages/a"}
TO_PAGE = {"type": 1, "url": "https://example.com/a"}

BODIES = {
    "text": {"content": "好\n<a href='https://example.com'>去</a>"},
    "markdown": {"content": "**好**"},
    "image": {"media_id": "m-image"},
    "voice": {"media_id": "m-voice"},
    "file": {"media_id": "m-file"},
    "video": {"media_id": "m-video", "title": "片", "description": "长"},
    "textcard": {"title": "题", "description": "文", "url": "https://example.com/a", "btntxt": "更多"},
    "news": {
        "articles": [{"title": "题", "url": "https://example.com/a", "picurl": "https://example.com/p.png"}]
    },
    "mpnews": {"articles": [{"title": "题", "thumb_media_id": "m-image", "content": "<p>文</p>"}]},
    "miniprogram_notice": {
        "appid": "wx0000000000000001",
        "title": "一二三四",
        "description": "一二三四",
        "emphasis_first_item": False,
        "content_item": [{"key": "键", "value": "值"}],
    },
}


def sent(**facts) -> httpx.Response:
    return ok(msgid="m-1", **facts)


def send(line: Line, content=HELLO, receivers=TO_LIN, **options):
    return line.ask(lambda transport: Messages(transport, agent_id=7).send(content, receivers, **options))


def test_the_envelope_says_whom_and_never_twice():
    """The app, the receivers joined with |, and the duplicate check, always."""
    line = Line().script("message/send", sent())
    send(line, receivers=Receivers(userids=("a", "B.b"), department_ids=(1, 2), tag_ids=(3,)))
    assert line.bodies("message/send") == [
        {
            "touser": "a|B.b",
            "toparty": "1|2",
            "totag": "3",
            "agentid": 7,
            "msgtype": "text",
            "text": {"content": "你好"},
            "enable_duplicate_check": 1,
            "duplicate_check_interval": 1800,
        }
    ]


def test_what_is_not_said_is_not_sent():
    """Only the receivers that there are; safe and the translation of ids where they are asked for."""
    line = Line().script("message/send", sent())
    send(line, receivers=Receivers(is_everybody=True), safe=Safe.CONFIDENTIAL, enable_id_trans=True)
    send(line, CONTENTS["mpnews"], safe=Safe.NOT_FORWARDABLE, duplicate_check_interval=14_400)
    first, second = line.bodies("message/send")
    assert first["touser"] == "@all"
    assert not {"toparty", "totag"} & set(first)
    assert (first["safe"], first["enable_id_trans"]) == (1, 1)
    assert (second["safe"], second["duplicate_check_interval"]) == (2, 14_400)
    assert "enable_id_trans" not in second


@pytest.mark.parametrize("msgtype", BODIES)
def test_every_kind_has_its_words(msgtype):
    """`msgtype`, and the object of that name with WeCom's fields; what is empty is left out."""
    line = Line().script("message/send", sent())
    send(line, CONTENTS[msgtype])
    [body] = line.bodies("message/send")
    assert (body["msgtype"], body[msgtype]) == (msgtype, BODIES[msgtype])


def test_no_kind_is_forgotten():
    """The ten kinds of the page beside the cards."""
    assert list(CONTENTS) == list(BODIES)


@pytest.mark.parametrize("card", EVERY_CARD)
def test_a_card_is_a_message(card):
    """template_card, with the card's type in it."""
    line = Line().script("message/send", sent(response_code="rc"))
    assert send(line, EVERY_CARD[card]).response_code == "rc"
    [body] = line.bodies("message/send")
    assert body["msgtype"] == "template_card"
    assert body["template_card"]["card_type"] == card
    assert body["template_card"] == to_card(EVERY_CARD[card])


def test_a_text_notice_in_full():
    """Every block with WeCom's words for it."""
    card = TextNotice(
        card_action=PROGRAM,
        main_title=MainTitle(title="t", desc="d"),
        sub_title_text="s",
        source=Source(desc="来", icon_url="https://a.cn/i.png", desc_color=Color.GREEN),
        action_menu=MENU,
        task_id="t-1",
        quote_area=QuoteArea(title="q", quote_text="x", link=PAGE),
        emphasis_content=EmphasisContent(title="100", desc="个"),
        horizontal_content_list=(
            HorizontalContent(keyname="k"),
            HorizontalContent(keyname="k", value="v", target=PAGE),
            HorizontalContent(keyname="k", value="f.pdf", target=Attachment(media_id="m")),
            HorizontalContent(keyname="k", value="v", target=MemberCard(userid="lin")),
        ),
        jump_list=(Jump(title="1"), Jump(title="2", link=PAGE), Jump(title="3", link=PROGRAM)),
    )
    assert to_card(card) == {
        "card_type": "text_notice",
        "source": {"desc": "来", "icon_url": "https://a.cn/i.png", "desc_color": 3},
        "action_menu": {"action_list": [{"text": "静音", "key": "mute"}]},
        "task_id": "t-1",
        "main_title": {"title": "t", "desc": "d"},
        "quote_area": {**TO_PAGE, "title": "q", "quote_text": "x"},
        "emphasis_content": {"title": "100", "desc": "个"},
        "sub_title_text": "s",
        "horizontal_content_list": [
            {"type": 0, "keyname": "k"},
            {**TO_PAGE, "keyname": "k", "value": "v"},
            {"type": 2, "keyname": "k", "value": "f.pdf", "media_id": "m"},
            {"type": 3, "keyname": "k", "value": "v", "userid": "lin"},
        ],
        "jump_list": [{"title": "1", "type": 0}, {"title": "2", **TO_PAGE}, {"title": "3", **TO_PROGRAM}],
        "card_action": TO_PROGRAM,
    }


def test_a_news_notice_in_full():
    """Its pictures and its lines below each other."""
    card = NewsNotice(
        card_action=PAGE,
        main_title=TITLE,
        card_image=CardImage(url="https://a.cn/b.png", aspect_ratio=2.25),
        image_text_area=ImageTextArea(image_url="https://a.cn/c.png", title="t", desc="d", link=PROGRAM),
        vertical_content_list=(VerticalContent(title="t", desc="d"), VerticalContent(title="u")),
        quote_area=QuoteArea(quote_text="x"),
    )
    assert to_card(card) == {
        "card_type": "news_notice",
        "main_title": {"title": "离职"},
        "card_image": {"url": "https://a.cn/b.png", "aspect_ratio": 2.25},
        "image_text_area": {
            **TO_PROGRAM,
            "title": "t",
            "desc": "d",
            "image_url": "https://a.cn/c.png",
        },
        "vertical_content_list": [{"title": "t", "desc": "d"}, {"title": "u"}],
        "quote_area": {"type": 0, "quote_text": "x"},
        "card_action": TO_PAGE,
    }


def test_cards_that_are_clicked_in_full():
    """Buttons that report or open, lists, boxes to tick, and what sends them."""
    asked = ButtonInteraction(
        task_id="t-1",
        main_title=TITLE,
        button_list=(Button(text="批准", key="ok", style=2), Button(text="看", url="https://a.cn/b")),
        button_selection=LIST,
    )
    options = [{"id": "a", "text": "甲"}, {"id": "b", "text": "乙"}]
    assert to_card(asked) == {
        "card_type": "button_interaction",
        "task_id": "t-1",
        "main_title": {"title": "离职"},
        "button_list": [
            {"type": 0, "text": "批准", "style": 2, "key": "ok"},
            {"type": 1, "text": "看", "style": 1, "url": "https://a.cn/b"},
        ],
        "button_selection": {"question_key": "q", "option_list": options},
    }
    voted = VoteInteraction(
        task_id="t-2",
        main_title=TITLE,
        checkbox=Checkbox(
            question_key="q", option_list=OPTIONS, checked_ids=frozenset({"b"}), is_multiple=True
        ),
        submit_button=SubmitButton(text="好", key="k"),
    )
    assert to_card(voted) == {
        "card_type": "vote_interaction",
        "task_id": "t-2",
        "main_title": {"title": "离职"},
        "checkbox": {
            "question_key": "q",
            "mode": 1,
            "option_list": [{**options[0], "is_checked": False}, {**options[1], "is_checked": True}],
        },
        "submit_button": {"text": "好", "key": "k"},
    }
    assert to_card(EVERY_CARD["multiple_interaction"])["select_list"] == [
        {"question_key": "q", "option_list": options}
    ]


def test_those_who_get_nothing_are_named_as_the_caller_spells_them():
    """WeCom gives userids back in lower case; who is not among the receivers comes as WeCom spells it."""
    line = Line().script(
        "message/send",
        sent(invaliduser="lin.mei|other", invalidparty="3|4", invalidtag="5", unlicenseduser="LIN.MEI"),
    )
    receivers = Receivers(userids=("Lin.Mei", "wang"), department_ids=(3, 4), tag_ids=(5,))
    assert send(line, receivers=receivers) == Sent(
        msgid="m-1",
        invalid_userids=frozenset({"Lin.Mei", "other"}),
        invalid_department_ids=frozenset({3, 4}),
        invalid_tag_ids=frozenset({5}),
        unlicensed_userids=frozenset({"Lin.Mei"}),
        response_code=None,
    )


def test_nobody_is_invalid_where_wecom_names_nobody():
    """The fields may be empty, null or not there."""
    for facts in ({}, {"invaliduser": "", "invalidparty": None, "response_code": ""}):
        told = send(Line().script("message/send", sent(**facts)))
        nobody = frozenset[str]()
        assert (told.invalid_userids, told.unlicensed_userids, told.response_code) == (nobody, nobody, None)
        assert told.invalid_department_ids == told.invalid_tag_ids == frozenset()


@pytest.mark.parametrize(
    "facts",
    [
        {"msgid": None},
        {"msgid": 1},
        {"invaliduser": ["a"]},
        {"invalidparty": "1|x"},
        {"invalidparty": "9" * 5000},
        {"invalidtag": "²"},
        {"response_code": 1},
    ],
)
def test_an_answer_of_another_kind_is_an_error(facts):
    """Whatever is in the place of a text or a number."""
    with pytest.raises(WeComError, match="not what WeCom documents"):
        send(Line().script("message/send", ok(**{"msgid": "m-1", **facts})))


@pytest.mark.parametrize("lost", [httpx.ReadTimeout("slow"), httpx.Response(502), errcode(-1)])
def test_a_message_whose_answer_is_lost_is_sent_again(lost):
    """Byte for byte, so that WeCom's duplicate check makes one of the two."""
    line = Line().script("message/send", lost, sent())
    assert send(line).msgid == "m-1"
    first, second = line.requests["message/send"]
    assert first.content == second.content
    assert b'"enable_duplicate_check":1' in first.content


def lost_after(line: Line, seconds: float):
    """No answer, after so long."""

    def reply(request: httpx.Request) -> httpx.Response:
        line.clock.now += seconds
        raise httpx.ReadTimeout("slow")

    return reply


@pytest.mark.parametrize(("interval", "last"), [(300, 90), (1800, 1590)])
def test_no_message_is_sent_again_that_wecom_no_longer_knows(interval, last):
    """Up to 210 seconds before the end of the duplicate check a repeat is safe; then the loss is told."""
    line = Line()
    line.script("message/send", lost_after(line, last - 10), sent())
    assert send(line, duplicate_check_interval=interval).msgid == "m-1"
    line = Line()
    line.script("message/send", lost_after(line, last + 1), sent())
    with pytest.raises(WeComTransportError) as caught:
        send(line, duplicate_check_interval=interval)
    assert caught.value.is_ambiguous
    assert (line.count("message/send"), line.clock.sleeps) == (1, [])


@pytest.mark.parametrize("receivers", [TO_LIN, Receivers(department_ids=(1,))])
def test_a_limit_is_not_waited_for_beyond_the_duplicate_check(receivers):
    """An hour after a message whose answer was lost WeCom would deliver it a second time."""
    line = Line()
    line.script("message/send", httpx.ReadTimeout("slow"), *[errcode(45009)] * 2, sent())
    with pytest.raises(WeComTransportError, match="not sent again") as caught:
        send(line, receivers=receivers)
    assert caught.value.is_ambiguous
    assert line.count("message/send") == 3
    assert line.clock.now < 1000 + 1800


def test_a_token_that_comes_too_late_sends_no_message_again():
    """Whatever held up the turn of a repeat, it is looked at right before the sending."""
    line = Line()
    line.script("message/send", httpx.ReadTimeout("slow"), errcode(42001), sent())

    def slowly(request: httpx.Request) -> httpx.Response:
        line.clock.now += 1700 if line.count("gettoken") > 1 else 0
        return ok(access_token=f"tok-{line.count('gettoken')}", expires_in=7200)

    line.script("gettoken", slowly)
    with pytest.raises(WeComTransportError, match="not sent again") as caught:
        send(line)
    assert caught.value.is_ambiguous
    assert line.count("message/send") == 2


def test_a_message_that_wecom_refused_may_wait():
    """Nothing was delivered: an hour later it is still the first."""
    line = Line().script("message/send", errcode(45009), errcode(45009), sent())
    assert send(line).msgid == "m-1"
    assert line.clock.now > 1000 + 3600


def test_a_clock_that_was_put_back_sends_no_message_again():
    """Nobody knows how long ago the first was sent."""
    line = Line()
    line.script("message/send", lost_after(line, -3600), sent())
    with pytest.raises(WeComTransportError) as caught:
        send(line)
    assert caught.value.is_ambiguous
    assert line.count("message/send") == 1


def test_nobody_gets_more_than_wecom_delivers():
    """30 messages a minute from one app to one member: WeCom would drop the next, so it waits."""
    line = Line().script("message/send", sent())

    async def story(transport):
        app = Messages(transport, agent_id=7)
        for number in range(30):
            await app.send(Text(content=str(number)), TO_LIN)
        in_time = line.clock.now
        await app.send(HELLO, Receivers(userids=("wang",)))
        assert line.clock.now == in_time
        await app.send(HELLO, Receivers(userids=("lin.mei", "wang")))
        return line.clock.now - in_time

    assert line.ask(story) >= 59


def test_receivers_who_are_all_invalid_are_an_error():
    """81013, as WeCom says it, and once."""
    line = Line().script("message/send", errcode(81013))
    with pytest.raises(WeComError) as caught:
        send(line)
    assert getattr(caught.value, "errcode", None) == 81013
    assert line.count("message/send") == 1


@pytest.mark.parametrize(
    ("content", "receivers", "options"),
    [
        (CONTENTS["miniprogram_notice"], Receivers(is_everybody=True), {}),
        (HELLO, TO_LIN, {"safe": Safe.NOT_FORWARDABLE}),
        (HELLO, TO_LIN, {"duplicate_check_interval": 299}),
        (HELLO, TO_LIN, {"duplicate_check_interval": 14_401}),
    ],
)
def test_what_does_not_go_together_is_not_sent(content, receivers, options):
    """No call is made for it."""
    line = Line().script("message/send", sent())
    with pytest.raises(UnsendableError):
        send(line, content, receivers, **options)
    assert not line.requests


def update(line: Line, to, receivers=TO_LIN):
    return line.ask(
        lambda transport: Messages(transport, agent_id=7).update_template_card("rc", to, receivers)
    )


def test_buttons_are_greyed_out():
    """With the words on them; receivers are arrays, and so is who keeps the card."""
    line = Line().script("message/update_template_card", ok(invaliduser=["LIN.MEI"]))
    assert update(line, ReplacedButton(replace_name="已批准")) == {"Lin.Mei"}
    assert line.bodies("message/update_template_card") == [
        {
            "userids": ["Lin.Mei"],
            "agentid": 7,
            "response_code": "rc",
            "button": {"replace_name": "已批准"},
        }
    ]


def test_a_card_becomes_another_one():
    """The whole new card; for everybody by `atall`."""
    line = Line().script("message/update_template_card", ok(invaliduser=[]))
    receivers = Receivers(is_everybody=True)
    assert update(line, EVERY_CARD["text_notice"], receivers) == frozenset()
    several = Receivers(department_ids=(1,), tag_ids=(2, 3))
    update(line, EVERY_CARD["text_notice"], several)
    first, second = line.bodies("message/update_template_card")
    assert first == {
        "atall": 1,
        "agentid": 7,
        "response_code": "rc",
        "template_card": to_card(EVERY_CARD["text_notice"]),
    }
    assert (second["partyids"], second["tagids"]) == ([1], [2, 3])


def test_an_update_whose_answer_is_lost_is_not_repeated():
    """The code is good once: a repeat would be refused, and the update might be taken for failed."""
    line = Line().script("message/update_template_card", httpx.ReadTimeout("slow"), errcode(60140))
    with pytest.raises(WeComTransportError) as caught:
        update(line, ReplacedButton(replace_name="好"))
    assert caught.value.is_ambiguous
    assert line.count("message/update_template_card") == 1


def test_a_code_that_is_used_after_a_failure_half_way_is_ambiguous():
    """-1 and then 60140: the first attempt may have used it."""
    line = Line().script("message/update_template_card", errcode(-1), errcode(60140))
    with pytest.raises(WeComTransportError) as caught:
        update(line, ReplacedButton(replace_name="好"))
    assert caught.value.is_ambiguous
    with pytest.raises(FieldError):
        update(
            Line().script("message/update_template_card", errcode(60140)), ReplacedButton(replace_name="好")
        )


def test_a_message_is_taken_back():
    """By its msgid, also twice."""
    line = Line().script("message/recall", httpx.ReadTimeout("slow"), ok())
    line.ask(lambda transport: Messages(transport, agent_id=7).recall("m-1"))
    assert line.bodies("message/recall") == [{"msgid": "m-1"}] * 2
    with pytest.raises(WeComError) as caught:
        Line().script("message/recall", errcode(42052)).ask(
            lambda transport: Messages(transport, agent_id=7).recall("m-1")
        )
    assert getattr(caught.value, "errcode", None) == 42052


def test_messages_are_counted_by_app():
    """Today's or yesterday's."""
    rows = [{"agentid": 7, "app_name": "通知", "count": 12}]
    line = Line().script("message/get_statistics", ok(statistics=rows))
    for is_yesterday in (False, True):
        assert line.ask(
            lambda transport, when=is_yesterday: Messages(transport, agent_id=7).get_statistics(
                is_yesterday=when
            )
        ) == (AppCount(agent_id=7, app_name="通知", count=12),)
    assert line.bodies("message/get_statistics") == [{"time_type": 0}, {"time_type": 1}]


def test_a_secret_that_may_not_send_is_denied():
    """Contact sync's: 48002, with a hint."""
    with pytest.raises(DeniedError) as caught:
        send(Line().script("message/send", errcode(48002)))
    assert caught.value.hint
