"""What a test of secrecy marks, the far end that repeats it all, and the check of what a failure left.

Searched are all log lines at DEBUG, warnings, the texts, fields, notes and tracebacks of the error and of all
that led to it: for each marked value as it stands, and as URLs, JSON, HTML, base64 and hexadecimal have it.
The values in the frames of a traceback, which wxsync itself never prints, are searched for secrets: what is
sent of people stands there by nature. So does what a call is given to be used up by it (GIVEN), and an answer
that is being read (UNREAD).
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

import httpx

from tests.wecom.families import streamed
from tests.wecom.leaks import frames_of, leaked, listening, lower_escapes, told_by
from tests.wecom.line import BASE, CORP, Clock, ok
from wxsync.errors import (
    WxsyncError,
)
from wxsync.model.job import JobCallback
from wxsync.model.member import MemberWrite
from wxsync.model.token import TokenState
from wxsync.wecom.client import open_transport
from wxsync.wecom.contacts import Contacts
from wxsync.wecom.content import Receivers, Sent
from wxsync.wecom.retries import Patience
from wxsync.wecom.tokens import MemoryTokens
from wxsync.wecom.transport import Transport
from wxsync.wecom.wire.export import ExportFile, ExportJob

SECRETS = {
    "contact secret": "kontact/S3cret+MARK=9f3b71c2d4",
    "token": "t0ken+MARK/8d21&7==",
    "webhook key": "hook-5f2e9c1d-MARK-77aa",
    "callback token": "CallbackT0kenMARK19",
    "aes key": "MARKs2WxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnE4",
    "proxy password": "pr0xyP@ss/MARK-77c1",
    "export key": "MARKx9Npvbodwkebseasaeoapahkhqnqcf6g19t9wf2",
    "export url": "signature-MARK-51c0ffee",
    "code": "oauthCodeMARK2718281828",
    "tfa code": "tfaCodeMARK3141592653",
    "response code": "responseCodeMARK1618033",
}
PERSONAL = {
    "mobile": "13987654321",
    "mobile abroad": "61234567890",
    "email": "marked.person@example.com",
    "corp mail": "marked@corp.example.com",
    "telephone": "010-87654321",
}
GIVEN = frozenset({"code", "response code"})
"""Good once and for a short time: the arguments of the very call that uses them up."""
PATIENT = Patience(first_pause=0.001, longest_pause=0.001)
MONTH = 40 * 86400.0
WRITE = MemberWrite(
    userid="lin.mei",
    name="林梅",
    mobile=PERSONAL["mobile"],
    email=PERSONAL["email"],
    biz_mail=PERSONAL["corp mail"],
    telephone=PERSONAL["telephone"],
)
CALLBACK = JobCallback(
    url="https://receiver.test", token=SECRETS["callback token"], encoding_aes_key=SECRETS["aes key"]
)
EXPORT = ExportJob(id="jobid_1", encoding_aes_key=SECRETS["export key"])
FILE = ExportFile(url=f"https://files.test/a?sign={SECRETS['export url']}", size=32, md5="0" * 32)
SENT = Sent(
    msgid="1",
    invalid_userids=frozenset(),
    invalid_department_ids=frozenset(),
    invalid_tag_ids=frozenset(),
    unlicensed_userids=frozenset(),
    response_code=SECRETS["response code"],
)
TO = Receivers(userids=("lin",))

Act = Callable[[Transport], Awaitable[object]]
Answer = Callable[[httpx.Request], httpx.Response]


def echo(request: httpx.Request) -> str:
    """A text of WeCom's that repeats the request: nothing says that it never does."""
    query = " ".join(f"{name}={value}" for name, value in parse_qsl(request.url.query.decode()))
    body = request.content.decode(errors="replace")
    people = f"mobile existed:{PERSONAL['mobile']}, {PERSONAL['email']}, {PERSONAL['telephone']}"
    return f"invalid {query} in {request.url} {lower_escapes(str(request.url))} body {body} {people}"


def refused_with(errcode: object) -> Answer:
    return lambda request: httpx.Response(200, json={"errcode": errcode, "errmsg": echo(request)})


def answered(status: int, body: str = "", **headers: str) -> Answer:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, text=body or f"<html>{echo(request)}</html>", headers=headers)

    return answer


def failing(kind: type[httpx.RequestError]) -> Answer:
    def answer(request: httpx.Request) -> httpx.Response:
        raise kind("it broke", request=request) from OSError(104, "Connection reset by peer")

    return answer


def elsewhere(request: httpx.Request) -> httpx.Response:
    return httpx.Response(302, headers={"Location": f"https://elsewhere.test/{request.url.query.decode()}"})


