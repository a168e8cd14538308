"""What to do about each of WeCom's error codes: `lookup` for programs, `explain` for people.

The class of the error follows the action: RETRY and WAIT are a `RateLimitError`, REFRESH a `TokenError`, STOP
a `DeniedError`, BUG a plain `WeComApiError`; a RECORD is one of not found, conflict or field.
"""

from wxsync.wecom.errcodes.codes import (
    BAD_CURSOR,
    BAD_USERID,
    BUSY,
    CHATID_TAKEN,
    CONCURRENCY,
    DEPARTMENT_EXISTS,
    EMAIL_TAKEN,
    FORBIDDEN,
    FREQUENCY,
    INVALID_DEPARTMENT,
    MOBILE_TAKEN,
    NO_SUCH_DEPARTMENT,
    NO_SUCH_PARENT,
    NO_SUCH_TAG,
    NO_SUCH_USERID,
    NODES_INVALID,
    NOT_A_CUSTOMER,
    OUT_OF_SCOPE,
    RESPONSE_CODE_USED,
    TAG_NAME_EXISTS,
    UNTRUSTED_IP,
    USERID_EXISTS,
    USERIDS_INVALID,
    VERSION_CONFLICT,
)
from wxsync.wecom.errcodes.meaning import Action, ErrcodeInfo
from wxsync.wecom.errcodes.table import ALREADY_SO, ERRCODES, FAMILIES, explain, lookup

__all__ = [
    "ALREADY_SO",
    "BAD_CURSOR",
    "BAD_USERID",
    "BUSY",
    "CHATID_TAKEN",
    "CONCURRENCY",
    "DEPARTMENT_EXISTS",
    "EMAIL_TAKEN",
    "ERRCODES",
    "FAMILIES",
    "FORBIDDEN",
    "FREQUENCY",
    "INVALID_DEPARTMENT",
    "MOBILE_TAKEN",
    "NODES_INVALID",
    "NOT_A_CUSTOMER",
    "NO_SUCH_DEPARTMENT",
    "NO_SUCH_PARENT",
    "NO_SUCH_TAG",
    "NO_SUCH_USERID",
    "OUT_OF_SCOPE",
    "RESPONSE_CODE_USED",
    "TAG_NAME_EXISTS",
    "UNTRUSTED_IP",
    "USERIDS_INVALID",
    "USERID_EXISTS",
    "VERSION_CONFLICT",
    "Action",
    "ErrcodeInfo",
    "explain",
    "lookup",
]
