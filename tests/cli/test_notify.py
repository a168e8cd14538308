"""`wxsync notify test`: whether those whom the daemon would tell are reached."""

from __future__ import annotations

import json
import re

import pytest

from tests.cli.stage import Stage
from tests.servers.mailbox import http_receiver
from wxsync.sandbox.records import Webhook
from wxsync.sandbox.switches import App

APP_SECRET = "app-secret-77aa"
CHANNELS = """
[corp.acme.app]
agent_id = 1000002
secret = "file:app.secret"

[notify.chiefs]
type = "app"
recipients = ["e001", "e999"]

[notify.group]
type = "group"
webhook = "file:robot.key"

[notify.hook]
type = "http"
url = "file:hook.url"
secret = "file:hook.secret"
"""
ROBOT = Webhook(name="运维", key="k3y-of-the-robot")


def told(stage: Stage, hook: str, *channels: str) -> None:
    """The sync tells these; WeCom has the app, the person and the group."""
    named = ", ".join(f'"{channel}"' for channel in channels)
    stage.configure(('mode = "plan"\n', f'mode = "plan"\nnotify = [{named}]\n'), add=CHANNELS)
    for name, text in {
        "app.secret": APP_SECRET,
        "robot.key": ROBOT.key,
        "hook.url": hook,
        "hook.secret": "s" * 32,
    }.items():
        (stage.home / name).write_text(text, encoding="utf-8")
        (stage.home / name).chmod(0o600)
    stage.secrets += [APP_SECRET, ROBOT.key, hook, "s" * 32]
    stage.wecom.apps = (App(secret=APP_SECRET),)
    stage.wecom.webhooks[ROBOT.key] = ROBOT
    stage.wecom.add_member("e001", "林一", is_activated=True)


def test_every_channel_of_the_sync_gets_a_message(stage: Stage) -> None:
    """It says that nothing happened; the directory is neither read nor written."""
    with http_receiver() as receiver:
        told(stage, receiver.url, "chiefs", "group", "hook")
        printed = stage.ok("notify", "test")
    assert printed.out.splitlines() == [
        "sent     notify.chiefs (app), but not to everybody: 1 of 2 recipients do not see the app",
        "sent     notify.group (group)",
        "sent     notify.hook (http)",
    ]
    card, group = stage.wecom.messages
    assert card.receivers == ("e001",)
    assert card.content["main_title"]["title"] == "acme: a test, nothing happened"
    assert "a test, nothing happened" in group.content["content"]
    [(_, body)] = receiver.posts
    assert json.loads(body)["kind"] == "test"
    assert json.loads(body)["id"] > 10**12
    assert {call.path for call in stage.wecom.log} == {"gettoken", "message/send", "webhook/send"}


def test_one_that_is_refused_is_said_and_the_others_are_tried(stage: Stage) -> None:
    """Why, in one line, and without the key; exit code 1."""
    with http_receiver() as receiver:
        receiver.status = 403
        told(stage, receiver.url, "hook", "group")
        printed = stage.run("notify", "test")
    assert printed.code == 1
    fault, sent = printed.out.splitlines()
    assert fault.startswith("FAULT    notify.hook (http): the receiver answered HTTP 403")
    assert sent == "sent     notify.group (group)"


def test_one_of_which_nobody_knows(stage: Stage) -> None:
    """It is not said to be delivered."""
    with http_receiver() as receiver:
        receiver.hangs_up = True
        told(stage, receiver.url, "hook")
        printed = stage.run("notify", "test")
    assert printed.code == 1
    assert re.match(r"in doubt notify\.hook \(http\): it may have arrived\. ", printed.out)


def test_one_alone_whether_the_sync_names_it_or_not(stage: Stage) -> None:
    """Before it is put among those of the sync."""
    told(stage, "http://127.0.0.1:9/", "hook")
    assert (
        stage.ok("notify", "test", "--by", "group", "--by", "group").out == "sent     notify.group (group)\n"
    )


@pytest.mark.parametrize(
    ("channels", "options", "said"),
    [
        ((), (), "sync.acme.notify is empty: nobody is told of it"),
        (
            ("group",),
            ("--by", "mail"),
            "There is no [notify.mail] in the config; it has: chiefs, group, hook.",
        ),
    ],
)
def test_what_cannot_be_tried(
    stage: Stage, channels: tuple[str, ...], options: tuple[str, ...], said: str
) -> None:
    """A word that is wrong: exit code 2, and nothing is sent."""
    told(stage, "http://127.0.0.1:9/", *channels)
    printed = stage.run("notify", "test", *options)
    assert printed.code == 2
    printed.says(said)
    assert stage.wecom.messages == []
