"""What happens in the corp is told to whoever wants to know (events-and-messages.md §1, §2)."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager

import httpx
import pytest
import uvicorn
from click.testing import CliRunner

from tests.sandbox.importing import member_table, person, start
from tests.sandbox.listening import AES_KEY, TOKEN, Ear
from wxsync.cli.main import cli
from wxsync.sandbox.callbacks import deliver, verify_url
from wxsync.sandbox.receivers import Receiver
from wxsync.sandbox.records import Attribute
from wxsync.sandbox.serve import listening, running_sandbox
from wxsync.sandbox.state import SandboxState
from wxsync.sandbox.switches import App

NOW = 1_800_000_000


@pytest.fixture
def ear(state):
    return Ear(state.corp_id)


@pytest.fixture
def tell(wecom, state, ear):
    """Sends all that waits; gives what the ear has heard since the start."""
    state.callback = ear.receiver()
    state.callback_patience = 0.05
    state.callback_client = httpx.AsyncClient(transport=httpx.ASGITransport(ear.app))

    def send():
        wecom.run(deliver(state))
        return ear.events()

    yield send
    wecom.run(state.callback_client.aclose())


def test_an_address_is_verified(wecom, state, ear, tell):
    """The GET is answered with the plain text of echostr; anything else is no receiver of this corp."""
    receiver = ear.receiver()
    assert wecom.run(verify_url(state, receiver)) is True
    ear.echoes = False
    assert wecom.run(verify_url(state, receiver)) is False
    assert wecom.run(verify_url(state, ear.receiver("/elsewhere"))) is False


def test_a_day_in_the_console_is_told_in_short(wecom, state, ear, tell):
    """A new address hears of ids and departments only, and of no rename at all (§2.3)."""
    rd = state.add_department("研发", id=2).id
    state.add_department("测试", rd, id=3)
    state.add_member("lin.mei", "林梅", department=[rd], mobile="13800000001")
    state.rename_member("lin.mei", "林美")
    state.set_mobile("lin.mei", "13800000002")
    state.set_status("lin.mei", 2)
    state.move_member("lin.mei", [1, rd])
    state.change_userid("lin.mei", "lin.mei2")
    state.rename_department(3, "质量")
    state.move_department(3, 1)
    state.remove_department(3)
    state.remove_member("lin.mei2")
    assert tell() == [
        {"ChangeType": "create_party", "Id": "2", "ParentId": "1"},
        {"ChangeType": "create_party", "Id": "3", "ParentId": "2"},
        {"ChangeType": "create_user", "UserID": "lin.mei", "Department": "2"},
        {"ChangeType": "update_user", "UserID": "lin.mei", "Department": "1,2"},
        {"ChangeType": "update_user", "UserID": "lin.mei", "NewUserID": "lin.mei2", "Department": "1,2"},
        {"ChangeType": "update_party", "Id": "3", "ParentId": "1"},
        {"ChangeType": "delete_party", "Id": "3"},
        {"ChangeType": "delete_user", "UserID": "lin.mei2"},
    ]
    assert set(ear.agents) == {""}


def test_an_event_is_written_as_in_the_sample(wecom, state, ear, tell):
    """Header, order of elements, CDATA and bare texts are those of the document's first sample."""
    state.add_department("甲", id=12)
    state.add_department("乙", id=40)
    state.outbox.waiting.clear()
    state.add_member("lin.mei", "林梅", department=[12, 40])
    tell()
    [event] = ear.heard
    assert event == (
        f"<xml><ToUserName><![CDATA[{state.corp_id}]]></ToUserName>"
        f"<FromUserName><![CDATA[sys]]></FromUserName><CreateTime>{NOW}</CreateTime>"
        "<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[change_contact]]></Event>"
        "<ChangeType>create_user</ChangeType><UserID><![CDATA[lin.mei]]></UserID>"
        "<Department><![CDATA[12,40]]></Department></xml>"
    )


