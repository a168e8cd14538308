"""An app's calls against the sandbox, which has its own reading of the documentation and no code of ours."""

from __future__ import annotations

import asyncio
import dataclasses

import httpx
import pytest

from tests.wecom.notices import EVERY_CARD, every_content
from wxsync.errors import ConflictError, FieldError, NotFoundError, WeComApiError, WeComTransportError
from wxsync.sandbox.receivers import Receiver
from wxsync.sandbox.state import SandboxState
from wxsync.sandbox.transport import SandboxTransport
from wxsync.wecom.chats import Chats, chatid_of
from wxsync.wecom.client import open_transport
from wxsync.wecom.content import File, Receivers, ReplacedButton, Text, Voice
from wxsync.wecom.customers import Customers
from wxsync.wecom.media import Media
from wxsync.wecom.messages import Messages
from wxsync.wecom.retries import Patience
from wxsync.wecom.webhook import open_webhook
from wxsync.wecom.webhook_content import MarkdownV2, WebhookImage, WebhookMarkdown, WebhookText
from wxsync.wecom.wire.chats import Chat
from wxsync.wecom.wire.customers import ChatHandover, ChatStatus, Handover, TransferStatus
from wxsync.wecom.wire.media import MediaType

QUICK = Patience(first_pause=0.001, longest_pause=0.001, longest_wait=1.0)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
FILES = {
    MediaType.IMAGE: ("a.png", PNG),
    MediaType.VOICE: ("a.amr", b"#!AMR\n" + (b"\x3c" + bytes(31)) * 50),
    MediaType.FILE: ("名单.csv", b"a,b,c,d"),
    MediaType.VIDEO: ("a.mp4", bytes(4) + b"ftypisom" + bytes(100)),
}
HELLO = Text(content="你好")


@pytest.fixture
def state() -> SandboxState:
    """A corp with three people, and an app that has a receiver for clicks."""
    state = SandboxState()
    for userid in ("a", "B.b", "c"):
        state.add_member(userid, "甲", is_activated=True)
    receiver = Receiver(url="http://127.0.0.1:9/", token="t", encoding_aes_key="k" * 43)
    state.apps = (dataclasses.replace(state.apps[0], receiver=receiver),)
    return state


def run(state: SandboxState, act):
    """What `act(transport)` gives, through the app's secret."""

    async def story():
        transport = SandboxTransport(state)
        async with open_transport(
            corp_id=state.corp_id,
            secret=state.apps[0].secret,
            base_url="http://sandbox",
            transport=transport,
            patience=QUICK,
            timeouts=httpx.Timeout(5.0),
        ) as line:
            result = await act(line)
            await transport.finish()
            return result

    return asyncio.run(story())


def messages(line, state: SandboxState) -> Messages:
    return Messages(line, agent_id=state.apps[0].agent_id)


def test_every_kind_of_message_arrives(state):
    """Each with its files uploaded before, and every card."""

    async def story(line):
        media = {}
        for kind, (filename, content) in FILES.items():
            media[kind.value] = (await Media(line).upload(kind, filename, content)).media_id
        contents = [*every_content(media).values(), *EVERY_CARD.values()]
        return [
            await messages(line, state).send(content, Receivers(userids=("A", "b.b"))) for content in contents
        ]

    told = run(state, story)
    assert [message.card_type or message.msgtype for message in state.messages] == [
        "text",
        "markdown",
        "image",
        "voice",
        "file",
        "video",
        "textcard",
        "news",
        "mpnews",
        "miniprogram_notice",
        "text_notice",
        "news_notice",
        "button_interaction",
        "vote_interaction",
        "multiple_interaction",
    ]
    assert {message.receivers for message in state.messages} == {("a", "B.b")}
    assert [one.msgid for one in told] == [message.msgid for message in state.messages]
    assert [bool(one.response_code) for one in told] == [False] * 12 + [True] * 3
    assert not any(one.invalid_userids for one in told)


def test_who_cannot_be_reached_is_named(state):
    """As the caller spells them; where nobody can be, WeCom refuses (81013)."""

    async def story(line):
        app = messages(line, state)
        whom = Receivers(userids=("a", "Gone.One"), department_ids=(1, 77), tag_ids=(88,))
        told = await app.send(HELLO, whom)
        with pytest.raises(WeComApiError) as caught:
            await app.send(HELLO, Receivers(userids=("Gone.One",)))
        return told, caught.value.errcode

    told, errcode = run(state, story)
    assert told.invalid_userids == {"Gone.One"}
    assert (told.invalid_department_ids, told.invalid_tag_ids) == ({77}, {88})
    assert errcode == 81013
    assert state.messages[0].receivers == ("a", "B.b", "c")


