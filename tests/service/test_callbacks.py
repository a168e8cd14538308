"""Callbacks are taken from WeCom and from nobody else (events-and-messages.md §1)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from ipaddress import ip_network

import httpx
import pytest
from starlette.types import Scope
from structlog.testing import capture_logs

from tests.service.sender import (
    APP_KEYS,
    CORP_ID,
    FORMER,
    KEYS,
    OTHER,
    Sender,
    app,
    change_xml,
    client,
    settings,
)
from wxsync.mirror import inbox
from wxsync.mirror.inbox import Receiver
from wxsync.mirror.store import Store
from wxsync.service import letterbox as letterboxes
from wxsync.service.callback_ips import CallbackIps
from wxsync.service.letterbox import Letterbox
from wxsync.wecom.crypto import build_envelope

EVENT = change_xml("create_user", UserID="lin", Department="2")
WECOM = Sender()
pytestmark = pytest.mark.anyio


def stored(store: Store, corp: str = "acme") -> list[tuple[Receiver, bytes]]:
    with store.reading() as connection:
        found = inbox.waiting(connection, corp)
    return [(each.letter.receiver, each.letter.message) for each in found]


async def send(store: Store, *requests: httpx.Request, **more: object) -> list[httpx.Response]:
    async with client(app(store, **more)) as http:  # type: ignore[arg-type]
        return [await http.send(request) for request in requests]


async def test_an_address_is_verified_with_the_plain_text_and_nothing_else(store: Store) -> None:
    """The answer is the decrypted echostr, without quotes, mark or line end; nothing is stored."""
    [answer] = await send(store, WECOM.get(b"1616140317555161061"))
    assert (answer.status_code, answer.content) == (200, b"1616140317555161061")
    assert stored(store) == []


async def test_a_plus_that_became_a_space_is_a_plus(store: Store) -> None:
    """Where echostr is not encoded on its way, its signature holds all the same."""
    while "+" not in (request := WECOM.get(b"hello")).url.params["echostr"]:
        pass
    raw = request.url.raw_path.replace(b"%2B", b"+")
    [answer] = await send(store, httpx.Request("GET", request.url.copy_with(raw_path=raw)))
    assert (answer.status_code, answer.content) == (200, b"hello")


async def test_an_event_is_stored_and_answered_with_nothing(store: Store) -> None:
    """200 and an empty body, and by then the event is in the mirror, decrypted."""
    arrived: list[str] = []
    [answer] = await send(store, WECOM.post(EVENT), arrived=arrived.append)
    assert (answer.status_code, answer.content) == (200, b"")
    assert stored(store) == [(Receiver.CONTACT, EVENT)]
    assert arrived == ["acme"]


async def test_the_same_event_is_stored_once(store: Store) -> None:
    """Encrypted anew with another nonce, or the same to the byte, it is answered 200 and not stored again."""
    arrived: list[str] = []
    same = WECOM.post(EVENT)
    answers = await send(store, same, same, WECOM.post(EVENT), arrived=arrived.append)
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert stored(store) == [(Receiver.CONTACT, EVENT)]
    assert arrived == ["acme"]


async def test_it_is_not_stored_again_after_it_was_worked_off(store: Store) -> None:
    """The digest outlives the message."""
    await send(store, WECOM.post(EVENT))
    with store.transaction() as connection:
        [one] = inbox.waiting(connection, "acme")
        inbox.put_worked(connection, [one.id], one.received_at)
    [answer] = await send(store, WECOM.post(EVENT))
    assert answer.status_code == 200
    assert stored(store) == []


async def test_former_keys_are_taken_as_well(store: Store) -> None:
    """While keys are rotated both pairs hold, for events and for the question; any other does not."""
    old = Sender(keys=FORMER)
    answers = await send(store, old.post(EVENT), old.get(b"x"), Sender(keys=OTHER).post(EVENT))
    assert [answer.status_code for answer in answers] == [200, 200, 403]
    mixed = Sender(keys={**FORMER, "encoding_aes_key": KEYS["encoding_aes_key"]})
    [answer] = await send(store, mixed.post(EVENT))
    assert answer.status_code == 403


async def test_the_same_token_with_a_new_key_is_found(store: Store) -> None:
    """Only the EncodingAESKey was changed: whichever of the two opens it."""
    config = settings(former=({**KEYS, "encoding_aes_key": "z" * 43},))
    old = Sender(keys={**KEYS, "encoding_aes_key": "z" * 43})
    answers = await send(store, old.post(EVENT), WECOM.post(EVENT), config=config)
    assert [answer.status_code for answer in answers] == [200, 200]


async def test_the_app_has_a_receiver_of_its_own(store: Store) -> None:
    """Its keys hold at its address and nowhere else; the same words there are another event."""
    its = Sender(keys=APP_KEYS)
    requests = [
        its.post(EVENT, "/callback/acme/app"),
        WECOM.post(EVENT),
        its.post(EVENT),
        WECOM.post(EVENT, "/callback/acme/app"),
    ]
    answers = await send(store, *requests)
    assert [answer.status_code for answer in answers] == [200, 200, 403, 403]
    assert stored(store) == [(Receiver.APP, EVENT), (Receiver.CONTACT, EVENT)]


def spoilt() -> dict[str, httpx.Request]:
    """Requests that are not WeCom's, each in one point."""
    query, encrypt = WECOM.signed(EVENT)
    url = "http://wxsync.test/callback/acme"
    body = build_envelope(encrypt, to_user_name=CORP_ID)

    def post(content: bytes = body, **changed: str | None) -> httpx.Request:
        params = {name: value for name, value in {**query, **changed}.items() if value is not None}
        return httpx.Request("POST", url, params=params, content=content)

    flipped = "0" if query["msg_signature"][-1] != "0" else "1"
    doctype = b'<!DOCTYPE xml [<!ENTITY e "x">]>' + body
    return {
        "no signature": post(msg_signature=None),
        "another signature": post(msg_signature=query["msg_signature"][:-1] + flipped),
        "an upper-case signature": post(msg_signature=query["msg_signature"].upper() + "A"),
        "another nonce": post(nonce="9" + query["nonce"]),
        "another timestamp": post(timestamp=str(int(query["timestamp"]) + 1)),
        "a parameter twice": httpx.Request(
            "POST", url, params=[*query.items(), ("nonce", query["nonce"])], content=body
        ),
        "another corp's": Sender(corp_id="wwOTHER").post(EVENT),
        "recorded": WECOM.post(EVENT, at=time.time() - 6.1 * 86400),
        "of the future": WECOM.post(EVENT, at=time.time() + 6.1 * 86400),
        "no body": post(b""),
        "no XML": post(b"hello"),
        "a doctype": post(doctype),
        "two envelopes": post(body.replace(b"</xml>", b"<Encrypt>x</Encrypt></xml>")),
        "cut": post(body[:-20]),
        "too long": post(body.replace(b"</xml>", b"<a>" + b"x" * 262_144 + b"</a></xml>")),
        "no such corp": WECOM.post(EVENT, "/callback/nobody"),
        "a corp without a receiver": WECOM.post(EVENT, "/callback/bare"),
        "another path": WECOM.post(EVENT, "/callback/acme/other"),
        "a slash too many": WECOM.post(EVENT, "/callback/acme/"),
        "no corp": WECOM.post(EVENT, "/callback/"),
        "no slash": WECOM.post(EVENT, "/callback"),
        "another method": httpx.Request("PUT", WECOM.post(EVENT).url, content=body),
        "a question without echostr": httpx.Request("GET", WECOM.post(EVENT).url),
        "a delete": httpx.Request("DELETE", WECOM.post(EVENT).url),
    }