def test_an_old_address_hears_everything(wecom, state, ear, tell):
    """Saved before 2022-08-15 it is told all elements of a new member, and what changed of an old one."""
    state.full_callbacks = True
    state.add_department("研发]]>", id=2)
    member = state.add_member(
        "lin", "林<梅>", department=[1, 2], mobile="13800000001", email="lin@example.com"
    )
    with state.watched(by_contact=False):
        member.extattr = {"工号": Attribute(0, "E1"), "主页": Attribute(1, "https://example.com", "me")}
        member.position = "工程师"
    state.rename_member("lin", "林")
    state.rename_department(2, "研发")
    created, member_created, updated, renamed, department = tell()
    assert created == {
        "ChangeType": "create_party",
        "Id": "2",
        "Name": "研发]]>",
        "ParentId": "1",
        "Order": "100000000",
    }
    assert member_created == {
        "ChangeType": "create_user",
        "UserID": "lin",
        "Name": "林<梅>",
        "Department": "1,2",
        "MainDepartment": "1",
        "IsLeaderInDept": "0,0",
        "DirectLeader": "",
        "Position": "",
        "Mobile": "13800000001",
        "Gender": "0",
        "Email": "lin@example.com",
        "BizMail": "",
        "Status": "4",
        "Avatar": "",
        "Alias": "",
        "Telephone": "",
        "Address": "",
        "ExtAttr": "",
    }
    assert updated["Position"] == "工程师"
    assert ear.heard[2].endswith(
        "<ExtAttr><Item><Name><![CDATA[工号]]></Name><Type>0</Type><Text><Value><![CDATA[E1]]></Value></Text></Item>"
        "<Item><Name><![CDATA[主页]]></Name><Type>1</Type><Web><Title><![CDATA[me]]></Title>"
        "<Url><![CDATA[https://example.com]]></Url></Web></Item></ExtAttr></xml>"
    )
    assert renamed == {"ChangeType": "update_user", "UserID": "lin", "Name": "林"}
    assert department == {"ChangeType": "update_party", "Id": "2", "Name": "研发"}


def test_who_leaves_is_deleted_and_who_joins_created(wecom, state, ear, tell):
    """A member who leaves the corp by the phone is told as delete_user, one who comes back as create_user."""
    state.add_member("lin", "林梅")
    state.set_status("lin", 5)
    state.set_status("lin", 1)
    assert [event["ChangeType"] for event in tell()] == ["create_user", "delete_user", "create_user"]


def test_tags_tell_who_came_and_who_went(wecom, state, ear, tell):
    """update_tag has four lists; making, naming and deleting a tag tells nothing."""
    for userid in ("a", "b", "c"):
        state.add_member(userid, "某")
    state.outbox.waiting.clear()
    tag = state.add_tag("经理", ["a", "b"])
    state.tag_members(tag.id, ["b", "c"])
    state.untag_members(tag.id, ["a"])
    state.untag_members(tag.id, ["a"])
    state.remove_member("c")
    state.remove_tag(tag.id)
    nobody = {"AddUserItems": "", "DelUserItems": "", "AddPartyItems": "", "DelPartyItems": ""}
    assert tell() == [
        {"ChangeType": "update_tag", "TagId": "1", **nobody, "AddUserItems": "a,b"},
        {"ChangeType": "update_tag", "TagId": "1", **nobody, "AddUserItems": "c"},
        {"ChangeType": "update_tag", "TagId": "1", **nobody, "DelUserItems": "a"},
        {"ChangeType": "delete_user", "UserID": "c"},
    ]


def test_a_tag_does_not_name_a_department_that_is_gone(wecom, state, ear, tell):
    """Where a department that carried a tag is deleted, the tag's event has no DelPartyItems (§2.2)."""
    state.add_department("研发", id=2)
    tag = state.add_tag("经理")
    state.directory.tag(tag, (), (2,))
    state.outbox.waiting.clear()
    state.remove_department(2)
    update, deleted = tell()
    assert (update["ChangeType"], update["DelPartyItems"]) == ("update_tag", "")
    assert deleted == {"ChangeType": "delete_party", "Id": "2"}


def test_the_assistant_does_not_hear_itself(wecom, state, ear, tell):
    """What is written with the contact-sync secret is not called back to its own address (§1.6)."""
    wecom.make("lin", department=[wecom.department("研发")])
    wecom.post("user/update", {"userid": "lin", "department": [1]})
    wecom.get("user/delete", userid="lin")
    start(wecom, "syncuser", member_table(person("wang")), to_invite=False)
    wecom.state.clock.now += 60
    events = tell()
    assert [event.get("JobType") for event in events] == ["sync_user"]


def test_the_assistant_hears_what_an_app_does(wecom, state, ear, tell):
    """An app that fills its own tag is told of to the contact assistant."""
    state.add_member("lin", "林梅")
    state.outbox.waiting.clear()
    app = wecom.fetch_token(state.apps[0].secret)
    tag = wecom.post("tag/create", {"tagname": "值班"}, app)["tagid"]
    wecom.post("tag/addtagusers", {"tagid": tag, "userlist": ["lin"]}, app)
    [event] = tell()
    assert (event["ChangeType"], event["AddUserItems"]) == ("update_tag", "lin")


