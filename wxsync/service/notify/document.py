"""A notice for programs: `wxsync-notice/1`, and the signature that proves who made it. Pure."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Any, Final

from wxsync.model.notice import Count, Notice
from wxsync.report.as_json import moment
from wxsync.service.notify.words import letter

FORMAT: Final = "wxsync-notice/1"
SIGNATURE: Final = "X-Wxsync-Signature"


def notice_document(notice: Notice, language: str, number: int) -> dict[str, Any]:
    """The notice as JSON has it; `number` is the same for each attempt to send it."""
    told = letter(notice, language)
    return {
        "format": FORMAT,
        "id": number,
        "kind": notice.kind.value,
        "corp": notice.corp,
        "sync": notice.sync,
        "at": moment(notice.at),
        "run": notice.run,
        "runs": notice.runs,
        "title": told.title,
        "text": "\n".join(told.lines),
        "done": _counts(notice.done),
        "planned": _counts(notice.planned),
        "failed": notice.failed,
        "skipped": notice.skipped,
        "unknown": notice.unknown,
        "rejected": notice.rejected,
        "reasons": list(notice.reasons),
        "error": notice.error or None,
        "hint": notice.hint or None,
        "digest": notice.digest or None,
        "command": notice.command or None,
    }


def body_of(document: dict[str, Any]) -> bytes:
    """The bytes that are sent, and signed."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def signature(secret: str, body: bytes, timestamp: int) -> str:
    """`t=1767225600,v1=…`: HMAC-SHA256, in hexadecimal, of the timestamp, a full stop and the body.

    Whoever checks it compares in constant time, and refuses a timestamp of long ago: so no message that
    somebody caught is good for a second time.
    """
    signed = hmac.new(secret.encode(), str(timestamp).encode() + b"." + body, hashlib.sha256)
    return f"t={timestamp},v1={signed.hexdigest()}"


def _counts(counts: Sequence[Count]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for count in counts:
        found.setdefault(count.kind, {})[count.verb] = count.number
    return found
