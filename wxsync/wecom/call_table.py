"""Every call that reads, with its arguments, its secret and WeCom's page; and those that write, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from wxsync.model.lookup import MemberCard
from wxsync.wecom.calls import (
    APP,
    BETTER_BY_APP,
    CONTACT,
    EITHER,
    Argument,
    Ask,
    Found,
    Given,
    Kind,
    ReadCall,
)
from wxsync.wecom.chats import Chats
from wxsync.wecom.customers import Customers
from wxsync.wecom.directory_calls import DIRECTORY_CALLS, TAG, USERID
from wxsync.wecom.export import Exports
from wxsync.wecom.jobs import Jobs
from wxsync.wecom.messages import Messages
from wxsync.wecom.network import Network
from wxsync.wecom.transport import Transport
from wxsync.wecom.wire.customers import ChatStatus, Handover
from wxsync.wecom.wire.export import ExportJob, ExportStatus

JOB: Final = Argument(name="jobid", about="as the call that began the job gave it")
HANDOVER: Final = (
    Argument(name="handover_userid", about="who hands over"),
    Argument(name="takeover_userid", about="who takes over"),
)
NO_AGENT: Final = 0
"""Which app it is only a message says, and none is sent here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportProgress:
    """How far an export is. The addresses of its files are left out: whoever has one has the file."""

    status: ExportStatus
    files: int
    bytes: int


async def _exported_members(line: Transport, _given: Given) -> Found:
    exports = Exports(line)
    rows = await exports.read_members(await exports.start_members())
    return tuple(MemberCard(userid=userid, shown=shown) for userid, shown in rows)


async def _exported_names(line: Transport, _given: Given) -> Found:
    exports = Exports(line)
    return await exports.read_simple_members(await exports.start_simple_members())


async def _exported_departments(line: Transport, _given: Given) -> Found:
    exports = Exports(line)
    return await exports.read_departments(await exports.start_departments())


async def _exported_tag(line: Transport, given: Given) -> Found:
    exports, tag_id = Exports(line), given.number("tagid")
    return await exports.read_tag(await exports.start_tag(tag_id), tag_id)


async def _export_progress(line: Transport, given: Given) -> Found:
    found = await Exports(line).get_result(ExportJob(id=given.text("jobid"), encoding_aes_key=""))
    sizes = [file.size for file in found.files]
    return ExportProgress(status=found.status, files=len(sizes), bytes=sum(sizes))


async def _customer_chats(line: Transport, given: Given) -> Found:
    status = ChatStatus(given.number("status")) if given.has("status") else None
    owners = given.text("owner").split(",") if given.has("owner") else ()
    return await Customers(line).list_chats(status, owners)


def _results(handover: Handover) -> Ask:
    return lambda line, given: Customers(line).results(
        handover, given.text("handover_userid"), given.text("takeover_userid")
    )


