"""From the wheel to a daemon that works: an environment of its own, the unit that it writes, and a run."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.cli.stage import SECRET, Stage, open_stage, wait_for
from tests.house.test_packaging import installed, wheel
from tests.service.sender import KEYS, Sender, change_xml
from wxsync.wecom.crypto import build_envelope

__all__ = ["installed", "wheel"]

RECEIVER = f"""
[corp.acme.callback]
token = "{KEYS["token"]}"
encoding_aes_key = "{KEYS["encoding_aes_key"]}"
"""


class Supervisor:
    """What stands in for systemd: it starts what the unit says, and hears how that fares."""

    def __init__(self, home: Path) -> None:
        self.address = str(home / "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.address)
        self._socket.setblocking(False)
        self._heard: list[str] = []

    def heard(self) -> list[str]:
        """Each word since the beginning."""
        while self._socket.fileno() >= 0:
            try:
                self._heard += self._socket.recv(65536).decode().split("\n")
            except BlockingIOError:
                break
        return self._heard

    @contextmanager
    def started(self, unit: Path, home: Path) -> Iterator[subprocess.Popen[bytes]]:
        """The unit's ExecStart with its credential, and neither the checkout nor this test's environment."""
        [command] = re.findall(r"^ExecStart=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE)
        environment = {
            "PATH": "/usr/bin:/bin",
            "NOTIFY_SOCKET": self.address,
            "WATCHDOG_USEC": "180000000",
            "CREDENTIALS_DIRECTORY": str(home / "credentials"),
        }
        with (home / "out").open("wb") as out, (home / "log").open("wb") as log:
            process = subprocess.Popen(
                shlex.split(command),
                cwd=home,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=log,
            )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            self.heard()  # what came at the end
            self._socket.close()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A company whose config names a credential; nothing of it lies in the checkout."""
    home = tmp_path / "company"
    (home / "credentials").mkdir(parents=True)
    (home / "credentials" / "contact").write_text(SECRET + "\n", encoding="utf-8")
    with open_stage(home) as opened:
        opened.configure(
            ('"env:STAGE_SECRET"', '"credential:contact"'),
            ('language = "en"', 'language = "en"\nlisten = "127.0.0.1:0"'),
            ('mode = "plan"', 'mode = "apply"\nschedule = "0 3 * * *"\nmin_interval = 1'),
            add=RECEIVER,
        )
        yield opened


def test_from_the_wheel_to_a_working_daemon(installed: Path, stage: Stage, tmp_path: Path) -> None:
    """The installed wheel writes a unit; what that starts answers WeCom, and a change there begins a run."""
    wxsync = installed / "bin" / "wxsync"
    plain = {"PATH": os.environ["PATH"], "CREDENTIALS_DIRECTORY": str(stage.home / "credentials")}
    image = tmp_path / "image"
    for arguments in (
        ("install-service", "--root", str(image), "--config", str(stage.config)),
        ("--config", str(stage.config), "apply", "--yes"),
    ):
        done = subprocess.run(
            [str(wxsync), *arguments], cwd=tmp_path, env=plain, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    assert len(stage.wecom.members) == 12
    stage.hire(13, 13)

    supervisor = Supervisor(tmp_path)
    with supervisor.started(image / "etc/systemd/system/wxsync.service", stage.home) as process:
        wait_for(lambda: "READY=1" in supervisor.heard() or process.poll() is not None, 60)
        [port] = re.findall(r'"port": (\d+)', (stage.home / "out").read_text(encoding="utf-8"))
        wait_for(lambda: "leads" in (stage.home / "log").read_text(encoding="utf-8"))
        address = f"http://127.0.0.1:{port}"
        assert httpx.get(f"{address}/readyz").status_code == 200
        wecom = Sender(corp_id=stage.wecom.corp_id)
        query, encrypt = wecom.signed(b"1234567890")
        assert (
            httpx.get(f"{address}/callback/acme", params={**query, "echostr": encrypt}).text == "1234567890"
        )
        query, encrypt = wecom.signed(change_xml("update_user", UserID="e001", Alias="Lin"))
        body = build_envelope(encrypt, to_user_name=stage.wecom.corp_id)
        assert httpx.post(f"{address}/callback/acme", params=query, content=body).status_code == 200
        wait_for(lambda: len(stage.wecom.members) == 13, 60)
        wait_for(lambda: any("run 2 applied" in word for word in supervisor.heard()))
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0

    assert "WATCHDOG=1" in supervisor.heard()
    assert "STOPPING=1" in supervisor.heard()
    assert SECRET not in (stage.home / "log").read_text(encoding="utf-8")
