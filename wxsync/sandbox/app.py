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
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from wxsync.sandbox import (
    access,
    chats,
    contacts,
    customer_chats,
    customers,
    departments,
    exports,
    invitations,
    jobs,
    lookups,
    media,
    messages,
    reads,
    tags,
    verification,
    webhooks,
)
from wxsync.sandbox.answers import Answer, disfigured, error_page, json_response
from wxsync.sandbox.call import Asked, Operation
from wxsync.sandbox.control import Control
from wxsync.sandbox.counters import Check
from wxsync.sandbox.export_files import ExportFiles
from wxsync.sandbox.faults import ConnectionDropped, ConnectionNotMade, Fault, FaultKind
from wxsync.sandbox.identity import Call, Identity
from wxsync.sandbox.job_progress import settle
from wxsync.sandbox.multipart import Upload, is_multipart, parse_multipart
from wxsync.sandbox.refusal import TEXTS, Refusal, errmsg, invalid
from wxsync.sandbox.state import SandboxState

OPERATIONS: Final[Mapping[str, Operation]] = {
    operation.path: operation
    for operation in (
        *contacts.OPERATIONS,
        *reads.OPERATIONS,
        *lookups.OPERATIONS,
        *invitations.OPERATIONS,
        *verification.OPERATIONS,
        *departments.OPERATIONS,
        *tags.OPERATIONS,
        *media.OPERATIONS,
        *jobs.OPERATIONS,
        *exports.OPERATIONS,
        *chats.OPERATIONS,
        *messages.OPERATIONS,
        *webhooks.OPERATIONS,
        *customers.OPERATIONS,
        *customer_chats.OPERATIONS,
    )
}
"""Every call that the sandbox knows beside gettoken, by its path below `/cgi-bin/`."""

GETTOKEN: Final = "gettoken"
PREFIX: Final = "cgi-bin/"
CONTACTS: Final = frozenset(("user", "department", "tag"))
"""The families of calls whose changes WeCom calls back (WeCom page 90967)."""
SECRETS: Final = frozenset(("access_token", "corpsecret", "code", "key"))
"""Query parameters that are not logged."""

ESCAPE: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u[0-9a-fA-F]{4}")
WARNING: Final = ". Warning: wrong json format. "


def create_sandbox(state: SandboxState, *, cuts_off: bool = False) -> Starlette:
    """A WeCom that serves the corp in `state`.

    A broken connection is an httpx error out of the app, which `httpx.ASGITransport` hands to the
    client as it is. With `cuts_off`, for a real server, it is an answer that breaks off.
    """
    files = Route(f"/{exports.FILES}/{{name}}", ExportFiles(state, cuts_off=cuts_off))
    looking = Route("/sandbox/{name}", Control(state))
    return Starlette(routes=[files, looking, Route("/{path:path}", Sandbox(state, cuts_off=cuts_off))])


async def cut_off(send: Send) -> None:
    """The client reads the end of the stream where a body should be."""
    headers = [(b"content-type", b"application/json; charset=UTF-8"), (b"content-length", b"64")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


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
    content_type: str = ""
    base_url: str = ""

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
            state.counters.refused[Check.PATH] += 1
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
        self._state.note(
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
                ip=arrived.ip,
                at=self._state.clock(),
            )
        )
        return answer


async def arrive(request: Request) -> Arrived:
    """The request, read to its end."""
    raw = await request.body()
    content_type = request.headers.get("content-type", "")
    try:
        body = json.loads(raw) if raw and not is_multipart(content_type) else None
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
        content_type=content_type,
        base_url=str(request.base_url).rstrip("/"),
    )