_OTHERS: Final = (
    ReadCall(
        path="batch/getresult",
        page=90983,
        about="how far an import is, and what became of its rows; WeCom keeps the last five",
        secrets=CONTACT,
        arguments=(JOB,),
        ask=lambda line, given: Jobs(line).get_result(given.text("jobid")),
    ),
    ReadCall(
        path="export/simple_user",
        page=94849,
        about="everybody's userid, name and departments, by an export that is waited for",
        secrets=BETTER_BY_APP,
        ask=_exported_names,
    ),
    ReadCall(
        path="export/user",
        page=94851,
        about="everybody with all that this secret may see, by an export that is waited for",
        secrets=BETTER_BY_APP,
        ask=_exported_members,
    ),
    ReadCall(
        path="export/department",
        page=94852,
        about="departments with their names, by an export that is waited for",
        secrets=BETTER_BY_APP,
        ask=_exported_departments,
    ),
    ReadCall(
        path="export/taguser",
        page=94853,
        about="one tag with its members and departments, by an export that is waited for",
        secrets=BETTER_BY_APP,
        arguments=(TAG,),
        ask=_exported_tag,
    ),
    ReadCall(
        path="export/get_result",
        page=94854,
        about="how far an export is that this secret began",
        secrets=BETTER_BY_APP,
        arguments=(JOB,),
        ask=_export_progress,
    ),
    ReadCall(
        path="appchat/get",
        page=98914,
        about="one group chat of the app's own",
        secrets=APP,
        arguments=(Argument(name="chatid", about="as the app chose it"),),
        ask=lambda line, given: Chats(line).get(given.text("chatid")),
    ),
    ReadCall(
        path="message/get_statistics",
        page=92369,
        about="how many messages each app sent",
        secrets=APP,
        arguments=(
            Argument(
                name="time_type",
                about="0 today (the default), 1 yesterday",
                kind=Kind.NUMBER,
                is_required=False,
                choices=(0, 1),
            ),
        ),
        ask=lambda line, given: Messages(line, agent_id=NO_AGENT).get_statistics(
            is_yesterday=given.number_or("time_type", 0) == 1
        ),
    ),
    ReadCall(
        path="externalcontact/get_follow_user_list",
        page=92571,
        about="the members who may have customers",
        secrets=APP,
        ask=lambda line, given: Customers(line).get_follow_user_list(),
    ),
    ReadCall(
        path="externalcontact/list",
        page=92113,
        about="a member's customers",
        secrets=APP,
        arguments=(USERID,),
        ask=lambda line, given: Customers(line).list_of(given.text("userid")),
    ),
    ReadCall(
        path="externalcontact/get_unassigned_list",
        page=92124,
        about="the customers of members who have left",
        secrets=APP,
        ask=lambda line, given: Customers(line).get_unassigned_list(),
    ),
    ReadCall(
        path="externalcontact/resigned/transfer_result",
        page=94082,
        about="how far the hand-over of one who has left is",
        secrets=APP,
        arguments=HANDOVER,
        ask=_results(Handover.RESIGNED),
    ),
    ReadCall(
        path="externalcontact/transfer_result",
        page=94088,
        about="how far the hand-over of one on the job is",
        secrets=APP,
        arguments=HANDOVER,
        ask=_results(Handover.ON_THE_JOB),
    ),
    ReadCall(
        path="externalcontact/groupchat/list",
        page=92120,
        about="chats with customers in them",
        secrets=APP,
        arguments=(
            Argument(
                name="status",
                about="1 the owner left, 2 being inherited, 3 inherited; else all",
                kind=Kind.NUMBER,
                is_required=False,
                choices=(0, 1, 2, 3),
            ),
            Argument(name="owner", about="userids with commas between", is_required=False),
        ),
        ask=_customer_chats,
    ),
    ReadCall(
        path="getcallbackip",
        page=98988,
        about="from which addresses WeCom sends callbacks",
        secrets=EITHER,
        ask=lambda line, given: Network(line).get_callback_ips(),
    ),
    ReadCall(
        path="get_api_domain_ip",
        page=97073,
        about="at which addresses WeCom's API answers",
        secrets=EITHER,
        ask=lambda line, given: Network(line).get_api_domain_ips(),
    ),
)

READS: Final[Mapping[str, ReadCall]] = {call.path: call for call in (*DIRECTORY_CALLS, *_OTHERS)}
"""By path, in the order in which they are listed."""

WRITES: Final = frozenset(
    """
    user/create user/update user/delete user/batchdelete user/authsucc user/tfa_succ
    department/create department/update department/delete
    tag/create tag/update tag/delete tag/addtagusers tag/deltagusers
    media/upload batch/syncuser batch/replaceuser batch/replaceparty batch/invite
    appchat/create appchat/update appchat/send
    message/send message/update_template_card message/recall
    webhook/send webhook/upload_media
    externalcontact/transfer_customer externalcontact/resigned/transfer_customer
    externalcontact/groupchat/transfer externalcontact/groupchat/onjob_transfer
    """.split()
)
"""WeCom's calls that change something or tell somebody something."""

NEVER: Final = frozenset({"gettoken", "auth/get_tfa_info"})
"""What these two give is a secret by itself, so nobody is shown it."""