@pytest.mark.parametrize("fault", ["reset", "cut", "http_status", "html"])
def test_a_message_whose_answer_is_lost_arrives_once(state, fault):
    """Delivered, its answer lost, sent again, and known to WeCom."""
    getattr(state.faults, fault)("message/send", after=True)

    async def story(line):
        return await messages(line, state).send(HELLO, Receivers(userids=("a",)))

    assert run(state, story).msgid == state.messages[0].msgid
    assert [message.receivers for message in state.messages] == [("a",)]
    assert [call.path for call in state.log].count("message/send") == 2


def test_a_card_is_clicked_away_once(state):
    """Grey buttons for who got it; the code is good for no second update (60140)."""

    async def story(line):
        app = messages(line, state)
        told = await app.send(EVERY_CARD["button_interaction"], Receivers(userids=("a", "B.b")))
        button = ReplacedButton(replace_name="已批准")
        kept = await app.update_template_card(str(told.response_code), button, Receivers(userids=("A", "c")))
        with pytest.raises(FieldError) as caught:
            await app.update_template_card(str(told.response_code), button, Receivers(userids=("a",)))
        return kept, caught.value.errcode

    assert run(state, story) == ({"c"}, 60140)
    assert state.messages[0].updates == {"a": {"button": {"replace_name": "已批准"}}}


@pytest.mark.parametrize("card", EVERY_CARD)
def test_a_card_becomes_any_other_card(state, card):
    """Whatever it was before."""

    async def story(line):
        app = messages(line, state)
        told = await app.send(EVERY_CARD["vote_interaction"], Receivers(userids=("a",)))
        return await app.update_template_card(
            str(told.response_code), EVERY_CARD[card], Receivers(is_everybody=True)
        )

    assert run(state, story) == frozenset()
    assert state.messages[0].card_of("a")["card_type"] == card


def test_a_message_is_taken_back_and_counted(state):
    """Within a day; another one's msgid is not ours (40058)."""

    async def story(line):
        app = messages(line, state)
        told = await app.send(HELLO, Receivers(userids=("a", "c")))
        await app.recall(told.msgid)
        counts = await app.get_statistics()
        with pytest.raises(WeComApiError) as unknown:
            await app.recall("other")
        state.forward(24 * 3600 + 1)
        with pytest.raises(WeComApiError) as late:
            await app.recall(told.msgid)
        return counts, unknown.value.errcode, late.value.errcode

    counts, unknown, late = run(state, story)
    assert [(one.agent_id, one.count) for one in counts] == [(state.apps[0].agent_id, 2)]
    assert (unknown, late) == (40058, 42052)
    assert state.messages[0].is_recalled


def test_a_chat_is_made_changed_and_written_to(state):
    """Under our chatid, which can be taken once."""
    chatid = chatid_of("acme", "D100")

    async def story(line):
        chats = Chats(line)
        with pytest.raises(NotFoundError):
            await chats.get(chatid)
        await chats.create(chatid, ["a", "B.b"], name="项目", owner="b.B")
        await chats.update(chatid, owner="a", add=["c"], remove=["B.b"])
        await chats.send(chatid, HELLO, mentioned=["c"])
        with pytest.raises(ConflictError):
            await chats.create(chatid, ["a", "c"])
        return await chats.get(chatid)

    assert run(state, story) == Chat(chatid=chatid, name="项目", owner="a", userids=("a", "c"))
    [message] = state.messages
    assert (message.chatid, message.receivers) == (chatid, ("a", "c"))


@pytest.mark.parametrize("is_after", [True, False])
def test_a_chat_whose_answer_is_lost_is_there_or_unknown(state, is_after):
    """Where the connection broke after the change the chat is found; before it nobody can tell."""
    state.faults.reset("appchat/create", after=is_after)

    async def story(line):
        await Chats(line).create("chat1", ["a", "c"])

    if is_after:
        run(state, story)
    else:
        with pytest.raises(WeComTransportError) as caught:
            run(state, story)
        assert caught.value.is_ambiguous
    assert (list(state.chats) == ["chat1"]) == is_after
    assert [call.path for call in state.log if call.path == "appchat/create"] == ["appchat/create"]


