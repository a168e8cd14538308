"""Which member has which customers and customer chats, and who takes them over (WeCom pages 92124, 94081)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from wxsync.sandbox.rates import DAY
from wxsync.sandbox.records import Member, fold

WAITING: Final = 2
DONE: Final = 1
REFUSED: Final = 3
TAKER_FULL: Final = 4
NO_RECORD: Final = 5
"""The states of a transfer."""

TAKEN_AFTER: Final = DAY
"""A customer who does not decline goes over after a day; a chat whose owner left likewise, by our choice."""
YEAR: Final = 365 * DAY
"""So long after leaving can customers be handed over."""


@dataclass(slots=True, kw_only=True, eq=False)
class Bond:
    """A member's customer."""

    external_userid: str
    name: str
    since: float
    moved_at: tuple[float, ...] = ()
    """When the customer was handed over on the job."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Former:
    """Somebody who left."""

    member: Member
    left_at: float


@dataclass(slots=True, kw_only=True, eq=False)
class Transfer:
    """One customer on the way from one member to another."""

    source: Member
    taker: Member
    external_userid: str
    asked_at: float
    is_resigned: bool
    status: int = WAITING

    @property
    def takeover_time(self) -> int:
        """When the customer went over, or will; 0 where that is not to be."""
        return int(self.asked_at + TAKEN_AFTER) if self.status in (WAITING, DONE) else 0


@dataclass(slots=True, kw_only=True, eq=False)
class CustomerChat:
    """A chat with customers."""

    chat_id: str
    name: str
    owner: Member
    inherited_at: float | None = None
    """When it was handed over because its owner had left."""
    moved_at: tuple[float, ...] = ()
    """When it was handed over on the job."""
    is_full: bool = False


@dataclass(slots=True, eq=False)
class CustomerBook:
    """No rule of a call is checked here."""

    bonds: dict[Member, dict[str, Bond]] = field(default_factory=dict)
    """Also of those who left."""
    former: dict[str, Former] = field(default_factory=dict)
    """By folded userid."""
    chats: dict[str, CustomerChat] = field(default_factory=dict)
    transfers: list[Transfer] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    """Every external_userid that there ever was."""

    def add(self, member: Member, external_userid: str, name: str, now: float) -> None:
        self.known.add(external_userid)
        bond = Bond(external_userid=external_userid, name=name, since=now)
        self.bonds.setdefault(member, {})[external_userid] = bond

    def add_chat(self, owner: Member, chat_id: str, name: str) -> None:
        self.chats[chat_id] = CustomerChat(chat_id=chat_id, name=name, owner=owner)

    def remove(self, member: Member, external_userid: str) -> None:
        """The customer deletes the member."""
        del self.bonds[member][external_userid]

    def of(self, member: Member) -> dict[str, Bond]:
        return self.bonds.get(member, {})

    def leave(self, member: Member, now: float) -> None:
        """The member is deleted: customers and customer chats are nobody's."""
        self.former[fold(member.userid)] = Former(member=member, left_at=now)

    def has_left(self, member: Member) -> bool:
        former = self.former.get(fold(member.userid))
        return former is not None and former.member is member

    def unassigned(self, now: float) -> list[tuple[Former, str]]:
        """Customers of those who left within the year and for whom nobody was asked, the latest first."""
        moving = {(each.source, each.external_userid) for each in self.transfers if each.status == WAITING}
        leavers = sorted(self.former.values(), key=lambda former: -former.left_at)
        return [
            (former, id)
            for former in leavers
            if now - former.left_at <= YEAR
            for id in self.of(former.member)
            if (former.member, id) not in moving
        ]

    def pending(self, source: Member, external_userid: str) -> Transfer | None:
        return next(
            (
                each
                for each in self.transfers
                if each.source is source
                and each.external_userid == external_userid
                and each.status == WAITING
            ),
            None,
        )

    def start(self, transfer: Transfer) -> None:
        """The customer is asked; an earlier attempt at the same is forgotten."""
        self.transfers = [each for each in self.transfers if not _is_same(each, transfer)]
        self.transfers.append(transfer)

    def refuse(self, external_userid: str) -> list[Transfer]:
        """The customer declines every transfer under way; those that ended so."""
        refused = [
            each
            for each in self.transfers
            if each.external_userid == external_userid and each.status == WAITING
        ]
        for transfer in refused:
            transfer.status = REFUSED
        return refused

    def settle(self, now: float, most: int | None) -> list[Transfer]:
        """What is due by now has happened; nobody gets more than `most` customers. Those that ended now."""
        due = [
            each for each in self.transfers if each.status == WAITING and now >= each.asked_at + TAKEN_AFTER
        ]
        for transfer in due:
            transfer.status = self._take_over(transfer, most)
        return due

    def _take_over(self, transfer: Transfer, most: int | None) -> int:
        bond = self.of(transfer.source).get(transfer.external_userid)
        if bond is None or self.has_left(transfer.taker):
            return NO_RECORD
        taken = self.bonds.setdefault(transfer.taker, {})
        if most is not None and bond.external_userid not in taken and len(taken) >= most:
            return TAKER_FULL
        del self.bonds[transfer.source][bond.external_userid]
        if not transfer.is_resigned:
            bond.moved_at = (*bond.moved_at, transfer.asked_at)
        taken.setdefault(bond.external_userid, bond)
        return DONE

    def chat_status(self, chat: CustomerChat, now: float) -> int:
        """0 normal, 1 the owner left, 2 being inherited, 3 inherited (WeCom page 92120)."""
        if self.has_left(chat.owner):
            return 1
        if chat.inherited_at is None:
            return 0
        return 2 if now - chat.inherited_at < TAKEN_AFTER else 3


def _is_same(one: Transfer, other: Transfer) -> bool:
    return (one.source, one.taker, one.external_userid) == (
        other.source,
        other.taker,
        other.external_userid,
    )