@pytest.mark.parametrize("fault", spoilt())
async def test_whatever_is_not_wecoms_gets_403_and_no_word(store: Store, fault: str) -> None:
    """The same status, an empty body and the same headers, whatever is wrong; nothing is stored."""
    answer, unsigned = await send(
        store, spoilt()[fault], httpx.Request("POST", "http://wxsync.test/callback/acme")
    )
    assert (answer.status_code, answer.content) == (403, b"")
    assert answer.headers == unsigned.headers
    assert stored(store) == []


async def test_a_body_is_read_no_further_than_an_envelope_is_long(store: Store) -> None:
    """Whoever sends without end is refused after 256 KiB, and not when it ends."""
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 100_000_000:
            sent += 65_536
            yield b"x" * 65_536

    query = WECOM.post(EVENT).url
    received: list[dict[str, object]] = []
    pieces = endless()

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": await anext(pieces), "more_body": True}

    async def take(message: dict[str, object]) -> None:
        received.append(message)

    scope: Scope = {
        "type": "http",
        "method": "POST",
        "path": "/callback/acme",
        "query_string": query.query,
        "headers": [],
        "client": ("203.0.113.9", 1),
        "app": None,
    }
    await app(store)(scope, receive, take)  # type: ignore[arg-type]
    assert received[0]["status"] == 403
    assert sent <= 262_144 + 2 * 65_536


