"""What an app tells members (WeCom pages 90236, 94888, 94867, 92369)."""

from __future__ import annotations

from typing import Final

from wxsync.errors import UnsendableError
from wxsync.wecom import errcodes
from wxsync.wecom.cards import Card
from wxsync.wecom.content import (
    AppCount,
    Content,
    MiniProgramNotice,
    MpNews,
    Receivers,
    ReplacedButton,
    Safe,
    Sent,
)
from wxsync.wecom.retries import ANSWER_WITHIN
from wxsync.wecom.transport import Transport
from wxsync.wecom.wire import messages as wire

FIVE_MINUTES: Final = 300
"""Less leaves no time for a repeat."""
HALF_AN_HOUR: Final = 1800
FOUR_HOURS: Final = 14_400
"""The longest that WeCom remembers a message (WeCom page 90236)."""
MARGIN: Final = 30.0
"""Seconds by which a repeat arrives before WeCom forgets the first: its clock is not ours."""


class Messages:
    """The messages of one self-built app, whose id is `agent_id`, through its own secret.

    Contact sync's secret may not send (48002). A member gets no more than 30 messages a minute and 1000 an
    hour from an app; WeCom drops those beyond without an error. So no more are sent: they wait. A department,
    a tag and everybody count as one receiver each, apart from their members.

    Every method raises `UnsendableError` before a call for what WeCom would not take, `WeComApiError` where
    WeCom refuses, and `WeComTransportError` where no answer comes.
    """

    def __init__(self, transport: Transport, *, agent_id: int) -> None:
        self._transport = transport
        self._agent_id = agent_id

    async def send(
        self,
        content: Content,
        receivers: Receivers,
        *,
        safe: Safe = Safe.OPEN,
        enable_id_trans: bool = False,
        duplicate_check_interval: int = HALF_AN_HOUR,
    ) -> Sent:
        """Send a message once, also where the first answer is lost (WeCom page 90236).

        WeCom's duplicate check is always on: within `duplicate_check_interval` seconds, 300 to 14,400, it
        delivers no second message of this app with the same content, and says ok. That makes a repeat safe;
        where the next one would come later, `is_ambiguous` of the error says that the message may have
        arrived.
        It also means that two messages which are meant to arrive must differ in something: put an id or a
        time of your own into the content.

        Some receivers may be invalid, which the result tells; where all are, WeCom refuses (81013). A card
        that is clicked needs a receiver of the app's (43012). The app sends as many person-times a day as
        the corp's account cap times 200 (45009).
        """
        _check_sending(content, receivers, safe)
        if not FIVE_MINUTES <= duplicate_check_interval <= FOUR_HOURS:
            raise UnsendableError(
                "duplicate_check_interval", f"is not from {FIVE_MINUTES} to {FOUR_HOURS} seconds"
            )
        body = wire.to_message(
            content,
            receivers,
            agent_id=self._agent_id,
            safe=safe,
            enable_id_trans=enable_id_trans,
            duplicate_check_interval=duplicate_check_interval,
        )
        answer = await self._transport.send(
            "POST",
            wire.SEND,
            json=body,
            is_repeatable=True,
            repeatable_for=duplicate_check_interval - ANSWER_WITHIN - MARGIN,
            receivers=_counted(receivers),
        )
        return wire.from_sent(answer, receivers)

    async def update_template_card(
        self, response_code: str, to: Card | ReplacedButton, receivers: Receivers
    ) -> frozenset[str]:
        """Make a sent card another one, or grey out its buttons (WeCom page 94888).

        Gives back whose card stays as it was.

        `response_code` came with the sending or with a click, holds for 72 hours and for one update (else
        60140). So this call is not repeated: where its answer is lost, `WeComTransportError` is ambiguous,
        and the receivers may see either card.
        """
        answer = await self._transport.send(
            "POST",
            "message/update_template_card",
            json=wire.to_update(to, receivers, agent_id=self._agent_id, response_code=response_code),
            is_repeatable=False,
            echoes=(errcodes.RESPONSE_CODE_USED,),
        )
        return wire.from_update(answer, receivers)

    async def recall(self, msgid: str) -> None:
        """Take a message back from WeCom's clients, though not from the WeChat plugin (WeCom page 94867).

        Within 24 hours (42052), and only the app that sent it may (40058).
        """
        await self._transport.send("POST", "message/recall", json=wire.to_recall(msgid), is_repeatable=True)

    async def get_statistics(self, *, is_yesterday: bool = False) -> tuple[AppCount, ...]:
        """How many messages each app sent today or yesterday (WeCom page 92369)."""
        answer = await self._transport.send(
            "POST",
            "message/get_statistics",
            json=wire.to_day(is_yesterday=is_yesterday),
            is_repeatable=True,
        )
        return wire.from_statistics(answer)


def _counted(receivers: Receivers) -> tuple[str, ...]:
    """By names that cannot meet: no userid has a space in it."""
    return (
        *receivers.userids,
        *(f"department {number}" for number in receivers.department_ids),
        *(f"tag {number}" for number in receivers.tag_ids),
        *(("@all",) if receivers.is_everybody else ()),
    )


def _check_sending(content: Content, receivers: Receivers, safe: Safe) -> None:
    """What neither the content nor the receivers know by themselves."""
    if isinstance(content, MiniProgramNotice) and receivers.is_everybody:
        raise UnsendableError(
            "Receivers.is_everybody", "a notice of a mini-program goes to nobody in general"
        )
    if safe is Safe.NOT_FORWARDABLE and not isinstance(content, MpNews):
        raise UnsendableError("safe", "only MpNews can be kept from being forwarded")
