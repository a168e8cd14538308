"""Invitations: the one call by which anybody is asked to join."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from wxsync.errors import UnsendableError
from wxsync.wecom.measures import Measure, check_items
from wxsync.wecom.transport import Transport
from wxsync.wecom.wire import invitations as wire
from wxsync.wecom.wire.invitations import NotInvited

MEMBERS: Final = Measure(items=(0, 1000))
DEPARTMENTS: Final = Measure(items=(0, 100))
TAGS: Final = Measure(items=(0, 100))
"""Of each in one call (WeCom page 90975)."""


class Invitations:
    """Invitations of one corp, with contact sync's secret or an app's that may see whom it invites."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def invite(
        self,
        userids: Sequence[str],
        department_ids: Sequence[int] = (),
        tag_ids: Sequence[int] = (),
    ) -> NotInvited:
        """Ask members to join, by themselves, by department or by tag; gives back whom WeCom left out.

        At most 1,000 members, 100 departments and 100 tags, and somebody at least, else `UnsendableError`.
        Once is enough, since WeCom reminds them daily for up to three days. Who is not given back need not
        have got anything: WeCom looks at frequency later. Raises `WeComApiError` where WeCom refuses, and
        where the answer is lost `WeComTransportError` with `is_ambiguous`: do not repeat it then.
        (WeCom page 90975)
        """
        check_items("userids", tuple(userids), MEMBERS)
        check_items("department_ids", tuple(department_ids), DEPARTMENTS)
        check_items("tag_ids", tuple(tag_ids), TAGS)
        if not (userids or department_ids or tag_ids):
            raise UnsendableError("userids", "nobody is to be invited")
        body = wire.to_invite(userids, department_ids, tag_ids)
        return wire.from_invite(
            await self._transport.send("POST", "batch/invite", json=body, is_repeatable=False)
        )
