"""A WeCom that cannot be reached or lets nobody in: exit code 1, in reasonable time, and how to mend it."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.cli.stage import Stage
from tests.servers.ports import free_port


def test_unreachable(stage: Stage) -> None:
    """Who was called and why it failed are said, after a few tries within seconds."""
    url = f"http://127.0.0.1:{free_port()}"
    stage.configure((stage.base_url, url))
    printed = stage.run("apply", "--yes")
    assert (printed.code, printed.out) == (1, "")
    printed.says("WeCom cannot be reached", "Connection refused", url, "base_url can be reached")
    assert printed.seconds < 15
    assert stage.ok("runs").out.count("failed") == 1


def test_a_name_that_does_not_resolve(stage: Stage) -> None:
    """The host is named."""
    stage.configure((stage.base_url, "https://wecom.invalid"))
    printed = stage.run("check")
    assert printed.code == 1
    assert "WeCom cannot be reached" in printed.out
    assert "https://wecom.invalid" in printed.out
    assert printed.seconds < 25


def test_something_else_answers(stage: Stage) -> None:
    """A web server that is not WeCom's is told by its status and address; the secret is not repeated."""
    with some_web_server() as url:
        stage.configure((stage.base_url, url))
        printed = stage.run("plan")
    assert printed.code == 1
    printed.says("HTTP status 404", url, "base_url of the corp")


def test_a_wrong_secret_is_tried_once(applied: Stage) -> None:
    """WeCom bans an address that asks on: one gettoken call, and the hint says so."""
    calls = len(applied.wecom.log)
    applied.secrets.append("not-the-secret-0b7e")
    printed = applied.run("apply", "--yes", env={"STAGE_SECRET": "not-the-secret-0b7e"})
    assert (printed.code, printed.out) == (1, "")
    printed.says("WeCom refused gettoken: errcode 40001", "the secret is wrong", "do not retry")
    assert [call.path for call in applied.wecom.log[calls:]] == ["gettoken"]


def test_the_language_of_an_error(stage: Stage) -> None:
    """That of --language, else of the config, as far as it is translated; without a config English."""
    stage.configure((stage.wecom.corp_id, "ww0000000000000000"))
    document = stage.run("plan", "--format", "json").json
    assert document["message"].startswith("WeCom refused gettoken: errcode 40013")
    assert document["hint"].startswith("the corp_id is wrong: copy it")
    hint = stage.run("plan", "--format=json", "--language=zh").json["hint"]
    assert hint != document["hint"]
    assert "我的企业" in hint
    stage.run("plan", "--language", "zh").says(f"Hint:  {hint}")

    stage.configure((stage.wecom.corp_id, "ww0000000000000000"), ('language = "en"', 'language = "zh"'))
    assert stage.run("plan", "--format", "json").json["hint"] == hint
    assert stage.run("plan", "--format", "json", "--language", "en").json["hint"] == document["hint"]
    stage.config.write_text("[mirror", "utf-8")
    assert stage.run("plan", "--format", "json").json["hint"].startswith("Text stands in double quotes")


def test_a_wrong_corp_id(stage: Stage) -> None:
    """It is told apart from a wrong secret."""
    stage.configure((stage.wecom.corp_id, "ww0000000000000000"))
    printed = stage.run("plan")
    assert printed.code == 1
    printed.says("errcode 40013", "the corp_id is wrong", "我的企业")


def test_an_address_that_is_not_trusted(applied: Stage) -> None:
    """60020: the message names the address that WeCom sees, and where to enter it. check finds it too."""
    applied.wecom.trusted_ips = ["203.0.113.7"]
    assert applied.writes_by("apply", "--yes", code=1) == []
    applied.printed[-1][1].says("errcode 60020", "sees this machine as 127.0.0.1", "企业可信IP")
    checked = applied.run("check")
    assert checked.code == 1
    assert "ok       sync acme: the mirror is there" in checked.out
    assert "FAULT    sync acme: WeCom: " in checked.out
    assert "enter that in the admin console under 企业可信IP" in checked.out
    assert "ok       sync acme: the source gives 12 people" in checked.out
    document = applied.run("plan", "--format", "json")
    assert document.code == 1
    assert document.json["format"] == "wxsync-error/1"
    assert document.json["code"] == "wecom_denied"
    assert "企业可信IP" in document.json["hint"]


def test_wecom_goes_away_in_the_middle(stage: Stage) -> None:
    """The run is stopped after a few calls without an answer: exit 5 and the cause; the next one goes on."""
    stage.ok("apply", "--yes")
    stage.hire(13, 24)
    stage.wecom.faults.reset("user/create", times=1000)
    printed = stage.run("apply", "--yes")
    assert printed.code == 5
    printed.says("Stopped: ", "without an answer")
    assert "The run broke off" in printed.out
    stage.wecom.faults.clear()
    stage.ok("apply", "--yes")
    assert stage.run("plan", "--exit-code").code == 0


class Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def do_GET(self) -> None:
        self.send_error(404)


@contextmanager
def some_web_server() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Silent) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
