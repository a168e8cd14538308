"""What a person, or a program, gets by each channel: over real sockets."""

from __future__ import annotations

import hashlib
import hmac
import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.servers.certificates import make_authority
from tests.servers.mailbox import Mailbox, Receiver, http_receiver, mail_server
from tests.service.desk import SECRET, desk_with, http_channel
from tests.service.telling import CHIEF, OTHER, Told, company
from wxsync.mirror import notices
from wxsync.model.notice import NoticeState
from wxsync.sandbox.records import Webhook

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")


@pytest.fixture
def mail() -> Iterator[Mailbox]:
    """A mail server that wants to know who sends."""
    with mail_server(with_login=True) as box:
        yield box


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A program that hears of runs."""
    with http_receiver() as receiver:
        yield receiver


def smtp(box: Mailbox, **more: object) -> dict[str, object]:
    return {
        "type": "smtp",
        "host": "127.0.0.1",
        "port": box.port,
        "security": "none",
        "username": "wxsync",
        "password": "right",
        "sender": "wxsync@example.com",
        "recipients": ["it@example.com", "hr@example.com"],
        **more,
    }


def state(told: Told) -> list[tuple[NoticeState, str]]:
    """Of what did not surely arrive."""
    with told.store.reading() as connection:
        found = notices.undelivered(connection, told.story.stage.now.replace(year=2000))
    return [(each.state, each.problem) for each in found]


def promote(told: Told, *people: int) -> None:
    for number in people:
        told.story.hr.employees[f"E{number}"].title = f"主管{told.story.stage.now:%H%M%S}"


# The app


def test_a_card_tells_what_was_written(tmp_path: Path) -> None:
    """To each recipient, with the numbers and the command that shows more; nothing where nothing happened."""
    with company(
        tmp_path, {"all": {"type": "app", "recipients": [CHIEF, OTHER, "nobody"]}}, people=5
    ) as told:
        told.run()
        assert told.messages == []
        promote(told, 3, 4)
        told.run()
        [card] = told.cards
        assert card.receivers == (CHIEF, OTHER)
        assert card.content["card_type"] == "text_notice"
        assert card.content["main_title"]["title"] == "acme: written to WeCom"
        assert card.content["horizontal_content_list"] == [
            {"keyname": "Staff", "value": "update 2", "type": 0}
        ]
        assert "wxsync runs 4" in card.content["sub_title_text"]
        told.tick(minutes=30)
        assert len(told.messages) == 1


def test_a_card_in_chinese(tmp_path: Path) -> None:
    """Title, numbers and buttons."""
    asking = {"chiefs": {"type": "app", "recipients": [CHIEF], "approvers": [CHIEF]}}
    with company(tmp_path, asking, language="zh") as told:
        told.gone(11, 25)
        told.run()
        [card] = told.cards
        assert card.content["main_title"]["title"] == "acme：有计划待审批" or "有计划待审批" in str(
            card.content
        )
        assert [button["text"] for button in card.content["button_list"]] == ["批准", "否决"]
        assert "禁用或删除成员：15，允许 5" in card.content["quote_area"]["quote_text"]


def test_where_the_app_cannot_send_it_is_tried_later(tmp_path: Path) -> None:
    """WeCom surely refused: nobody is there yet. What waited comes later, as one message."""
    with company(tmp_path, {"all": {"type": "app", "recipients": ["e9"]}}, people=5) as told:
        promote(told, 3)
        told.run()
        [(waiting, problem)] = state(told)
        assert waiting is NoticeState.WAITING
        assert "81013" in problem
        told.story.stage.later(seconds=40)
        promote(told, 3, 4)
        told.run()
        told.story.wecom.add_member("e9", "九", is_activated=True)
        told.tick(minutes=10)
        [card] = told.cards
        assert card.content["horizontal_content_list"][0]["value"] == "update 3"
        assert "the sum of 2 runs" in card.content["main_title"]["desc"]
        assert state(told) == []


# A group's webhook


@pytest.mark.parametrize("is_address", [True, False])
def test_a_group_gets_markdown(tmp_path: Path, is_address: bool) -> None:
    """By the webhook's address as WeCom shows it, or by its key."""
    hook = Webhook(name="运维", key="k3y-of-the-robot")
    webhook = f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={hook.key}" if is_address else hook.key
    with company(tmp_path, {"group": {"type": "group", "webhook": webhook}}, people=5) as told:
        told.story.wecom.webhooks[hook.key] = hook
        promote(told, 3)
        told.run()
        [message] = told.messages
        assert (message.webhook, message.msgtype) == ("运维", "markdown")
        content = message.content["content"]
        assert content.startswith('**<font color="info">acme: written to WeCom</font>**')
        assert "Written: Members update 1" in content
        assert "`wxsync runs 3`" in content


