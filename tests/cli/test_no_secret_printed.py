"""No command prints, logs or stores a secret or a token, whatever fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.cli.stage import SECRET, Stage, mobile
from tests.servers.ports import free_port
from tests.wecom.leaks import leaked, leaked_bytes
from wxsync.sandbox.state import SandboxState
from wxsync.sandbox.switches import App

SECRETS = {
    "contact secret": SECRET,
    "app secret": "app/S3cret+MARK=77aa",
    "callback token": "CallbackT0kenMARK19",
    "aes key": "MARKs2WxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnE4",
    "proxy password": "pr0xyP@ss/MARK-77c1",
}
ENVIRONMENT = {
    "APP_SECRET": SECRETS["app secret"],
    "CALLBACK_TOKEN": SECRETS["callback token"],
    "CALLBACK_KEY": SECRETS["aes key"],
    "PYTHONASYNCIODEBUG": "1",
    "PYTHONWARNINGS": "always",
}
MORE = """
[corp.acme.app]
agent_id = 1000002
secret = "env:APP_SECRET"

[corp.acme.callback]
token = "env:CALLBACK_TOKEN"
encoding_aes_key = "env:CALLBACK_KEY"
"""
LOUD = """
import logging, os
logging.basicConfig(filename=os.environ["LOUD_LOG"], level=logging.NOTSET)
logging.getLogger("sqlalchemy").setLevel(logging.INFO)
for name in ("httpx", "httpcore", "httpcore.http11", "httpcore.connection", "asyncio"):
    logging.getLogger(name).setLevel(logging.DEBUG)
"""
"""What Python runs before the command: everything that anybody logs is written down.

Of SQLAlchemy it is the statements: rows, with all that is in them, it logs only where it is told to debug.
"""

FAULTS: dict[str, Callable[[SandboxState], None]] = {
    "a wrong secret": lambda wecom: wecom.faults.answer("gettoken", 40001, times=None),
    "tokens that end": lambda wecom: wecom.faults.answer("user/*", 42001, times=None),
    "refused people": lambda wecom: wecom.faults.answer("user/create", 60104, times=None),
    "an untrusted address": lambda wecom: setattr(wecom, "trusted_ips", ("192.0.2.1",)),
    "HTML": lambda wecom: wecom.faults.html("*", times=None),
    "a line that breaks": lambda wecom: wecom.faults.reset("*", skip=2, times=None),
    "warnings": lambda wecom: wecom.faults.warn("user/create", after=False, times=None),
}


@dataclass(frozen=True)
class Loud:
    """A company, and the environment in which its commands write down all that is logged."""

    stage: Stage
    environment: dict[str, str | None]

    def run(self, *words: str) -> int:
        """The exit code of a command."""
        return self.stage.run(*words, env=self.environment).code


@pytest.fixture
def loud(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loud]:
    """A company with every kind of secret; at the end all is searched that was printed, logged and stored."""
    home = tmp_path_factory.mktemp("loud")
    (home / "sitecustomize.py").write_text(LOUD, "utf-8")
    log = home / "log"
    stage.wecom.apps = (App(secret=SECRETS["app secret"]),)
    loud = Loud(stage, {**ENVIRONMENT, "PYTHONPATH": str(home), "LOUD_LOG": str(log)})
    stage.configure(add=MORE)
    yield loud
    marks = {**SECRETS, **{f"token {number}": token for number, token in enumerate(stage.wecom.tokens)}}
    people = {f"mobile {number}": mobile(number) for number in range(1, 13)}
    printed = "\n".join(printed.out + printed.err for _, printed in stage.printed)
    assert stage.printed
    assert leaked(printed, marks) == {}
    written = log.read_text("utf-8")
    assert "sqlalchemy" in written
    assert leaked(written, {**marks, **people}) == {}
    for path in kept_in(stage.home):
        assert leaked_bytes(path.read_bytes(), marks) == set(), path.name


def kept_in(home: Path) -> list[Path]:
    """Every file that wxsync wrote."""
    return [path for path in home.rglob("*") if path.is_file() and path.name not in ("wxsync.toml", "hr.db")]


def test_a_day_without_a_fault(loud: Loud) -> None:
    """The log is as quiet when all goes well, whether for people or for programs."""
    loud.stage.wecom.legacy_ip = True
    assert [
        loud.run("apply", "--yes"),
        loud.run("check", "--retry"),
        loud.run("wecom", "user/getuserid", f"mobile={mobile(1)}"),
        loud.run("plan", "--format", "json"),
    ] == [0, 0, 0, 0]


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault(loud: Loud, name: str) -> None:
    """Refusals and broken lines, in the middle of a first load."""
    FAULTS[name](loud.stage.wecom)
    assert loud.run("apply", "--yes", "--format", "json") != 0


@pytest.mark.parametrize("place", ["http://127.0.0.1:{port}", "{base_url}"])
def test_a_proxy_with_a_password(loud: Loud, place: str) -> None:
    """One that is not there, and one that is a WeCom and no proxy: the password is in neither's failure."""
    where = place.format(port=free_port(), base_url=loud.stage.base_url).removeprefix("http://")
    proxy = f"http://wxsync:{quote(SECRETS['proxy password'], safe='')}@{where}"
    loud.stage.configure(
        (loud.stage.base_url, "https://wecom.invalid"),
        ("contact_secret =", f'proxy = "{proxy}"\ncontact_secret ='),
        add=MORE,
    )
    assert [loud.run("check"), loud.run("plan")] == [1, 1]
