"""What WeCom shows beyond ids, and by which secret: looked at in a few calls, for people who set it up."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from wxsync.errors import WeComApiError
from wxsync.model.member import MEMBER_FIELDS
from wxsync.model.seen import ReadingWay
from wxsync.model.unknown import UNKNOWN
from wxsync.wecom import errcodes
from wxsync.wecom.contacts import Contacts
from wxsync.wecom.reader import first_way

LOOKED_INTO: Final = 20
"""Departments in which somebody is looked for: their members are what shows the fields."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Insight:
    """What can be read beyond ids; nothing by way of IDS."""

    way: ReadingWay
    fields: tuple[str, ...] = ()
    """Those of `MEMBER_FIELDS` that are shown of somebody."""
    is_sampled: bool = False
    """Somebody was there to be looked at: else nothing is known of fields."""
    mail_domains: frozenset[str] = frozenset()
    """Of the corp mailboxes that were seen."""


async def probe(contacts: Contacts, app: Contacts | None) -> Insight:
    """What the first way that works shows, tried in the order of `read_seen`. Raises WeComError."""
    found = await first_way({ReadingWay.CONTACT: contacts, ReadingWay.APP: app}, None, _look)
    return found or Insight(way=ReadingWay.IDS)


async def unseen_departments(app: Contacts, ids: Collection[int]) -> frozenset[int]:
    """Those of the corp's departments `ids` that the app does not see. Raises WeComError."""
    return frozenset(ids) - {department.id for department in await app.list_named_departments()}


async def _look(reader: Contacts, way: ReadingWay) -> Insight:
    """The fields of the first members who are found."""
    refusal: WeComApiError | None = None
    has_looked = False
    for department in (await reader.list_named_departments())[:LOOKED_INTO]:
        try:
            rows = await reader.list_members_of(department.id)
        except WeComApiError as error:
            if error.errcode not in errcodes.OUT_OF_SCOPE:
                raise
            refusal = error
            continue
        has_looked = True
        if rows:
            known = [
                name
                for name in MEMBER_FIELDS
                if name != "departments" and any(getattr(shown, name) is not UNKNOWN for _, shown in rows)
            ]
            mails = [shown.biz_mail for _, shown in rows if isinstance(shown.biz_mail, str)]
            domains = frozenset(mail.rpartition("@")[2].lower() for mail in mails)
            return Insight(way=way, fields=tuple(known), is_sampled=True, mail_domains=domains)
    if refusal is not None and not has_looked:
        raise refusal
    return Insight(way=way)
