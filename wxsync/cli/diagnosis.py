"""What `wxsync check` says of secrets, rights and what WeCom shows: a sentence, and one for its cure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from wxsync.cli.finding import Finding, fault, named, note, ok
from wxsync.engine.limits import CREATIONS_PER_ACCOUNT
from wxsync.errors import WeComApiError, WxsyncError
from wxsync.model.member import MEMBER_FIELDS
from wxsync.model.seen import ReadingWay
from wxsync.wecom.errcodes.codes import (
    ANOTHERS_SECRET,
    NO_RIGHT_TO_WRITE,
    NOT_FOR_CONTACT_SYNC,
    NOT_GRANTED,
    UNTRUSTED_IP,
    WRONG_SECRET,
)
from wxsync.wecom.probe import Insight

NEAR: Final = 0.9
"""The share of a cap from which on it is told."""

CONTACT_PAGE: Final = "管理后台 → 管理工具 → 通讯录同步"
APP_PAGE: Final = "管理后台 → 应用管理 → 应用"
SCOPE: Final = f"{APP_PAGE} → 可见范围"


def of_refusal(what: str, error: WxsyncError, *, is_app: bool, has_proxy: bool = False) -> Finding:
    """An error that a call met, with the cure that fits the secret it was made with."""
    cures = APP_CURES if is_app else CONTACT_CURES
    errcode = error.errcode if isinstance(error, WeComApiError) else None
    cure = cures.get(errcode or 0, error.hint)
    if errcode == UNTRUSTED_IP and has_proxy:
        cure = f"{cure}; calls go through a proxy, and that address is the proxy's"
    return fault(f"{what}: {error.message}", cure)


CONTACT_CURES: Final[Mapping[int, str]] = {
    WRONG_SECRET: "the secret is wrong or was reset: copy that of contact sync again "
    f"({CONTACT_PAGE}), and do not retry meanwhile: WeCom bans the address for an hour",
    ANOTHERS_SECRET: "the secret is another corp's: copy corp_id and secret from one admin console "
    f"({CONTACT_PAGE})",
    NOT_GRANTED: f"contact sync is switched off, or the secret is an app's: switch it on ({CONTACT_PAGE} → "
    "API 编辑通讯录) and copy its secret",
}
APP_CURES: Final[Mapping[int, str]] = {
    WRONG_SECRET: "the secret is wrong or was reset, or the app is disabled: "
    "copy it again from the app's page "
    f"({APP_PAGE}), and do not retry meanwhile: WeCom bans the address for an hour",
    ANOTHERS_SECRET: "the secret is another corp's: copy corp_id and secret from one admin console "
    f"({APP_PAGE})",
    NOT_FOR_CONTACT_SYNC: f"the secret is contact sync's: copy the app's own from its page ({APP_PAGE})",
}


def of_writing(errcodes: Collection[int], *, was_done: bool, run: int, at: str) -> Finding:
    """Whether contact sync may write, by what became of the last writes: no reading tells."""
    refused = sorted(NO_RIGHT_TO_WRITE & frozenset(errcodes))
    if refused and not was_done:
        return fault(
            f"contact sync may not write: WeCom refused the last run that wrote (run {run}, {at}) "
            f"with errcode {refused[0]}",
            f"give contact sync the right to edit: {CONTACT_PAGE} → 权限 → API 编辑通讯录",
        )
    return ok(f"contact sync could write when it last did (run {run}, {at})")


def of_writing_unknown() -> Finding:
    return note(
        "whether contact sync may write shows at the first write: no reading tells, and check writes nothing",
        f"see that its right is API 编辑通讯录, and not read-only ({CONTACT_PAGE} → 权限)",
    )


# What is seen


def of_way(insight: Insight, *, corp: str, has_app: bool) -> Iterator[Finding]:
    """Which way of reading was found, what cannot be seen by it, and what to click to see more."""
    if insight.way is ReadingWay.IDS:
        whom = "this secret and to the app" if has_app else "this secret"
        yield ok(
            f"WeCom shows nothing but ids to {whom}; names and fields are taken for what wxsync last wrote"
        )
        yield note(
            "departments' names, members' names and all their fields cannot be seen",
            f"mend what is said of the app, with the whole corp as its scope ({SCOPE})"
            if has_app
            else f"to see them, make an app ({APP_PAGE} → 创建应用) with the whole corp in its 可见范围 "
            f"and this machine in its 企业可信IP, and enter it as [{corp}.app]",
        )
        return
    by_app = insight.way is ReadingWay.APP
    whom = "the app" if by_app else "this secret, from this address,"
    if not insight.is_sampled:
        yield ok(
            f"WeCom shows {whom} the names of departments; there is nobody yet to tell which fields it shows"
        )
        return
    hidden = [name for name in MEMBER_FIELDS if name not in ("departments", *insight.fields)]
    kept = f"; hidden, and taken for what wxsync last wrote: {', '.join(hidden)}" if hidden else ""
    yield ok(
        f"WeCom shows {whom} the names of departments, and of members: {', '.join(insight.fields)}{kept}"
    )
    if by_app and "mobile" in hidden:
        yield note(
            "phone numbers and e-mail addresses cannot be seen: apps made after 2022-06-20 are shown none",
            f"no switch shows them; an app of before then does ({APP_PAGE}), else each member's own consent",
        )
    elif not by_app:
        yield note(
            "this address may read details since it did so before 2022-08-15; it loses that for good "
            "where it does not for 90 days, or is changed",
            f"make an app for then ({APP_PAGE} → 创建应用), with the whole corp as its scope",
        )


def of_scope(unseen: Collection[int], total: int) -> Finding:
    """What the app does not see of the corp."""
    if not unseen:
        return ok(f"the app sees all {total} departments")
    return note(
        f"the app does not see {len(unseen)} of {total} departments: {named(map(str, sorted(unseen)))}",
        f"make the whole corp its scope ({SCOPE}): of those it does not see wxsync reads ids alone",
    )


def of_cap(members: int, created: int, cap: int | None) -> Iterator[Finding]:
    """How near the accounts are to what WeCom lets the corp have."""
    if cap is None:
        return
    if members >= cap * NEAR:
        yield note(
            f"{members} of {cap} accounts are taken; over that WeCom refuses everybody new (45024)",
            "have the corp's cap raised (管理后台 → 我的企业 → 企业信息), or delete who has left",
        )
    if created >= cap * CREATIONS_PER_ACCOUNT * NEAR:
        yield note(
            f"{created} members were created within 30 days, of {CREATIONS_PER_ACCOUNT * cap} allowed",
            "wait with further ones until those of 30 days ago no longer count, or have the cap raised",
        )


def of_tags(adoptable: Collection[str], refused: Collection[str]) -> Iterator[Finding]:
    """Tags of the source that are in WeCom and not ours; `refused` are those that WeCom called another's."""
    if refused:
        yield fault(
            f"WeCom did not let wxsync change tags that others made (81011): {named(sorted(refused))}",
            "give those tags of the source other names, or have their makers delete them",
        )
    others = sorted(set(adoptable) - set(refused))
    if others:
        yield note(
            f"tags of the source that are in WeCom already: {named(others)}; no reading tells whose",
            "one that an administrator made can be taken over; one that an app made only that app may change "
            "(81011), so give it another name",
        )


def of_mail(wanted: Collection[str], seen: Collection[str], refused: int) -> Iterator[Finding]:
    """The domains of corp mailboxes in the source, and in WeCom as far as it shows them."""
    cure = "map biz_mail to the corp's own domain, or add the other one (管理后台 → 协作 → 邮件 → 域名)"
    strange = sorted(set(wanted) - set(seen))
    if refused:
        yield fault(f"WeCom did not take {refused} corp mailboxes in the last run (60143, 81015)", cure)
    elif seen and strange:
        yield note(
            f"the source has corp mailboxes at {named(strange)}, and those in WeCom are at "
            f"{named(sorted(seen))}",
            cure,
        )
