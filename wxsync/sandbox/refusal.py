"""How the sandbox says no: errcode and text, in the shape of WeCom's answers (WeCom page 90313)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TEXTS: Final[Mapping[int, str]] = {
    -1: "system busy",
    6000: "data version conflict",
    40001: "invalid credential",
    40003: "invalid userid",
    40013: "invalid corpid",
    40014: "invalid access_token",
    40031: "all list invalid",
    40032: "invalid userid list size",
    40033: "invalid request, no \\uxxxx format characters",
    40035: "invalid parameter",
    40058: "invalid Request Parameter",
    40066: "invalid party list",
    40068: "invalid tagid",
    40070: "all list invalid ",
    40071: "invalid tag name, tag name existed",
    40072: "invalid tag name length",
    40126: "too many tags",
    41001: "access_token missing",
    41002: "corpid missing",
    41004: "corpsecret missing",
    41009: "userid missing",
    41017: "tagid missing",
    41018: "tagname missing",
    42001: "access_token expired",
    45009: "api freq out of limit",
    45024: "account count out of limit",
    45033: "api concurrent out of limit",
    46004: "user not exist",
    48002: "api forbidden",
    48009: "api forbidden for contact assistant",
    50100: "invalid cursor",
    60001: "department invalid length",
    60003: "department not found",
    60004: "parent department not found",
    60005: "department contains user",
    60006: "department contains subdepartment",
    60007: "root department can not be deleted",
    60008: "department existed",
    60009: "department name contains invalid chars",
    60010: "department cycle",
    60011: "no privilege to access/modify contact/party/agent",
    60020: "not allow to access from your ip",
    60102: "userid existed",
    60103: "invalid mobile",
    60104: "mobile existed",
    60105: "invalid email",
    60106: "email existed",
    60110: "too many departments of user",
    60111: "userid not found",
    60112: "invalid name",
    60123: "invalid party id",
    60124: "invalid parent party id",
    60129: "missing mobile or email",
    60132: "is_leader_in_dept and department list size not match",
    60143: "invalid biz_mail",
    60144: "biz_mail can not be changed",
    60145: "biz_mail existed",
    60257: "too many direct leaders",
    81001: "too many nodes under department",
    81002: "department level out of limit",
    81003: "too many nodes under tag",
    81011: "no privilege to access/modify tag",
    81014: "too many users or parties",
    81015: "biz_mail domain not match",
    301005: "not allow del corp creator",
    301012: "invalid position",
    301013: "invalid telephone",
    301014: "invalid english name",
    301015: "invalid mediaid",
    301021: "userid list contains userid not in corp",
    301036: "userid can not be changed",
}
"""errcode -> English errmsg: as seen in real answers where any was seen, else our own wording."""


class Refusal(Exception):
    """The call ends here with `errcode`; nothing was changed."""

    def __init__(self, errcode: int, text: str | None = None) -> None:
        super().__init__(errcode, text)
        self.errcode = errcode
        self.text = TEXTS.get(errcode, "error") if text is None else text


def missing(field: str) -> Refusal:
    """A required field is not in the body, in WeCom's words (WeCom page 90313, 40058)."""
    return Refusal(40058, f"missing field `{field}`. {TEXTS[40058]}")


def invalid(field: str) -> Refusal:
    """A field's value is of the wrong type, too long or out of range."""
    return Refusal(40058, f"field `{field}` invalid. {TEXTS[40058]}")


def errmsg(refusal: Refusal, *, hint: str, ip: str) -> str:
    """The errmsg as the real service words it since 2020, hint and caller's address included."""
    link = f"https://open.work.weixin.qq.com/devtool/query?e={refusal.errcode}"
    return f"{refusal.text}, hint: [{hint}], from ip: {ip}, more info at {link}"
