"""Errcodes of any call: WeCom is busy, the limits of frequency, and the form of what was asked."""

from __future__ import annotations

from typing import Final

from wxsync.model.message import say
from wxsync.wecom.errcodes.codes import BAD_CURSOR, BUSY, CONCURRENCY, FREQUENCY, VERSION_CONFLICT
from wxsync.wecom.errcodes.meaning import ErrcodeInfo, bug, field, not_found, retry, wait

_TOO_MUCH: Final = bug(
    say("wxsync asked for too much in one call: please report it with the errcode and the size of the corp")
)

CALLS: Final[dict[int, ErrcodeInfo]] = {
    BUSY: retry(say("WeCom was busy each time: run again later")),
    VERSION_CONFLICT: retry(say("somebody else changes the same records: run again when they are done")),
    40033: bug(),
    40035: bug(),
    40058: field(say("WeCom does not take a value of this record: see what is empty or too long")),
    40063: bug(),
    40206: _TOO_MUCH,
    FREQUENCY: wait(
        say(
            "too many calls: WeCom blocks this call for a minute, or for an hour after a wrong secret or "
            "where the limit of the hour was passed; run again after that"
        )
    ),
    45029: _TOO_MUCH,
    CONCURRENCY: retry(say("too many calls at once: run again, and see what else uses this corp's API")),
    BAD_CURSOR: not_found(say("WeCom lost its place in the listing twice: run again")),
    60136: not_found(say("WeCom has no such record: run again")),
    81017: wait(say("too many requests: run again later")),
}
