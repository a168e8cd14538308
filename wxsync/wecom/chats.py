"""The group chats that an app owns (WeCom pages 90245, 98913, 98914, 90248)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Final

from wxsync.errors import UnsendableError, WeComError, WeComTransportError
from wxsync.model.member import fold
from wxsync.wecom import errcodes
from wxsync.wecom.content import ChatContent, Text
from wxsync.wecom.limits import Post
from wxsync.wecom.measures import FREE, Measure, check_items, check_text
from wxsync.wecom.transport import Transport
from wxsync.wecom.wire import chats as wire
from wxsync.wecom.wire.chats import Chat

CHATID: Final = re.compile(r"[0-9A-Za-z]{1,32}", re.ASCII)
NAME: Final = Measure(characters=50)
"""WeCom cuts a longer one without a word."""
MOST_MEMBERS: Final = 2000
MEMBERS: Final = Measure(items=(2, MOST_MEMBERS))
CHANGED: Final = Measure(items=(0, MOST_MEMBERS))


def chatid_of(*parts: str) -> str:
    """A chatid that is always the same for the same `parts`, and for no others; 32 characters.

    It begins with letters: WeCom takes one of digits alone for a number (86206).
    """
    # Each with its length, or ("ab", "c") and ("a", "bc") would be one chat.
    whole = "".join(f"{len(part)}:{part}" for part in parts)
    return "wx" + hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:30]


class Chats:
    """The group chats of one self-built app whose visible range is the root department (else 48002, 60011).

    An app can neither list chats nor dissolve one, and sees its own only (86008): keep every chatid.

    Every method raises `UnsendableError` before a call for what WeCom would not take, `WeComApiError` where
    WeCom refuses, and `WeComTransportError` where no answer comes.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def create(
        self, chatid: str, userids: Sequence[str], *, name: str | None = None, owner: str | None = None
    ) -> None:
        """Make a chat with a chatid that the caller chose, see `chatid_of` (WeCom page 90245).

        2 to 2000 members of the corp, the app itself counting as one, and `owner` among them (86207); without
        an owner WeCom takes anybody. 1000 a day for all apps of the corp. It shows nobody the chat before the
        first message in it. A chatid that is taken raises `ConflictError` (86215).

        Where the answer is lost, the chat is looked for; if it is there as it was asked for, it is made. If
        it is not there, or cannot be looked for, `WeComTransportError` is ambiguous: `get` tells later.
        """
        _check_chatid(chatid)
        check_items("userids", tuple(userids), MEMBERS)
        check_text("name", name or "", NAME)
        check_text("owner", owner or "", FREE)
        try:
            answer = await self._transport.send(
                "POST",
                wire.CREATE,
                json=wire.to_new_chat(chatid, userids, name=name, owner=owner),
                is_repeatable=False,
                echoes=(errcodes.CHATID_TAKEN,),
            )
        except WeComTransportError as error:
            if not error.is_ambiguous or not await self._is_made(chatid, userids):
                raise
            return
        wire.check_created(answer, chatid)

    async def update(
        self,
        chatid: str,
        *,
        name: str | None = None,
        owner: str | None = None,
        add: Sequence[str] = (),
        remove: Sequence[str] = (),
    ) -> None:
        """Change what is given, and keep what is None (WeCom page 98913).

        Where the owner is removed, name another one in the same call. 2000 members at the end at most, and
        1000 changes an hour for all apps of the corp. Repeated where its answer is lost: again has the same
        effect.
        """
        _check_chatid(chatid)
        check_text("name", name or "", NAME)
        check_text("owner", owner or "", FREE)
        check_items("add", tuple(add), CHANGED)
        check_items("remove", tuple(remove), CHANGED)
        if {fold(userid) for userid in add} & {fold(userid) for userid in remove}:
            raise UnsendableError("remove", "has somebody who is to be added")
        if not (name or owner or add or remove):
            raise UnsendableError("name", "nothing is to be changed")
        body = wire.to_chat_change(chatid, name=name, owner=owner, add=add, remove=remove)
        await self._transport.send("POST", wire.UPDATE, json=body, is_repeatable=True)

    async def get(self, chatid: str) -> Chat:
        """The chat as it is; none of this chatid raises `NotFoundError` (86001, 86003; WeCom page 98914)."""
        _check_chatid(chatid)
        answer = await self._transport.send(
            "GET", wire.GET, params=wire.to_chat_query(chatid), is_repeatable=True
        )
        return wire.from_chat(answer)

    async def send(
        self,
        chatid: str,
        content: ChatContent,
        *,
        is_safe: bool = False,
        mentioned: Sequence[str] = (),
        members: int = 1,
    ) -> None:
        """Say something in the chat (WeCom page 90248); a text can mention members, or `@all`.

        No cards. WeCom checks for no duplicates here, and gives no id to take the message back by: where the
        answer is lost, `WeComTransportError` is ambiguous and nothing is repeated. A member gets no more than
        200 messages a minute and 10,000 a day from an app's chats; WeCom drops those beyond without an error.
        So no more are sent to one chat: they wait. A corp has 20,000 person-times a minute, for which
        `members` says how many are in the chat; who does not say so counts for one.
        """
        _check_chatid(chatid)
        check_items("mentioned", tuple(mentioned), CHANGED)
        if not 1 <= members <= MOST_MEMBERS:
            raise UnsendableError("members", f"is not from 1 to {MOST_MEMBERS}")
        if mentioned and not isinstance(content, Text):
            raise UnsendableError("mentioned", "only a text can mention somebody")
        body = wire.to_chat_message(chatid, content, is_safe=is_safe, mentioned=mentioned)
        await self._transport.send(
            "POST", wire.SEND, json=body, is_repeatable=False, post=Post(chatid=chatid, members=members)
        )

    async def _is_made(self, chatid: str, userids: Sequence[str]) -> bool:
        """Whether a creation whose answer was lost has had its effect, as far as can be found out."""
        try:
            chat = await self.get(chatid)
        except WeComError:
            return False
        return {fold(userid) for userid in userids} <= {fold(userid) for userid in chat.userids}


def _check_chatid(chatid: str) -> None:
    if not CHATID.fullmatch(chatid):
        raise UnsendableError("chatid", "is not 1 to 32 letters and digits")