async def test_where_the_mirror_is_down_wecom_is_told_to_come_again(store: Store) -> None:
    """5xx, and when the mirror is back the same event is stored."""
    with store.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE inbox RENAME TO away")
    with capture_logs() as logs:
        [answer] = await send(store, WECOM.post(EVENT))
    assert answer.status_code == 503
    assert answer.content == b""
    assert [line["event"] for line in logs] == ["an event could not be kept"]
    with store.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE away RENAME TO inbox")
    [answer] = await send(store, WECOM.post(EVENT))
    assert answer.status_code == 200
    assert stored(store) == [(Receiver.CONTACT, EVENT)]


async def test_more_than_can_be_worked_off_is_not_taken(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With too many that wait the answer is 503, and 200 again when they are worked off: nothing grows."""
    monkeypatch.setattr(letterboxes, "MOST_WAITING", 2)
    monkeypatch.setattr(letterboxes, "COUNT_EVERY", 1)
    box = Letterbox(store)

    async def put(n: int) -> bool:
        try:
            await box.put(inbox.Letter(corp="acme", receiver=Receiver.CONTACT, message=b"%d" % n))
        except letterboxes.LetterboxFullError:
            return False
        return True

    assert [await put(n) for n in range(5)] == [True, True, True, False, False]
    with store.transaction() as connection:
        found = inbox.waiting(connection, "acme")
        inbox.put_worked(connection, [each.id for each in found], found[0].received_at)
    assert await put(5)


async def test_those_that_come_together_are_kept_together(store: Store) -> None:
    """A hundred at one moment are a few transactions, and each is answered after its own."""
    commits = 0
    former = store.transaction

    class Counted(Store):
        def transaction(self):
            nonlocal commits
            commits += 1
            return former()

    events = [change_xml("delete_user", UserID=f"u{n}") for n in range(100)]
    async with client(app(Counted(store.engine))) as http:
        answers = await asyncio.gather(*(http.send(WECOM.post(event)) for event in events))
    assert {answer.status_code for answer in answers} == {200}
    assert len(stored(store)) == 100
    assert commits <= 10


async def test_an_address_that_wecom_does_not_list_is_told_of_once(store: Store) -> None:
    """A signed event from elsewhere is taken, and logged; before a list is known nothing is said."""
    ips = CallbackIps()
    with capture_logs() as logs:
        await send(store, WECOM.post(EVENT), ips=ips)
        ips.put("acme", [ip_network("198.51.100.0/24")], 0)
        answers = await send(store, WECOM.post(EVENT), WECOM.post(EVENT), ips=ips)
        await send(store, Sender(keys=OTHER).post(EVENT), ips=ips)
    assert [answer.status_code for answer in answers] == [200, 200]
    assert [(line["corp"], line["address"]) for line in logs] == [("acme", "203.0.113.9")]


async def test_with_enforce_ips_it_is_refused(store: Store) -> None:
    """403 for the unlisted, 200 for the listed and where no list was ever read; the proxy's word counts."""
    config = settings(enforce_ips=True, service={"trusted_proxies": ("203.0.113.0/24",)})
    ips = CallbackIps()
    [unread] = await send(store, WECOM.post(EVENT), config=config, ips=ips)
    ips.put("acme", [ip_network("198.51.100.0/24")], 0)
    listed, unlisted = WECOM.post(EVENT), WECOM.get(b"x")
    listed.headers["X-Forwarded-For"] = "9.9.9.9, 198.51.100.7"
    unlisted.headers["X-Forwarded-For"] = "198.51.100.7, 9.9.9.9"
    answers = await send(store, listed, unlisted, WECOM.post(EVENT), config=config, ips=ips)
    assert [unread.status_code, *(answer.status_code for answer in answers)] == [200, 200, 403, 403]


async def test_every_answer_is_told_to_whoever_counts(store: Store) -> None:
    """Corp, receiver and status; paths that nobody has are not told, so that no count grows by them."""
    told: list[tuple[str, Receiver, int]] = []
    await send(
        store,
        WECOM.post(EVENT),
        WECOM.post(EVENT, "/callback/acme/app"),
        WECOM.post(EVENT, "/callback/nobody"),
        answered=lambda *each: told.append(each),
    )
    assert told == [("acme", Receiver.CONTACT, 200), ("acme", Receiver.APP, 403)]
