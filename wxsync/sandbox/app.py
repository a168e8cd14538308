"""The sandbox as an ASGI app: every call goes through the documented order of checks, or gets HTTP 404."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from wxsync.sandbox import access, contacts, departments, reads, tags
from wxsync.sandbox.call import Asked, Operation
from wxsync.sandbox.faults import ConnectionDropped, ConnectionNotMade, Fault, FaultKind
from wxsync.sandbox.refusal import TEXTS, Refusal, errmsg, invalid
from wxsync.sandbox.state import Call, Identity, SandboxState

OPERATIONS: Final[Mapping[str, Operation]] = {
    operation.path: operation
    for operation in (
        *contacts.OPERATIONS,
        *reads.OPERATIONS,
        *departments.OPERATIONS,
        *tags.OPERATIONS,
    )
}
"""Every call that the sandbox knows beside gettoken, by its path below `/cgi-bin/`."""

GETTOKEN: Final = "gettoken"
PREFIX: Final = "cgi-bin/"
SECRETS: Final = frozenset(("access_token", "corpsecret"))
"""Query parameters that are not logged."""

ESCAPE: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u[0-9a-fA-F]{4}")
WARNING: Final = ". Warning: wrong json format. "


def create_sandbox(state: SandboxState, *, cuts_off: bool = False) -> Starlette:
    """A WeCom that serves the corp in `state`.

    A broken connection is an httpx error out of the app, which `httpx.ASGITransport` hands to the
    client as it is. With `cuts_off`, for a real server, it is an answer that breaks off.
    """
    return Starlette(routes=[Route("/{path:path}", Sandbox(state, cuts_off=cuts_off))])


async def cut_off(send: Send) -> None:
    """The client reads the end of the stream where a body should be."""
    headers = [(b"content-type", b"application/json; charset=UTF-8"), (b"content-length", b"64")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller is told; without a response the connection breaks."""

    response: Response | None
    errcode: int | None
    is_carried_out: bool
    who: str | None
    was_never_made: bool = False


@dataclass(frozen=True, slots=True)
class Arrived:
    """A request as it arrived."""

    method: str
    path: str
    query: Mapping[str, str]
    raw: bytes
    body: Mapping[str, Any] | None
    """None where it is not a JSON object."""
    ip: str

    @property
    def public_query(self) -> dict[str, str]:
        return {name: value for name, value in self.query.items() if name not in SECRETS}


class Sandbox:
    """The one endpoint."""

    def __init__(self, state: SandboxState, *, cuts_off: bool) -> None:
        self._state = state
        self._cuts_off = cuts_off

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            arrived = await arrive(Request(scope, receive))
        except ClientDisconnect:
            return
        under_way = self._state.under_way
        under_way[arrived.path] += 1
        self._state.most_at_once = max(self._state.most_at_once, under_way.total())
        try:
            answer = await self._answer(arrived)
        finally:
            under_way[arrived.path] -= 1
        if answer.response is not None:
            await answer.response(scope, receive, send)
        elif self._cuts_off:
            await cut_off(send)
        elif answer.was_never_made:
            raise ConnectionNotMade("the sandbox cannot be reached, as ordered")
        else:
            raise ConnectionDropped("the sandbox dropped the connection, as ordered")

    async def _answer(self, arrived: Arrived) -> Answer:
        state = self._state
        if arrived.path != GETTOKEN and arrived.path not in OPERATIONS:
            return self._logged(arrived, Answer(error_page(404), None, False, None))
        if state.latency:
            await asyncio.sleep(state.latency)
        fault = state.faults.take(arrived.path, arrived.public_query, arrived.body or {})
        if fault is None:
            return self._logged(arrived, carry_out(state, arrived))
        if fault.kind is FaultKind.DELAY and not fault.is_after:
            await asyncio.sleep(fault.seconds)
        is_tried = fault.is_after or fault.kind is FaultKind.DELAY
        answer = carry_out(state, arrived) if is_tried else Answer(None, None, False, None)
        answer = self._logged(arrived, spoilt(state, arrived, fault, answer))
        if fault.kind is FaultKind.DELAY and fault.is_after:
            await asyncio.sleep(fault.seconds)
        return answer

    def _logged(self, arrived: Arrived, answer: Answer) -> Answer:
        operation = OPERATIONS.get(arrived.path)
        self._state.log.append(
            Call(
                method=arrived.method,
                path=arrived.path,
                is_write=operation is not None and operation.is_write,
                errcode=answer.errcode,
                is_carried_out=answer.is_carried_out,
                http_status=None if answer.response is None else answer.response.status_code,
                query=arrived.public_query,
                body=arrived.body,
                who=answer.who,
            )
        )
        return answer


