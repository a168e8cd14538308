"""Second verification (二次验证), and who signed in: one method a call."""

from __future__ import annotations

from typing import Final

from wxsync.wecom.measures import Measure, check_text
from wxsync.wecom.transport import Transport
from wxsync.wecom.wire import verification as wire
from wxsync.wecom.wire.verification import SecondFactor, SignedIn

CODE: Final = Measure(is_required=True, octets=512)
"""Of a sign-in (WeCom page 91023)."""
USERID: Final = Measure(is_required=True, octets=64)


class Verification:
    """Calls for the page on which a member proves who they are, with contact sync's secret or an app's.

    A member must be in the range of the verification and in the app's scope. WeCom takes 20 of these calls
    at once (WeCom page 99500); the transport sends fewer. Every method raises `UnsendableError` before a call
    for what is empty or too long, `WeComApiError` where WeCom refuses and `WeComTransportError` where no
    answer comes.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def get_tfa_info(self, code: str) -> SecondFactor:
        """Whose code this is, and the code for `unlock`; good once, for five minutes (then FieldError 40029).

        Where the answer is lost the code may be used up: then 40029 too, and the member opens the page again
        (WeCom page 99499).
        """
        check_text("code", code, CODE)
        answer = await self._transport.send(
            "POST", "auth/get_tfa_info", json=wire.to_code(code), is_repeatable=True
        )
        return wire.from_tfa_info(answer)

    async def accept(self, userid: str) -> None:
        """Let a member in who signs in or joins for the first time; again has the same effect.

        Nobody of this userid is NotFoundError (60111; WeCom page 99521).
        """
        check_text("userid", userid, USERID)
        query = wire.to_userid_query(userid)
        await self._transport.send("GET", "user/authsucc", params=query, is_repeatable=True)

    async def unlock(self, who: SecondFactor) -> None:
        """Let a member go on who was asked while using WeCom; the code is good once, for five minutes.

        Where the answer is lost it raises with `is_ambiguous`: the member sees whether they may go on, and
        else opens the page again (WeCom page 99500).
        """
        await self._transport.send(
            "POST", "user/tfa_succ", json=wire.to_unlock(who.userid, who.tfa_code), is_repeatable=False
        )

    async def get_user(self, code: str) -> SignedIn:
        """Who signed in with this code, good once and for five minutes (FieldError, 40029).

        Somebody who is no member has no userid. Contact sync may not ask (WeCom page 91023).
        """
        check_text("code", code, CODE)
        query = wire.to_code_query(code)
        answer = await self._transport.send("GET", "auth/getuserinfo", params=query, is_repeatable=True)
        return wire.from_user_info(answer)