def test_an_app_may_hear_of_contacts(wecom, state, ear, tell):
    """With its switch an app is told what the assistant writes: in full, without what it may not see."""
    state.callback = None
    state.apps = (App(receiver=ear.receiver(), hears_contacts=True),)
    wecom.make("lin", mobile="13800000001", position="工程师")
    wecom.post("user/update", {"userid": "lin", "mobile": "13800000002"})
    created, updated = tell()
    assert (created["ChangeType"], created["Position"]) == ("create_user", "工程师")
    assert not {"Mobile", "Email", "Gender", "BizMail", "Avatar", "Address"} & created.keys()
    assert updated == {"ChangeType": "update_user", "UserID": "lin"}
    assert ear.agents == ["1000002", "1000002"]


def test_a_job_tells_its_end(wecom, state, clock, ear, tell):
    """batch_job_result goes to the address of contact sync, with the job's id, kind and outcome (§2.6)."""
    jobid = start(wecom, "syncuser", member_table(person("lin")))["jobid"]
    assert tell() == []
    clock.now += 60
    assert tell() == [{"JobId": jobid, "JobType": "sync_user", "ErrCode": "0", "ErrMsg": "ok"}]
    assert "<Event><![CDATA[batch_job_result]]></Event><BatchJob><JobId>" in ear.heard[0]
    state.job_faults.fail("batch/replaceuser")
    start(wecom, "replaceuser", member_table(person("lin")))
    clock.now += 60
    failed = tell()[1]
    assert (failed["JobType"], failed["ErrCode"]) == ("replace_user", "302005")
    assert failed["ErrMsg"] == "import fail, please retry later"


def test_a_job_tells_its_own_address(wecom, state, clock, ear, tell):
    """The callback that came with the call is told, not the one of contact sync."""
    other = Ear(state.corp_id, path="/job")
    ear.app.routes.extend(other.app.routes)
    callback = {"url": "https://receiver.invalid/job", "token": TOKEN, "encodingaeskey": AES_KEY}
    start(wecom, "syncuser", member_table(person("lin")), callback=callback)
    clock.now += 60
    assert tell() == []
    assert [event["JobType"] for event in other.events()] == ["sync_user"]


def test_an_export_tells_the_app(wecom, state, clock, ear, tell):
    """The end of an app's job is told to the app's own receiver, with its agent_id."""
    state.apps = (App(receiver=ear.receiver()),)
    state.callback = None
    app = wecom.fetch_token(state.apps[0].secret)
    body = {"encoding_aeskey": AES_KEY}
    jobid = wecom.post("export/simple_user", body, app)["jobid"]
    clock.now += 60
    assert tell() == [{"JobId": jobid, "JobType": "export_simple_user", "ErrCode": "0", "ErrMsg": "ok"}]
    assert ear.agents == ["1000002"]


def test_nobody_is_told_where_there_is_no_address(wecom, state):
    """Without a receiver nothing waits to be sent."""
    state.add_member("lin", "林梅")
    start(wecom, "syncuser", member_table(person("wang")))
    state.clock.now += 60
    wecom.run(deliver(state))
    assert (state.outbox.waiting, state.outbox.sent) == ([], [])


@pytest.mark.parametrize("bad", [500, 302, 204, 403])
def test_what_is_not_taken_comes_again(wecom, state, ear, tell, bad):
    """Anything but 200 is repeated, encrypted anew, until 200."""
    ear.answers = [bad, bad]
    state.add_member("lin", "林梅")
    assert [event["UserID"] for event in tell()] == ["lin", "lin", "lin"]
    assert state.outbox.sent[0].statuses == (bad, bad, 200)
    assert state.outbox.sent[0].is_delivered
    assert len(set(ear.requests)) == 3


def test_it_comes_four_times_at_most(wecom, state, ear, tell):
    """After the first and three more it is given up; later events are sent all the same."""
    ear.answers = [500] * 4
    state.add_member("lin", "林梅")
    tell()
    state.add_member("wang", "王")
    assert [event["UserID"] for event in tell()] == ["lin"] * 4 + ["wang"]
    assert [(sent.statuses, sent.is_delivered) for sent in state.outbox.sent] == [
        ((500, 500, 500, 500), False),
        ((200,), True),
    ]


def test_a_dead_receiver_is_given_up_too(wecom, state, ear, tell):
    """Where nobody answers, or later than allowed, the attempts have no status."""

    def refuse(request):
        raise httpx.ConnectError("nobody")

    state.callback_client = httpx.AsyncClient(transport=httpx.MockTransport(refuse))
    state.add_member("lin", "林梅")
    begun = time.monotonic()
    tell()
    assert state.outbox.sent[0].statuses == (None,) * 4
    assert time.monotonic() - begun >= 3 * state.callback_patience