async def arrive(request: Request) -> Arrived:
    """The request, read to its end."""
    raw = await request.body()
    try:
        body = json.loads(raw) if raw else None
    except (ValueError, RecursionError):
        body = None
    path: str = request.path_params["path"]
    return Arrived(
        method=request.method,
        path=path.removeprefix(PREFIX) if path.startswith(PREFIX) else "/" + path,
        query=dict(request.query_params),
        raw=raw,
        body=body if isinstance(body, dict) else None,
        ip=request.client.host if request.client else "127.0.0.1",
    )


def carry_out(state: SandboxState, arrived: Arrived) -> Answer:
    """The checks in WeCom's order, then the call itself."""
    if arrived.path == GETTOKEN:
        return gettoken(state, arrived)
    operation = OPERATIONS[arrived.path]
    who: Identity | None = None
    try:
        who = access.identify(state, arrived.query.get("access_token"))
        access.check_address(state, arrived.ip)
        access.check_frequency(state, operation.path)
        access.check_permission(state, who, operation.permission)
        asked = Asked(state, who, arrived.query, read_body(state, operation, arrived))
        fields = operation.carry_out(asked)
    except Refusal as refusal:
        return refused(state, arrived, refusal, who)
    text = operation.success + (WARNING if asked.has_wrong_types else "")
    return Answer(json_response({"errcode": 0, "errmsg": text, **fields}), 0, True, who.name)


def gettoken(state: SandboxState, arrived: Arrived) -> Answer:
    """A token (WeCom page 91039); from any address, as was observed."""
    try:
        access.check_frequency(state, GETTOKEN)
        token = access.issue_token(state, arrived.query.get("corpid"), arrived.query.get("corpsecret"))
    except Refusal as refusal:
        return refused(state, arrived, refusal, None)
    left = max(int(token.expires_at - state.clock()), 0)
    fields = {"errcode": 0, "errmsg": "ok", "access_token": token.text, "expires_in": left}
    return Answer(json_response(fields), 0, True, token.identity.name)


def read_body(state: SandboxState, operation: Operation, arrived: Arrived) -> Mapping[str, Any]:
    """The JSON object of a POST. A call by the wrong method gets 40058, one of the three documented."""
    if arrived.method != operation.method:
        raise Refusal(40058)
    if operation.method == "GET":
        return {}
    if state.refuse_escapes and b"\\u" in arrived.raw and ESCAPE.search(arrived.raw):
        raise Refusal(40033)
    if arrived.body is None:
        raise invalid("body")
    return arrived.body


def refused(state: SandboxState, arrived: Arrived, refusal: Refusal, who: Identity | None) -> Answer:
    """An error in WeCom's shape: the lists of the answer empty, code and text in headers too."""
    hint = f"{int(state.clock() * 1_000_000):016d}{state.next_serial():04d}"
    text = errmsg(refusal, hint=hint, ip=arrived.ip)
    operation = OPERATIONS.get(arrived.path)
    empties: dict[str, list[object]] = {name: [] for name in (operation.empties if operation else ())}
    response = json_response(
        {"errcode": refusal.errcode, "errmsg": text, **empties},
        {"Error-Code": str(refusal.errcode), "Error-Msg": text},
    )
    return Answer(response, refusal.errcode, False, who.name if who else None)


def spoilt(state: SandboxState, arrived: Arrived, fault: Fault, answer: Answer) -> Answer:
    """What the fault makes of the answer."""
    done, who = answer.is_carried_out, answer.who
    match fault.kind:
        case FaultKind.ERRCODE:
            if fault.errcode in (40014, 42001):
                access.end_token(state, arrived.query.get("access_token"))
            refusal = Refusal(fault.errcode, TEXTS.get(fault.errcode, "error"))
            return Answer(refused(state, arrived, refusal, None).response, fault.errcode, done, who)
        case FaultKind.HTTP_STATUS:
            return Answer(error_page(fault.status), None, done, who)
        case FaultKind.RESET | FaultKind.UNREACHABLE:
            return Answer(None, None, done, who, fault.kind is FaultKind.UNREACHABLE)
        case FaultKind.WARNING:
            operation = OPERATIONS.get(arrived.path)
            text = (operation.success if operation else "ok") + WARNING
            return Answer(json_response({"errcode": 0, "errmsg": text}), 0, done, who)
        case FaultKind.DELAY:
            return answer


def json_response(content: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    return Response(
        json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(),
        media_type="application/json; charset=UTF-8",
        headers={"Server": "nginx", **(headers or {})},
    )


def error_page(status: int) -> Response:
    """What a web server says where WeCom says nothing."""
    page = f"<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>"
    return Response(page, status, {"Server": "nginx"}, "text/html")
