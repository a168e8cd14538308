"""The errcodes that wxsync asks for by name (WeCom page 90313)."""

from __future__ import annotations

from typing import Final

BUSY: Final = -1
VERSION_CONFLICT: Final = 6000
FREQUENCY: Final = 45009
CONCURRENCY: Final = 45033
BAD_CURSOR: Final = 50100
USERIDS_INVALID: Final = 40031
NODES_INVALID: Final = 40070
UNTRUSTED_IP: Final = 60020
NOT_ON_WHITELIST: Final = 301042
MOBILE_TAKEN: Final = 60104
EMAIL_TAKEN: Final = 60106
DEPARTMENT_EXISTS: Final = 60008
USERID_EXISTS: Final = 60102
TAG_NAME_EXISTS: Final = 40071
NO_SUCH_USERID: Final = 60111
BAD_USERID: Final = 40003
NO_SUCH_DEPARTMENT: Final = 60003
NO_SUCH_PARENT: Final = 60004
INVALID_DEPARTMENT: Final = 60123
NO_SUCH_TAG: Final = 40068
CHATID_TAKEN: Final = 86215
RESPONSE_CODE_USED: Final = 60140
NOT_A_CUSTOMER: Final = 84061
CHAT_OWNER_UNCHANGED: Final = 90504
TOO_MANY_REQUESTS: Final = 81017
JOB_UNDER_WAY: Final = 302008
JOB_BROKEN: Final = 302005
MEDIA_GONE: Final = frozenset({40007, 41006})
"""The uploaded file is no longer there, or never was."""
WRONG_SECRET: Final = 40001
ANOTHERS_SECRET: Final = 40091
NOT_GRANTED: Final = 48002
NOT_FOR_CONTACT_SYNC: Final = 48009
TAG_OF_ANOTHER: Final = 81011
MAIL_BOX_REFUSED: Final = frozenset({60143, 81015})
"""WeCom does not take a corp mailbox."""
NO_RIGHT_TO_WRITE: Final = frozenset({NOT_GRANTED, 48003, 48004, 48008, 60011})
"""By one of these WeCom refuses a write for want of the right to make it."""
JOB_FAILURES: Final = frozenset({40007, 40092, 45026, 302003, 302004, 302005, 302006, 302007})
"""What getresult answers of a job that failed, where any other errcode is about the asking itself."""
OUT_OF_SCOPE: Final = frozenset({50002, 60011, 60021, 60030})
"""The secret is good for the call, but not for the record that it names."""
FORBIDDEN: Final = frozenset({48001, 48002, 48003, 48004, 48006, 48007, 48008, 48009, 50003, 60031, 301002})
"""The secret is not good for the call, whatever it names. A wrong secret (40001) is not among them: an
attempt more, and WeCom bans the address; nor is an address that is not trusted (60020), which is mended."""
