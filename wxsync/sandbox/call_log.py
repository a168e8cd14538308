"""The log of all calls as JSON lines, without tokens, secrets, phone numbers and addresses."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TextIO

from wxsync.errors import WxsyncError
from wxsync.sandbox.identity import Call
from wxsync.sandbox.state import SandboxState

MASK: Final = "***"
MASKED: Final = frozenset(
    """
    access_token corpsecret code tfa_code user_ticket key token encodingaeskey encoding_aeskey
    encoding_aes_key response_code mobile telephone email biz_mail biz_mail_alias address
    qr_code avatar openid
    """.split()
)
"""Keys whose values are nobody's business, wherever they stand in a query or a body."""


@contextmanager
def logging_calls(state: SandboxState, path: Path) -> Iterator[None]:
    """Every call that is answered inside is appended to the file, which only its owner can read."""
    try:
        path.touch(mode=0o600)
        if path.is_file():
            path.chmod(0o600)
        file = path.open("a", encoding="utf-8", buffering=1)
    except OSError as error:
        raise WxsyncError(
            f"cannot write {path}: {error.strerror}", hint="name another file with --log"
        ) from error
    with file:
        state.on_call = lambda call: _write(file, call)
        try:
            yield
        finally:
            state.on_call = None


def _write(file: TextIO, call: Call) -> None:
    file.write(json.dumps(line_of(call), ensure_ascii=False) + "\n")


def line_of(call: Call) -> dict[str, Any]:
    """One call as the log has it."""
    return {
        "at": datetime.fromtimestamp(call.at, UTC).isoformat(timespec="milliseconds"),
        "method": call.method,
        "path": call.path,
        "who": call.who,
        "ip": call.ip,
        "errcode": call.errcode,
        "http_status": call.http_status,
        "is_write": call.is_write,
        "is_carried_out": call.is_carried_out,
        "query": masked(call.query),
        "body": masked(call.body),
    }


def masked(value: Any) -> Any:
    """The same without what is nobody's business."""
    if isinstance(value, Mapping):
        return {
            name: MASK if name.lower() in MASKED and each not in (None, "") else masked(each)
            for name, each in value.items()
        }
    return [masked(each) for each in value] if isinstance(value, list | tuple) else value
