"""The calls by which customers go from one member to another (WeCom pages 92124, 92125, 94081, 94088)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from wxsync.sandbox import fields
from wxsync.sandbox.access import Permission
from wxsync.sandbox.audience import calling_app
from wxsync.sandbox.call import Asked, Operation
from wxsync.sandbox.customer_book import REFUSED, TAKER_FULL, YEAR, CustomerBook, Transfer
from wxsync.sandbox.event_xml import Header, event_xml
from wxsync.sandbox.fields import Shape
from wxsync.sandbox.rates import DAY
from wxsync.sandbox.records import Member, fold
from wxsync.sandbox.refusal import Refusal, invalid, missing
from wxsync.sandbox.scope import Scope
from wxsync.sandbox.state import SandboxState

TRANSFER: Final[Mapping[str, Shape]] = {
    "handover_userid": fields.is_text,
    "takeover_userid": fields.is_text,
    "external_userid": fields.is_texts,
    "transfer_success_msg": fields.is_text,
}
RESULT: Final[Mapping[str, Shape]] = {
    "handover_userid": fields.is_text,
    "takeover_userid": fields.is_text,
    "cursor": fields.is_text,
}
UNASSIGNED: Final[Mapping[str, Shape]] = {
    "page_id": fields.is_integer,
    "page_size": fields.is_integer,
    "cursor": fields.is_text,
}

FAILURES: Final[Mapping[int, str]] = {
    REFUSED: "customer_refused",
    TAKER_FULL: "customer_limit_exceed",
}

BATCH: Final = 100
"""The most customers or chats of one transfer."""
PAGE: Final = 1000
PARTING_WORDS: Final = 200
MOVES: Final = 2
MOVES_WITHIN: Final = 90 * DAY
"""On the job a customer or a chat is handed over so often in so long."""


def get_follow_user_list(asked: Asked) -> Mapping[str, Any]:
    """The members who may have customers, as far as the app sees them."""
    scope = customer_scope(asked)
    seen = (each for each in asked.state.members.values() if scope.sees_member(each))
    return {"follow_user": [member.userid for member in seen if _may_serve(asked.state, member)]}


def full_list(asked: Asked) -> Mapping[str, Any]:
    """One member's customers; 84061 where there are none."""
    scope = customer_scope(asked)
    userid = asked.query.get("userid", "")
    if not userid:
        raise Refusal(41009)
    bonds = asked.state.customers.of(find_alive(asked, scope, userid))
    if not bonds:
        raise Refusal(84061)
    return {"external_userid": list(bonds)}


def get_unassigned_list(asked: Asked) -> Mapping[str, Any]:
    """Customers of those who left and for whom nobody was asked to take over."""
    customer_scope(asked)
    given = asked.given(UNASSIGNED)
    rows = [
        {
            "handover_userid": former.member.userid,
            "external_userid": id,
            "dimission_time": int(former.left_at),
        }
        for former, id in asked.state.customers.unassigned(asked.state.clock())
    ]
    size = given.get("page_size", PAGE)
    if not 1 <= size <= PAGE:
        raise invalid("page_size")
    cursor = given.get("cursor") or str(given.get("page_id", 0) * size)
    page, following = paged(rows, cursor, size)
    return {"info": page, "is_last": not following, "next_cursor": following}


def resigned_transfer(asked: Asked) -> Mapping[str, Any]:
    """Customers of somebody who left; 0 in a row means that the customer is asked."""
    scope = customer_scope(asked)
    given = asked.given(TRANSFER)
    source = _resigned(asked, _userid(given, "handover_userid"))
    return _transfer(asked, given, source, _taker(asked, scope, given), is_resigned=True)


def onjob_transfer(asked: Asked) -> Mapping[str, Any]:
    """Customers of somebody who stays; 0 in a row means that the customer is asked."""
    scope = customer_scope(asked)
    given = asked.given(TRANSFER)
    if len(given.get("transfer_success_msg", "")) > PARTING_WORDS:
        raise invalid("transfer_success_msg")
    source = find_alive(asked, scope, _userid(given, "handover_userid"))
    return _transfer(asked, given, source, _taker(asked, scope, given), is_resigned=False)


def transfer_result(*, is_resigned: bool) -> Callable[[Asked], Mapping[str, Any]]:
    """The call that tells how the transfers from one member to another go."""

    def tell(asked: Asked) -> Mapping[str, Any]:
        customer_scope(asked)
        given = asked.given(RESULT)
        source, taker = (fold(_userid(given, name)) for name in ("handover_userid", "takeover_userid"))
        rows = [
            {
                "external_userid": each.external_userid,
                "status": each.status,
                "takeover_time": each.takeover_time,
            }
            for each in asked.state.customers.transfers
            if (fold(each.source.userid), fold(each.taker.userid)) == (source, taker)
            and each.is_resigned == is_resigned
        ]
        page, following = paged(rows, given.get("cursor", ""), PAGE)
        return {"customer": page, "next_cursor": following}

    return tell


def customer_scope(asked: Asked) -> Scope:
    """What the app sees, if "customer contact" lets it call; what is due by now has happened."""
    if not calling_app(asked).handles_customers:
        raise Refusal(48002)
    ended = asked.state.customers.settle(asked.state.clock(), asked.state.max_customers)
    _tell_failures(asked.state, ended)
    return asked.scope


def refuse_transfer(state: SandboxState, external_userid: str) -> None:
    """By hand: the customer declines every transfer under way, and the apps are told."""
    _tell_failures(state, state.customers.refuse(external_userid))


