"""What the sandbox sends back: JSON, a web server's page, or what a fault makes of either."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.responses import Response

from wxsync.sandbox.faults import FaultKind

JSON: Final = "application/json; charset=UTF-8"
ERRCODE: Final = re.compile(rb'"errcode":(-?\d+)')
HUGE: Final = 10_000_000
"""Bytes that a body is made larger by."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller is told; without a response the connection breaks."""

    response: Response | None
    errcode: int | None
    is_carried_out: bool
    who: str | None
    was_never_made: bool = False


def json_response(content: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    return _of_bytes(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(), headers)


def error_page(status: int) -> Response:
    """What a web server says where WeCom says nothing; with 200, what a proxy's login page is."""
    page = f"<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>"
    return Response(page, status, {"Server": "nginx"}, "text/html")


def disfigured(response: Response, kind: FaultKind) -> Response:
    """The answer with HTTP 200 that is none: cut in the middle, with a text for a number, or huge."""
    body = bytes(response.body)
    match kind:
        case FaultKind.CUT:
            body = body[: len(body) // 2]
        case FaultKind.TEXT_ERRCODE:
            body = ERRCODE.sub(rb'"errcode":"\1"', body, count=1)
        case FaultKind.HUGE:
            body = body[:-1] + b',"padding":"' + b"x" * HUGE + b'"}'
    return _of_bytes(body)


def _of_bytes(body: bytes, headers: Mapping[str, str] | None = None) -> Response:
    return Response(body, media_type=JSON, headers={"Server": "nginx", **(headers or {})})
