"""Mutated requests: no error of the server, nothing accepted that WeCom did not sign, nothing that grows."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.types import Scope

from tests.service.sender import APP_KEYS, CORP_ID, FORMER, OTHER, Sender, app, change_xml
from wxsync.mirror import inbox, schema
from wxsync.mirror.store import Store
from wxsync.mirror.tables import inbox as inbox_table
from wxsync.wecom.crypto import CallbackCrypto, build_envelope

MESSAGES = (
    change_xml("create_user", UserID="lin", Department="2", Name="林梅"),
    change_xml("update_tag", TagId="1"),
    b"<xml><Event>batch_job_result</Event><BatchJob><JobId>J</JobId></BatchJob></xml>",
    b"1616140317555161061",
)
SENDERS = (
    (Sender(), "/callback/acme"),
    (Sender(keys=FORMER), "/callback/acme"),
    (Sender(keys=APP_KEYS), "/callback/acme/app"),
)
PARAMETERS = ("msg_signature", "timestamp", "nonce", "echostr")

Request = dict[str, Any]
"""method, path, query (bytes), body (pieces)."""
Mutation = Callable[[Request], Request]


def genuine(message: bytes, sender: Sender, path: str, method: str) -> Request:
    query, encrypt = sender.signed(message)
    if method == "GET":
        query |= {"echostr": encrypt}
        return {"method": method, "path": path, "query": urlencode(query).encode(), "body": b""}
    body = build_envelope(encrypt, to_user_name=CORP_ID)
    return {"method": method, "path": path, "query": urlencode(query).encode(), "body": body}


def spliced(text: bytes, at: float, cut: int, put: bytes) -> bytes:
    """`put` in the place of `cut` bytes, so far from the beginning."""
    place = int(at * len(text))
    return text[:place] + put + text[place + cut :]


place = st.floats(0, 1, exclude_max=True)
piece = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [
            *(b"", b"&", b"=", b"+", b"%", b"%00", b"%ff", b"]]>", b"<", b"</Encrypt>", b"<Encrypt>"),
            *(b"\0", b"A", b"&e;", b"\xff\xfe", b"<a>" * 3000, b"x" * 300_000),
            *(b"<!DOCTYPE x [<!ENTITY e 'x'>]>", b"<?xml version='1.0' encoding='utf-16'?>"),
        ]
    ),
)


def spliced_in(name: str, at: float, cut: int, put: bytes) -> Mutation:
    return lambda request: {**request, name: spliced(request[name], at, cut, put)}


def parameter(name: str, value: str | None, *, twice: bool) -> Mutation:
    def mutate(request: Request) -> Request:
        pairs = parse_qsl(request["query"].decode("latin-1"), keep_blank_values=True)
        others = [pair for pair in pairs if twice or pair[0] != name]
        said = others if value is None else [*others, (name, value)]
        return {**request, "query": urlencode(said, errors="surrogatepass").encode()}

    return mutate


def swapped_body(message: bytes, keys: dict[str, str]) -> Mutation:
    """The envelope of another message, by keys that may be others."""
    body = build_envelope(Sender(keys=keys).signed(message)[1], to_user_name=CORP_ID)
    return lambda request: {**request, "body": body}


mutations = st.one_of(
    st.builds(spliced_in, st.sampled_from(["query", "body"]), place, st.integers(0, 60), piece),
    st.builds(
        parameter,
        st.sampled_from(PARAMETERS),
        st.one_of(st.none(), st.text(max_size=60), st.integers().map(str)),
        twice=st.booleans(),
    ),
    st.builds(swapped_body, st.binary(max_size=80), st.sampled_from([OTHER, FORMER])),
    st.sampled_from(["GET", "POST", "PUT", "HEAD", "OPTIONS", "PATCH"]).map(
        lambda method: lambda request: {**request, "method": method}
    ),
    st.one_of(
        st.sampled_from(
            ["/callback", "/callback/", "/callback/acme", "/callback/acme/app", "/callback/bare"]
        ),
        st.text(max_size=30).map(lambda text: f"/callback/{text}"),
    ).map(lambda path: lambda request: {**request, "path": path}),
)
requests = st.tuples(
    st.sampled_from(MESSAGES),
    st.sampled_from(SENDERS),
    st.sampled_from(["GET", "POST"]),
    st.lists(mutations, min_size=1, max_size=4),
)


class Target:
    """The receiver, called as uvicorn would, with all that it has kept."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(schema.prepare(f"sqlite:///{folder}/mirror.db"))
        self.app: Starlette = app(self.store)
        self.runner = asyncio.Runner()
        self.sent = 0
        self.taken = 0

    def send(self, request: Request) -> tuple[int, bytes]:
        self.sent += 1
        return self.runner.run(self._send(request))

    async def _send(self, request: Request) -> tuple[int, bytes]:
        said: list[Any] = []
        body = request["body"]
        pieces = [body[n : n + 65_536] for n in range(0, len(body), 65_536)] or [b""]
        waiting = [
            {"type": "http.request", "body": each, "more_body": n + 1 < len(pieces)}
            for n, each in enumerate(pieces)
        ]
        scope: Scope = {
            "type": "http",
            "method": request["method"],
            "path": request["path"],
            "raw_path": request["path"].encode("utf-8", "surrogatepass"),
            "root_path": "",
            "query_string": request["query"],
            "headers": [(b"host", b"wxsync.test")],
            "client": ("203.0.113.9", 1),
            "server": ("wxsync.test", 80),
            "scheme": "http",
        }

        async def receive() -> Any:
            return waiting.pop(0) if waiting else {"type": "http.disconnect"}

        async def take(message: Any) -> None:
            said.append(message)

        await self.app(scope, receive, take)
        return said[0]["status"], b"".join(each.get("body", b"") for each in said[1:])

    def attack(self, message: bytes, whose: tuple[Sender, str], method: str, by: list[Mutation]) -> None:
        """A request that was WeCom's before it was changed."""
        request = genuine(message, *whose, method)
        for mutate in by:
            request = mutate(request)
        status, content = self.send(request)
        if "\n" in request["path"]:  # the router may say itself that nobody has such a path
            assert status in (403, 404), (status, request)
            return
        assert status in (200, 403), (status, request)
        assert content == b"" or (status == 200 and content in MESSAGES), request
        self.taken += status == 200

    def check(self) -> None:
        """Whatever was taken, WeCom had signed."""
        with self.store.reading() as connection:
            kept = [each.letter.message for each in inbox.waiting(connection, "acme", limit=10_000)]
            rows = connection.execute(inbox_table.select()).all()
        assert set(kept) <= set(MESSAGES)
        assert len(kept) == len(rows) <= 2 * len(MESSAGES)

    def close(self) -> None:
        self.runner.close()
        self.store.close()