def _tell_failures(state: SandboxState, transfers: Sequence[Transfer]) -> None:
    """The event transfer_fail; of a transfer that went well nobody is told (WeCom page 92130)."""
    for transfer in transfers:
        reason = FAILURES.get(transfer.status)
        if reason is None:
            continue
        xml = event_xml(
            Header(corp_id=state.corp_id, created_at=int(state.clock()), event="change_external_contact"),
            (
                ("ChangeType", "transfer_fail"),
                ("FailReason", reason),
                ("UserID", transfer.taker.userid),
                ("ExternalUserID", transfer.external_userid),
            ),
        )
        for app in state.apps:
            if app.handles_customers:
                event = "change_external_contact/transfer_fail"
                state.outbox.tell(app.receiver, event, xml, agent_id=str(app.agent_id))


def find_alive(asked: Asked, scope: Scope, userid: str) -> Member:
    """The member, who has not left; 84074 where the app does not see them."""
    member = asked.directory.members.get(fold(userid))
    if member is None:
        raise Refusal(60111)
    if not scope.sees_member(member):
        raise Refusal(84074)
    return member


def find_server(asked: Asked, scope: Scope, userid: str) -> Member:
    """A member who can take customers over: activated, and one of those who may have any."""
    member = find_alive(asked, scope, userid)
    if not _may_serve(asked.state, member):
        raise Refusal(84074)
    if member.status != 1:
        raise Refusal(40098)
    return member


def paged(rows: Sequence[Mapping[str, Any]], cursor: str, size: int) -> tuple[list[Mapping[str, Any]], str]:
    """The page at the cursor, and the cursor of the next one; empty at the end."""
    if cursor and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 10):
        raise Refusal(50100)
    start = int(cursor or 0)
    following = str(start + size) if start + size < len(rows) else ""
    return list(rows[start : start + size]), following


def is_moved_too_often(moved_at: Sequence[float], now: float) -> bool:
    return sum(now - then < MOVES_WITHIN for then in moved_at) >= MOVES


def _may_serve(state: SandboxState, member: Member) -> bool:
    """The console lets the member have customers."""
    allowed = state.customer_users
    return allowed is None or fold(member.userid) in {fold(userid) for userid in allowed}


def _userid(given: Mapping[str, Any], name: str) -> str:
    userid: str = given.get(name, "")
    if not userid:
        raise missing(name)
    return userid


def _taker(asked: Asked, scope: Scope, given: Mapping[str, Any]) -> Member:
    return find_server(asked, scope, _userid(given, "takeover_userid"))


def _resigned(asked: Asked, userid: str) -> Member:
    """Somebody who left within the year."""
    if fold(userid) in asked.directory.members:
        raise Refusal(40097)
    former = asked.state.customers.former.get(fold(userid))
    if former is None or asked.state.clock() - former.left_at > YEAR:
        raise Refusal(60111)
    return former.member


def _transfer(
    asked: Asked, given: Mapping[str, Any], source: Member, taker: Member, *, is_resigned: bool
) -> Mapping[str, Any]:
    """Every customer is judged alone."""
    ids = given.get("external_userid", [])
    if not ids:
        raise missing("external_userid")
    if len(ids) > BATCH:
        raise invalid("external_userid")
    if source is taker:
        raise Refusal(40130)
    rows = []
    for id in dict.fromkeys(ids):
        errcode = _obstacle(asked.state, source, taker, id, is_resigned=is_resigned)
        rows.append({"external_userid": id, "errcode": errcode})
        if not errcode:
            asked.state.customers.start(
                Transfer(
                    source=source,
                    taker=taker,
                    external_userid=id,
                    asked_at=asked.state.clock(),
                    is_resigned=is_resigned,
                )
            )
    return {"customer": rows}


def _obstacle(state: SandboxState, source: Member, taker: Member, id: str, *, is_resigned: bool) -> int:
    """Why this customer cannot be handed over; 0 if nothing speaks against it."""
    book: CustomerBook = state.customers
    if id not in book.known:
        return 40096
    bond = book.of(source).get(id)
    if bond is None:
        return 84061
    if book.pending(source, id) is not None:
        return 40100
    if not is_resigned and is_moved_too_often(bond.moved_at, state.clock()):
        return 40128
    if state.max_customers is not None and len(book.of(taker)) >= state.max_customers:
        return 40099
    return 0


def _post(path: str, carry_out: Callable[[Asked], Mapping[str, Any]], *, is_write: bool = False) -> Operation:
    return Operation(
        path=f"externalcontact/{path}",
        method="POST",
        permission=Permission.APP,
        carry_out=carry_out,
        is_write=is_write,
    )


OPERATIONS: Final = (
    Operation(
        path="externalcontact/get_follow_user_list",
        method="GET",
        permission=Permission.APP,
        carry_out=get_follow_user_list,
        empties=("follow_user",),
    ),
    Operation(
        path="externalcontact/list",
        method="GET",
        permission=Permission.APP,
        carry_out=full_list,
        empties=("external_userid",),
    ),
    _post("get_unassigned_list", get_unassigned_list),
    _post("resigned/transfer_customer", resigned_transfer, is_write=True),
    _post("resigned/transfer_result", transfer_result(is_resigned=True)),
    _post("transfer_customer", onjob_transfer, is_write=True),
    _post("transfer_result", transfer_result(is_resigned=False)),
)
