"""What the real WeCom has not: HTTP calls by which a program moves the clock and looks inside."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from wxsync.sandbox.dump import to_document
from wxsync.sandbox.records import fold
from wxsync.sandbox.state import SandboxState
from wxsync.sandbox.verification import sign_in_code, verification_code

Body = Mapping[str, Any]


class Control:
    """The calls below `/sandbox/`. They want no token, are in no log, and meet no fault."""

    def __init__(self, state: SandboxState) -> None:
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = self._answer(request.method, request.path_params["name"], await request.body())
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    def _answer(self, method: str, name: str, raw: bytes) -> JSONResponse:
        act = CONTROLS.get((method, name))
        if act is None:
            return JSONResponse({"error": "there is no such call"}, 404)
        try:
            return JSONResponse(act(self._state, _parse(raw)))
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)


def _parse(raw: bytes) -> Body:
    """The JSON object of a POST; nothing at all is an empty one."""
    try:
        body = json.loads(raw or b"{}")
    except (ValueError, RecursionError):
        raise ValueError("the body is not JSON") from None
    if not isinstance(body, dict):
        raise ValueError("the body must be a JSON object")
    return body


def _clock(state: SandboxState, _body: Body) -> dict[str, Any]:
    return {"now": state.clock()}


def _move_clock(state: SandboxState, body: Body) -> dict[str, Any]:
    seconds = body.get("forward")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise ValueError("`forward` must be a number of seconds")
    state.forward(seconds)
    return {"now": state.clock()}


def _counters(state: SandboxState, _body: Body) -> dict[str, Any]:
    return state.counted()


def _dump(state: SandboxState, _body: Body) -> dict[str, Any]:
    return to_document(state)


def _code(state: SandboxState, body: Body) -> dict[str, Any]:
    """Somebody opens an app's page, or that of second verification."""
    userid, is_second = body.get("userid"), body.get("second_verification", False)
    if not isinstance(userid, str) or fold(userid) not in state.members:
        raise ValueError("`userid` must be a member's")
    if is_second:
        return {"code": verification_code(state, userid)}
    return {"code": sign_in_code(state, userid, has_consent=bool(body.get("has_consent")))}


CONTROLS: Final[Mapping[tuple[str, str], Callable[[SandboxState, Body], dict[str, Any]]]] = {
    ("GET", "clock"): _clock,
    ("POST", "clock"): _move_clock,
    ("GET", "counters"): _counters,
    ("GET", "dump"): _dump,
    ("POST", "code"): _code,
}