UNREAD = "answer of wrong types"
STATUSES: dict[str, Answer] = {
    **{f"HTTP {status}": answered(status) for status in (204, 301, 400, 401, 403, 404, 407, 429, 500, 502)},
    "redirect": elsewhere,
}
ANSWERS: dict[str, Answer] = {
    "HTML": answered(200),
    "cut": lambda request: httpx.Response(200, text=json.dumps({"errcode": 0, "errmsg": echo(request)})[:-9]),
    "no errcode": lambda request: httpx.Response(200, json={"errmsg": echo(request)}),
    "errcode of another type": refused_with({"told": PERSONAL["mobile"]}),
    "errcode as a text": refused_with("60104"),
    "warning": lambda request: ok(f"updated. Warning: wrong json format. {echo(request)}"),
    UNREAD: lambda request: ok(
        taglist=echo(request), userid=[echo(request)], jobid={echo(request): 1}, media_id=7, msgid=[]
    ),
    "a long way before": lambda request: httpx.Response(
        200, json={"errcode": 40058, "errmsg": "x" * 960 + echo(request)}
    ),
}
BREAKS: dict[str, Answer] = {
    kind.__name__: failing(kind)
    for kind in (
        *(httpx.ConnectError, httpx.ConnectTimeout, httpx.ReadError, httpx.ReadTimeout, httpx.WriteError),
        *(httpx.WriteTimeout, httpx.PoolTimeout, httpx.CloseError, httpx.RemoteProtocolError),
        *(httpx.LocalProtocolError, httpx.ProxyError, httpx.UnsupportedProtocol, httpx.DecodingError),
    )
}
BROKEN = {**STATUSES, **ANSWERS, **BREAKS}
TYPICAL = (-1, 6000, 40001, 40014, 42001, 40058, 45009, 45033, 48002, 60020, 60102, 60104, 60111, 81017, 99)
"""An errcode of each kind of meaning."""


async def list_tags(line: Transport) -> object:
    return await Contacts(line).list_tags()


async def create_member(line: Transport) -> None:
    await Contacts(line).create_member(WRITE)


class Far:
    """The far end of the line: a token for who asks, and `answer` for all else."""

    def __init__(self) -> None:
        self.answer: Answer = refused_with(-1)
        self.token_answer: Answer = lambda _: ok(access_token=SECRETS["token"], expires_in=7200)
        self.clock = Clock()
        self.drawn: dict[str, str] = {}
        """Keys that the client drew and sent."""

    async def reply(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        if request.url.path.endswith("/gettoken"):
            return streamed(self.token_answer(request))
        if b"encoding_aeskey" in request.content:
            self.drawn["drawn key"] = json.loads(request.content)["encoding_aeskey"]
        return streamed(self.answer(request))

    def open(self, **options):
        return open_transport(
            corp_id=CORP,
            secret=SECRETS["contact secret"],
            secret_name="corp.acme.contact_secret",
            base_url=BASE,
            transport=httpx.MockTransport(self.reply),
            sleep=self.clock.sleep,
            clock=self.clock,
            **{"patience": PATIENT, **options},
        )

    async def fail(self, act: Callable[[], Awaitable[object]]) -> WxsyncError | None:
        """The error of one call, long after the last one."""
        self.clock.now += MONTH
        try:
            await act()
        except WxsyncError as error:
            return error
        return None


def check(name: str, error: BaseException | None, heard: list[str], drawn: dict[str, str]) -> None:
    """Nothing marked is in what one failure left."""
    secrets = {**SECRETS, **drawn}
    told = "" if error is None else told_by(error)
    assert leaked(told, {**secrets, **PERSONAL}) == {}, name
    if error is not None and name != UNREAD:
        assert leaked(frames_of(error), secrets).keys() <= GIVEN, name
    assert leaked("\n".join(heard), {**secrets, **PERSONAL}) == {}, name


def fail_each(act: Act, answers: dict[str, Answer]) -> int:
    """Each of the answers to one call; gives how many of them are errors."""
    far, count = Far(), 0

    async def story():
        nonlocal count
        async with far.open() as line:
            for name, answer in answers.items():
                far.answer = answer
                with listening() as heard:
                    error = await far.fail(lambda: act(line))
                count += error is not None
                check(name, error, heard, far.drawn)

    asyncio.run(story(), debug=True)
    return count


def fail_at_once(far: Far, act: Callable[[Transport], Awaitable[object]], times: int = 1, **options) -> list:
    """The errors of so many calls that are under way together, and all that was logged."""

    async def story():
        async with far.open(**options) as line:
            return await asyncio.gather(*(act(line) for _ in range(times)), return_exceptions=True)

    with listening() as heard:
        outcomes = asyncio.run(story(), debug=True)
    errors = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    for error in errors:
        check("at once", error, heard, far.drawn)
    return errors


class MemoryTokensWithOne(MemoryTokens):
    """A token is at hand, so that the call itself goes out."""

    def __init__(self) -> None:
        super().__init__()
        now = time.time()
        self.state = TokenState(
            version=1, text=SECRETS["token"], fetches=1, fetched_at=now, renew_at=now + 999, ends_at=now + 999
        )
