"""Codes that stand for a member who signs in, until they are used or too old (WeCom pages 91023, 99499)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from wxsync.sandbox.records import Member


class CodeKind(StrEnum):
    """What a code is good for."""

    SIGN_IN = "sign_in"
    """auth/getuserinfo, once."""
    SECOND_VERIFICATION = "second_verification"
    """auth/get_tfa_info or user/getuserinfo, once."""
    TFA = "tfa"
    """user/tfa_succ, once: what get_tfa_info calls tfa_code."""
    TICKET = "ticket"
    """auth/getuserdetail, as often as one likes: what getuserinfo calls user_ticket."""


LIVES: Final = {
    CodeKind.SIGN_IN: 300,
    CodeKind.SECOND_VERIFICATION: 300,
    CodeKind.TFA: 300,
    CodeKind.TICKET: 1800,
}
"""Seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One code, and whom it stands for."""

    kind: CodeKind
    member: Member | None
    """None for somebody outside the corp."""
    openid: str = ""
    has_consent: bool = False
    """The member let the app see phone number, e-mail and the like (snsapi_privateinfo)."""
    ends_at: float


@dataclass(slots=True)
class Codes:
    """All that were given out."""

    by_text: dict[str, Code] = field(default_factory=dict, repr=False)

    def issue(
        self,
        kind: CodeKind,
        member: Member | None,
        now: float,
        *,
        openid: str = "",
        has_consent: bool = False,
    ) -> str:
        """A fresh code."""
        text = secrets.token_urlsafe(32)
        self.by_text[text] = Code(
            kind=kind, member=member, openid=openid, has_consent=has_consent, ends_at=now + LIVES[kind]
        )
        return text

    def find(self, text: str, kinds: tuple[CodeKind, ...], now: float) -> Code | None:
        """The code, where it is of such a kind and still good."""
        code = self.by_text.get(text)
        return code if code is not None and code.kind in kinds and now < code.ends_at else None

    def use(self, text: str) -> None:
        """It was good once."""
        self.by_text.pop(text, None)