def test_a_wrong_key_is_told_without_the_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It waits, with what WeCom said."""
    with company(tmp_path, {"group": {"type": "group", "webhook": "s3cret-key"}}, people=5) as told:
        promote(told, 3)
        told.run()
        [(waiting, problem)] = state(told)
        assert waiting is NoticeState.WAITING
        assert "93000" in problem
        out = capsys.readouterr()
        assert "s3cret-key" not in problem + out.out + out.err


# Mail


def test_a_mail_is_plain_text(tmp_path: Path, mail: Mailbox) -> None:
    """From the sender to all recipients, with a subject that says it; no program answers it."""
    with desk_with(tmp_path, smtp(mail)) as desk:
        desk.tell()
    [message] = mail.mails
    assert mail.recipients == [["it@example.com", "hr@example.com"]]
    assert message["Subject"] == "[wxsync] acme: written to WeCom"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].endswith("@example.com>")
    assert message.get_content_type() == "text/plain"
    text = message.get_content().replace("\r\n", "\n")
    assert text.startswith("Written: Members update 1\n\nDetails:\nwxsync runs 3\n")
    assert mail.logins == [(b"wxsync", b"right")]


@pytest.mark.parametrize(
    ("password", "answer", "expected"),
    [
        ("wrong", "250 taken", "the mail server cannot be used: it answered 535"),
        ("right", "451 later", "the mail server refused the mail: it answered 451"),
        ("right", "554 no spam", "the mail server refused the mail: it answered 554"),
    ],
)
def test_a_mail_that_was_surely_refused_is_sent_later(
    tmp_path: Path, mail: Mailbox, password: str, answer: str, expected: str
) -> None:
    """A wrong password, a full server, a filter."""
    mail.answer = answer
    with desk_with(tmp_path, smtp(mail, password=password)) as desk:
        desk.tell()
        assert desk.undelivered() == [(NoticeState.WAITING, expected)]
        assert mail.mails == []
        if password == "right":
            mail.answer = "250 taken"
            desk.send(minutes=3)
            assert len(mail.mails) == 1


def test_a_mail_of_which_nobody_knows_is_not_sent_again(tmp_path: Path, mail: Mailbox) -> None:
    """The line broke after the last full stop: the server may have it."""
    mail.answer = ""
    with desk_with(tmp_path, smtp(mail)) as desk:
        desk.tell()
        mail.answer = "250 taken"
        desk.send(minutes=30)
        [(unknown, problem)] = desk.undelivered()
    assert unknown is NoticeState.UNKNOWN
    assert "broke before it had said yes" in problem
    assert len(mail.mails) == 1


def test_one_recipient_whom_the_server_does_not_know(tmp_path: Path, mail: Mailbox) -> None:
    """The others get it; where it knows nobody, it is sent later."""
    mail.unknown = {"hr@example.com"}
    with desk_with(tmp_path, smtp(mail)) as desk:
        desk.tell()
        assert mail.recipients == [["it@example.com"]]
        assert desk.undelivered() == []
        mail.unknown = {"hr@example.com", "it@example.com"}
        desk.send(minutes=10)
        desk.tell()
        assert desk.undelivered() == [
            (NoticeState.WAITING, "the mail server refused the mail: it answered 550")
        ]


@contextmanager
def encrypted(folder: Path, security: str, name: str = "localhost") -> Iterator[tuple[Mailbox, Path]]:
    """A mail server whose certificate is for `name`, and the file of who issued it."""
    authority = make_authority(folder)
    certificate, key = authority.issue(folder, names=(name,), addresses=())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    served = {"tls": context} if security == "tls" else {"starttls": context}
    with mail_server(with_login=True, **served) as box:
        yield box, authority.file


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_an_encrypted_mail(tmp_path: Path, security: str) -> None:
    """The server's certificate is of an authority that the config names."""
    with encrypted(tmp_path, security) as (box, trusted):
        channel = smtp(box, host="localhost", security=security, ca_file=str(trusted))
        with desk_with(tmp_path, channel) as desk:
            desk.tell()
            assert desk.undelivered() == []
    assert len(box.mails) == 1
    assert box.logins == [(b"wxsync", b"right")]