def test_attempts_keep_their_distance(wecom, state, ear, tell):
    """A second attempt comes when the patience with the first is over, not at once."""
    state.callback_patience = 0.2
    ear.answers = [500]
    state.add_member("lin", "林梅")
    begun = time.monotonic()
    tell()
    assert time.monotonic() - begun >= 0.2


def test_callbacks_can_come_twice(wecom, state, ear, tell):
    """On order the same event comes again, encrypted anew or the same to the byte."""
    state.outbox.faults.duplicate()
    state.add_member("a", "甲")
    state.add_member("b", "乙")
    assert [event["UserID"] for event in tell()] == ["a", "a", "b"]
    assert ear.requests[0] != ear.requests[1]
    state.outbox.faults.duplicate(same_bytes=True)
    state.add_member("c", "丙")
    tell()
    assert ear.requests[3] == ear.requests[4]
    assert len(state.outbox.sent) == 3


def test_callbacks_can_come_out_of_order(wecom, state, ear, tell):
    """On order the last one comes first; the next round is in order again."""
    state.outbox.faults.turn_round()
    for userid in ("a", "b", "c"):
        state.add_member(userid, "某")
    tell()
    for userid in ("d", "e"):
        state.add_member(userid, "某")
    assert [event["UserID"] for event in tell()] == ["c", "b", "a", "d", "e"]


def test_callbacks_can_get_lost(wecom, state, ear, tell):
    """On order an event never comes; orders can be taken back."""
    state.outbox.faults.lose()
    state.outbox.faults.turn_round()
    state.outbox.faults.duplicate()
    state.add_member("a", "甲")
    state.add_member("b", "乙")
    assert [event["UserID"] for event in tell()] == ["b", "b"]
    state.outbox.faults.lose()
    state.outbox.faults.clear()
    state.add_member("c", "丙")
    assert tell()[-1]["UserID"] == "c"


def test_no_secret_shows(state, ear, tell):
    """Neither a receiver nor a waiting event shows token, key or content when it is printed."""
    state.add_member("lin", "林梅")
    shown = repr(state.outbox.waiting)
    assert "change_contact/create_user" in shown
    for secret in (TOKEN, AES_KEY, "lin"):
        assert secret not in shown


@contextmanager
def served(ear):
    """The ear on a socket; its address."""
    server = uvicorn.Server(uvicorn.Config(ear.app, log_config=None, lifespan="off"))
    with listening("127.0.0.1", 0) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/callback/acme"
        finally:
            server.should_exit = True
            thread.join()


def until(is_so):
    """Waits, but not for ever."""
    end = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def test_the_served_sandbox_tells_by_itself():
    """It verifies the address until it is answered, then sends what waits, and the ends of jobs."""
    state = SandboxState(job_seconds=0.1)
    ear = Ear(state.corp_id)
    ear.echoes = False
    with served(ear) as url, running_sandbox(state) as base_url:
        state.callback = Receiver(url=url, token=TOKEN, encoding_aes_key=AES_KEY)
        state.add_member("lin", "林梅")
        time.sleep(0.3)
        assert ear.heard == []
        ear.echoes = True
        until(lambda: ear.heard)
        with httpx.Client(base_url=f"{base_url}/cgi-bin/", trust_env=False) as client:
            params = {"corpid": state.corp_id, "corpsecret": state.contact_secret}
            token = {"access_token": client.get("gettoken", params=params).json()["access_token"]}
            parts = {"media": ("users.csv", member_table(person("wang")))}
            media = client.post("media/upload", params={**token, "type": "file"}, files=parts).json()
            client.post("batch/syncuser", params=token, json={"media_id": media["media_id"]})
        until(lambda: len(ear.heard) == 2)
    assert [event.get("ChangeType", event.get("JobType")) for event in ear.events()] == [
        "create_user",
        "sync_user",
    ]
    assert set(state.members) == {"lin", "wang"}


def test_the_command_line_takes_addresses():
    """`wxsync sandbox` refuses an address or a key that the console would not take."""
    for option in (
        ("--callback-url", "nowhere"),
        ("--callback-url", "http://x", "--callback-aes-key", "short"),
    ):
        done = CliRunner().invoke(cli, ["sandbox", "--listen", "127.0.0.1:0", *option])
        assert done.exit_code == 2
        assert "this is no callback's" in done.output
