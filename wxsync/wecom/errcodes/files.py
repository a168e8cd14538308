"""Errcodes of uploaded files, and of the jobs that import and export by them."""

from __future__ import annotations

from typing import Final

from wxsync.model.message import say
from wxsync.wecom.errcodes.meaning import ErrcodeInfo, bug, field, not_found, retry, stop

_FILE: Final = field(say("WeCom does not take this file: see its type and size"))
_NO_JOB: Final = not_found(say("WeCom keeps the results of the last five jobs; this one is not among them"))

MEDIA: Final[dict[int, ErrcodeInfo]] = {
    40004: bug(),
    40005: bug(),
    40006: _FILE,
    40007: field(say("the uploaded file has expired or is of another kind: upload it again")),
    40009: _FILE,
    40011: _FILE,
    41006: bug(),
    44001: bug(say("wxsync sent an empty file: please report it")),
    45001: _FILE,
    45007: field(say("the recording is longer than the 60 seconds that WeCom takes: cut it")),
    301019: field(say("the file is not the one of this MD5: upload it again")),
    830001: field(say("WeCom cannot use the address of this file: give one that begins with https://")),
    830002: bug(),
    830003: field(say("WeCom could not fetch the file from its address: see whether that can be reached")),
}

JOBS: Final[dict[int, ErrcodeInfo]] = {
    40088: _NO_JOB,
    40089: _NO_JOB,
    40092: field(say("WeCom does not take the file of the job: look at the rows of its result")),
    45026: stop(
        say(
            "WeCom refuses so many deletions in one import: look at the plan; where they all shall go, "
            "set policy.replace = false, or delete some of them by hand first in the admin console "
            "(管理后台 → 通讯录)"
        )
    ),
    302003: bug(say("two rows of the import file have the same userid: please report it")),
    302004: bug(say("the departments of the import file are no single tree: please report it")),
    302005: retry(say("WeCom could not carry out the job: run again")),
    302006: bug(say("two rows of the import file have the same department id: please report it")),
    302007: bug(say("two departments of the import file have the same name and parent: please report it")),
    302008: retry(say("another job is being carried out: run again when it is done")),
}