@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.parametrize(("name", "is_trusted"), [("localhost", False), ("mail.example.com", True)])
def test_a_certificate_that_is_not_believed(
    tmp_path: Path, security: str, name: str, is_trusted: bool
) -> None:
    """Of nobody known, or for another host: no mail and no password goes out."""
    with encrypted(tmp_path, security, name) as (box, trusted):
        more = {"ca_file": str(trusted)} if is_trusted else {}
        with desk_with(tmp_path, smtp(box, host="localhost", security=security, **more)) as desk:
            desk.tell()
            [(found, problem)] = desk.undelivered()
    assert (found, box.mails, box.logins) == (NoticeState.WAITING, [], [])
    assert problem == "the mail server cannot be used: encryption failed (CERTIFICATE_VERIFY_FAILED)"


# A program


def test_a_program_gets_signed_json(tmp_path: Path, receiver: Receiver) -> None:
    """Whoever has the secret can prove that wxsync made it, and when."""
    with desk_with(tmp_path, http_channel(receiver.url)) as desk:
        desk.tell()
    [(headers, body)] = receiver.posts
    document = json.loads(body)
    assert document["format"] == "wxsync-notice/1"
    assert (document["kind"], document["done"]) == ("changed", {"member": {"update": 1}})
    stamp, _, proof = headers["X-Wxsync-Signature"].removeprefix("t=").partition(",v1=")
    assert hmac.new(SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest() == proof


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (500, NoticeState.WAITING),
        (403, NoticeState.WAITING),
        (302, NoticeState.WAITING),
        (502, NoticeState.UNKNOWN),
        (504, NoticeState.UNKNOWN),
    ],
)
def test_what_a_program_refuses_comes_again(
    tmp_path: Path, receiver: Receiver, status: int, expected: NoticeState
) -> None:
    """Not what a gateway before it may have passed on."""
    receiver.status = status
    with desk_with(tmp_path, http_channel(receiver.url)) as desk:
        desk.tell()
        [(found, problem)] = desk.undelivered()
        assert (found, problem.startswith(f"the receiver answered HTTP {status}")) == (expected, True)
        receiver.status = 204
        desk.send(minutes=3)
    assert len(receiver.posts) == (2 if expected is NoticeState.WAITING else 1)
    assert len({json.loads(body)["id"] for _, body in receiver.posts}) == 1


def test_a_program_that_hangs_up_may_have_it(
    tmp_path: Path, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that is not there has not; the address, with its token, stands in no log."""
    receiver.hangs_up = True
    with desk_with(tmp_path, http_channel(receiver.url)) as desk:
        desk.tell()
        assert desk.undelivered()[0][0] is NoticeState.UNKNOWN
    out = capsys.readouterr()
    assert "t0ken" not in out.out + out.err


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    """It surely has not got it."""
    with http_receiver() as receiver:
        url = receiver.url
    with desk_with(tmp_path, http_channel(url)) as desk:
        desk.tell()
        assert desk.undelivered() == [(NoticeState.WAITING, "the receiver cannot be reached: ConnectError")]


@pytest.mark.parametrize("proxy", ["gopher://127.0.0.1:9", "http://127.0.0.1:port"])
def test_a_proxy_of_the_environment_that_cannot_be_used(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    """It waits, with the reason; nothing breaks off."""
    monkeypatch.setenv("ALL_PROXY", proxy)
    with desk_with(tmp_path, http_channel(receiver.url) | {"proxy": "env"}) as desk:
        desk.tell()
        [(found, problem)] = desk.undelivered()
    assert (found, receiver.posts) == (NoticeState.WAITING, [])
    assert problem.startswith("the environment names a proxy that cannot be used")