def fuzzed(folder: Path, examples: int) -> Target:
    target = Target(folder)

    @settings(
        max_examples=examples,
        database=None,
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
            HealthCheck.large_base_example,
        ],
    )
    @given(requests)
    def attacks(request: tuple[bytes, tuple[Sender, str], str, list[Mutation]]) -> None:
        target.attack(*request)

    try:
        attacks()
        target.check()
    finally:
        target.close()
    return target


def test_two_thousand_mutated_requests(tmp_path: Path) -> None:
    """No 5xx, nothing kept but what was signed; some requests are still WeCom's after their mutation."""
    target = fuzzed(tmp_path, 2_000)
    assert target.sent >= 2_000
    assert 0 < target.taken < target.sent / 2


@pytest.mark.soak
def test_a_hundred_thousand_mutated_requests(tmp_path: Path) -> None:
    """The same for longer."""
    target = fuzzed(tmp_path, 100_000)
    assert target.sent >= 100_000
    print(f"{target.sent} mutated requests, {target.taken} of them still WeCom's own")


def test_whoever_knows_the_token_alone_gets_nothing_in(tmp_path: Path) -> None:
    """Signed rightly, and encrypted by guess, cut, or changed: 403 each time, and never a 500."""
    target = Target(tmp_path)
    sender, path = SENDERS[0]
    query, encrypt = sender.signed(MESSAGES[0])

    def signed(text: str) -> Request:
        signature = CallbackCrypto("tokenA", "a" * 43, CORP_ID).signature(
            query["timestamp"], query["nonce"], text
        )
        body = build_envelope(text, to_user_name=CORP_ID)
        asked = urlencode({**query, "msg_signature": signature}).encode()
        return {"method": "POST", "path": path, "query": asked, "body": body}

    cut = [encrypt[:n] for n in range(0, len(encrypt), 7)]
    guessed = ["A" * n for n in (0, 1, 4, 43, 44, 64, 88, 1000)] + ["é", "=", "====", "A===", " ", "A A="]
    last = encrypt[:-40]
    flipped = [last + chr(65 + n % 26) * 38 + "==" for n in range(26)]
    for text in (*cut, *guessed, *flipped):
        assert target.send(signed(text)) == (403, b""), text
    target.check()
    target.close()


def test_refused_requests_leave_nothing_behind(tmp_path: Path) -> None:
    """Thousands of them later no more memory is held than after the first hundred."""
    target = Target(tmp_path)
    strangers = [Sender(keys=OTHER), Sender(corp_id="wwOTHER")]

    def refuse(count: int) -> None:
        for n in range(count):
            request = genuine(MESSAGES[n % 4], strangers[n % 2], f"/callback/acme{n % 3 * 'x'}", "POST")
            assert target.send(request) == (403, b"")

    refuse(200)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    refuse(2_000)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    target.check()
    target.close()
    assert grown < 100_000