def carry_out(state: SandboxState, arrived: Arrived) -> Answer:
    """The checks in WeCom's order, then the call itself."""
    settle(state)
    if arrived.path == GETTOKEN:
        return gettoken(state, arrived)
    operation = OPERATIONS[arrived.path]
    who: Identity | None = None
    check = Check.TOKEN
    try:
        who = access.identify(state, arrived.query.get("access_token"), operation.permission)
        check = Check.ADDRESS
        if who is not access.NOBODY:
            access.check_address(state, arrived.ip)
        check = Check.FREQUENCY
        access.check_frequency(
            state,
            operation.path,
            arrived.ip,
            is_debug=arrived.query.get("debug") == "1",
            at_once=operation.at_once,
        )
        check = Check.PERMISSION
        access.check_permission(state, who, operation.permission, is_write=operation.is_write)
        check = Check.BODY
        asked = Asked(
            state,
            who,
            arrived.query,
            read_body(state, operation, arrived),
            read_uploads(operation, arrived),
            arrived.base_url,
        )
        check = Check.CALL
        fields = carried_out(operation, asked)
    except Refusal as refusal:
        state.counters.refused[check] += 1
        return refused(state, arrived, refusal, who)
    text = operation.success + (WARNING if asked.has_wrong_types else "")
    # A job that failed answers with an errcode of its own, as a text.
    told = {"errcode": 0, "errmsg": text, **fields}
    return Answer(json_response(told), int(told["errcode"]), True, who.name)


def gettoken(state: SandboxState, arrived: Arrived) -> Answer:
    """A token (WeCom page 91039); from any address, as was observed."""
    try:
        access.check_frequency(state, GETTOKEN, arrived.ip)
        token = access.issue_token(
            state, arrived.query.get("corpid"), arrived.query.get("corpsecret"), arrived.ip
        )
    except Refusal as refusal:
        state.counters.refused[Check.TOKEN] += 1
        return refused(state, arrived, refusal, None)
    left = max(int(token.expires_at - state.clock()), 0)
    fields = {"errcode": 0, "errmsg": "ok", "access_token": token.text, "expires_in": left}
    return Answer(json_response(fields), 0, True, token.identity.name)


def read_body(state: SandboxState, operation: Operation, arrived: Arrived) -> Mapping[str, Any]:
    """The JSON object of a POST. A call by the wrong method gets 40058, one of the three documented."""
    if arrived.method != operation.method:
        raise Refusal(40058)
    if operation.method == "GET" or operation.takes_uploads:
        return {}
    if state.refuse_escapes and b"\\u" in arrived.raw and ESCAPE.search(arrived.raw):
        raise Refusal(40033)
    if arrived.body is None:
        raise invalid("body")
    return arrived.body


def read_uploads(operation: Operation, arrived: Arrived) -> tuple[Upload, ...]:
    """The parts of a body in parts, where the call takes them."""
    return parse_multipart(arrived.content_type, arrived.raw) if operation.takes_uploads else ()


def carried_out(operation: Operation, asked: Asked) -> Mapping[str, Any]:
    """The call's effect and answer; what it changes in the directory is called back."""
    if not operation.is_write or operation.path.partition("/")[0] not in CONTACTS:
        return operation.carry_out(asked)
    with asked.state.watched(by_contact=asked.who.is_contact):
        return operation.carry_out(asked)


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
    return Answer(response, refusal.errcode, refusal.is_half_done, who.name if who else None)


def spoilt(state: SandboxState, arrived: Arrived, fault: Fault, answer: Answer) -> Answer:
    """What the fault makes of the answer."""
    done, who = answer.is_carried_out, answer.who
    match fault.kind:
        case FaultKind.ERRCODE:
            if fault.errcode in (40014, 42001):
                access.end_token(state, arrived.query.get("access_token"))
            refusal = Refusal(fault.errcode, TEXTS.get(fault.errcode, "error"))
            return Answer(refused(state, arrived, refusal, None).response, fault.errcode, done, who)
        case FaultKind.HTTP_STATUS | FaultKind.HTML:
            return Answer(error_page(fault.status), None, done, who)
        case FaultKind.RESET | FaultKind.UNREACHABLE:
            return Answer(None, None, done, who, fault.kind is FaultKind.UNREACHABLE)
        case FaultKind.WARNING:
            operation = OPERATIONS.get(arrived.path)
            text = (operation.success if operation else "ok") + WARNING
            return Answer(json_response({"errcode": 0, "errmsg": text}), 0, done, who)
        case FaultKind.CUT | FaultKind.TEXT_ERRCODE | FaultKind.HUGE:
            plain = answer.response or refused(state, arrived, Refusal(-1), None).response
            errcode = answer.errcode if fault.kind is FaultKind.HUGE else None
            return Answer(disfigured(plain, fault.kind) if plain else None, errcode, done, who)
        case FaultKind.DELAY:
            return answer