def test_a_leavers_customers_and_chats_are_handed_over(state):
    """Listed, begun, waiting, and done a day later; each refusal is that customer's own."""
    ids = [state.add_customer("a") for _ in range(250)]
    chat = state.add_customer_chat("a")

    async def story(line):
        customers = Customers(line)
        assert set(await customers.get_follow_user_list()) == {"a", "B.b", "c"}
        assert set(await customers.list_of("a")) == set(ids)
        assert await customers.list_of("c") == ()
        assert [one.chat_id for one in await customers.list_chats(owners=["a", "c"])] == [chat]
        state.remove_member("a")
        assert {one.external_userid for one in await customers.get_unassigned_list()} == set(ids)
        assert [one.chat_id for one in await customers.list_chats(ChatStatus.OWNER_LEFT)] == [chat]
        started = await customers.transfer(Handover.RESIGNED, "a", "c", [*ids, "nobody"])
        assert {one.external_userid: one.errcode for one in started} == {
            **dict.fromkeys(ids, 0),
            "nobody": 40096,
        }
        assert await customers.transfer_chats(ChatHandover.RESIGNED, [chat], "c") == ()
        again = await customers.transfer_chats(ChatHandover.RESIGNED, [chat], "c")
        assert [(one.chat_id, one.errcode) for one in again] == [(chat, 90507)]
        waiting = await customers.results(Handover.RESIGNED, "a", "c")
        state.forward(24 * 3600 + 1)
        return waiting, await customers.results(Handover.RESIGNED, "a", "c")

    waiting, done = run(state, story)
    assert {one.status for one in waiting} == {TransferStatus.WAITING}
    assert {one.status for one in done} == {TransferStatus.DONE}
    assert {one.external_userid for one in done} == set(ids)


def test_customers_and_chats_change_hands_on_the_job(state):
    """With a word to the customer; a member who has not left is no leaver (40097)."""
    id, chat = state.add_customer("a"), state.add_customer_chat("a")

    async def story(line):
        customers = Customers(line)
        started = await customers.transfer(Handover.ON_THE_JOB, "a", "c", [id], success_msg="再会")
        assert [one.errcode for one in started] == [0]
        assert await customers.transfer_chats(ChatHandover.ON_THE_JOB, [chat], "c") == ()
        with pytest.raises(WeComApiError) as caught:
            await customers.transfer(Handover.RESIGNED, "a", "c", [id])
        return caught.value.errcode, await customers.results(Handover.ON_THE_JOB, "a", "c")

    errcode, results = run(state, story)
    assert errcode == 40097
    assert [(one.external_userid, one.status) for one in results] == [(id, TransferStatus.WAITING)]


def test_long_listings_are_paged(state):
    """More than a thousand, each once."""
    ids = {state.add_customer("a") for _ in range(1100)}
    chats = {state.add_customer_chat("a") for _ in range(1100)}

    async def story(line):
        customers = Customers(line)
        listed = [one.chat_id for one in await customers.list_chats(owners=["a"])]
        state.remove_member("a")
        unassigned = [one.external_userid for one in await customers.get_unassigned_list()]
        return listed, unassigned

    listed, unassigned = run(state, story)
    assert (sorted(listed), sorted(unassigned)) == (sorted(chats), sorted(ids))


def test_every_kind_of_webhook_message_arrives(state):
    """With no secret but the key, its files uploaded by it, and never too many in a minute."""
    hook = state.add_webhook("值班")

    async def sleep(seconds: float) -> None:
        state.forward(seconds)

    async def story():
        async with open_webhook(
            hook.key,
            base_url="http://sandbox",
            transport=SandboxTransport(state),
            sleep=sleep,
            clock=state.clock,
        ) as webhook:
            file = await webhook.upload_media(MediaType.FILE, *FILES[MediaType.FILE])
            voice = await webhook.upload_media(MediaType.VOICE, *FILES[MediaType.VOICE])
            for content in (
                WebhookText(content="好", mentioned_userids=("@all",), mentioned_mobiles=("13800000001",)),
                WebhookMarkdown(content="**好**" * 300),
                MarkdownV2(content="| a |"),
                WebhookImage(content=PNG),
                EVERY_CARD["text_notice"],
                EVERY_CARD["news_notice"],
                File(media_id=file),
                Voice(media_id=voice),
            ):
                await webhook.send(content)
            for number in range(25):
                await webhook.send(WebhookText(content=str(number)))

    asyncio.run(story())
    kinds = [message.msgtype for message in state.messages][:8]
    assert kinds == ["text", "markdown", "markdown_v2", "image", *["template_card"] * 2, "file", "voice"]
    assert len(state.messages) == 33
    assert [(call.path, call.errcode) for call in state.log if call.errcode] == []
