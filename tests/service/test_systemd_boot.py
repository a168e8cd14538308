"""The daemon as a service of a systemd that really runs, by the files of `wxsync install-service`."""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.stage import MOBILE, SECRET, Stage
from tests.servers.systemd import WXSYNC, Machine, booted
from wxsync.sandbox.serve import running_sandbox
from wxsync.sandbox.state import SandboxState

UNIT = "wxsync.service"
CONFIG = "/etc/wxsync/config.toml"
CREDENTIALS = "/run/credentials/wxsync.service"

# What the test must have otherwise: it waits for no machine's network, nor for minutes.
QUICK = """
[Unit]
DefaultDependencies=no
Wants=
After=

[Service]
LoadCredential=contact:/etc/wxsync/contact.secret
WatchdogSec=6
RestartSec=1
"""

# On SIGUSR2 the main thread sleeps for ever, and with it the loop; all other threads go on.
HANGING = (
    "import sys\n",
    "import signal, sys, time\nsignal.signal(signal.SIGUSR2, lambda *_: time.sleep(3600))\n",
)


@dataclass(kw_only=True)
class Service:
    """A company whose daemon is a service of the machine."""

    machine: Machine
    stage: Stage
    began: float

    @property
    def wecom(self) -> SandboxState:
        return self.stage.wecom

    def configure(self, *changes: tuple[str, str], add: str = "") -> None:
        """Write the config, as its owner would."""
        self.stage.configure(
            ('contact_secret = "env:STAGE_SECRET"', 'contact_secret = "credential:contact"\nconcurrency = 1'),
            ('mode = "plan"', 'mode = "apply"\nschedule = "0 3 * * *"\ntime_zone = "UTC"\nmin_interval = 1'),
            ('language = "en"', 'language = "en"\nlisten = "127.0.0.1:0"'),
            *changes,
            add=add,
        )
        self.machine.run("cp", "/srv/hr/wxsync.toml", CONFIG)
        self.machine.run("systemd-tmpfiles", "--create", "wxsync.conf")

    def wxsync(self, *arguments: str, code: int = 0) -> str:
        """What somebody does by hand as the service's user, on the service's mirror."""
        env = {"CREDENTIALS_DIRECTORY": CREDENTIALS}
        return self.machine.run(WXSYNC, "--config", CONFIG, *arguments, user="wxsync", env=env, code=code)

    def runs(self) -> list[dict[str, Any]]:
        """The newest first."""
        found: list[dict[str, Any]] = json.loads(self.wxsync("runs", "--format", "json"))
        return found

    def journal(self, *matches: str) -> list[dict[str, Any]]:
        """Lines of this test's daemon, with their fields."""
        own = ("-u", UNIT, "--since", f"@{self.began:.6f}")
        said = self.machine.run("journalctl", *own, "-o", "json", "--no-pager", *matches)
        return [json.loads(line) for line in said.splitlines()]

    def property(self, name: str) -> str:
        return self.machine.property(UNIT, name)

    def start(self) -> None:
        self.machine.run("systemctl", "start", UNIT)

    def signal(self, name: str) -> None:
        """To the main process alone."""
        self.machine.run("kill", f"-{name}", self.property("MainPID"))

    def first_load(self) -> None:
        """The first run, to which somebody says yes by hand."""
        self.wxsync("apply", "--yes")
        assert len(self.wecom.members) == 12

    def begin_run(self) -> None:
        """Have every sync run now, as soon as the daemon leads."""
        match = f"_SYSTEMD_INVOCATION_ID={self.property('InvocationID')}"
        self.wait(lambda: any("leads" in line["MESSAGE"] for line in self.journal(match)))
        self.signal("USR1")

    def journal_says(self, word: str) -> bool:
        return any(word in str(line.get("MESSAGE")) for line in self.journal())

    def wait(self, condition: Any, seconds: float = 60.0) -> None:
        self.machine.wait(condition, seconds)


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    """A system on which wxsync is installed as a service, and not yet started."""
    with tempfile.TemporaryDirectory(prefix="wxsync-boot-") as home:
        hr = Path(home) / "hr"
        hr.mkdir()
        Path(home).chmod(0o755)
        with booted(Path(home), {hr: "/srv/hr"}) as system:
            system.run(WXSYNC, "install-service", "--exec", WXSYNC)
            system.run("systemd-sysusers", "wxsync.conf")
            system.write("/etc/systemd/system/wxsync.service.d/quick.conf", QUICK)
            system.write("/etc/wxsync/contact.secret", SECRET + "\n")
            system.run("chmod", "600", "/etc/wxsync/contact.secret")
            system.run("systemctl", "daemon-reload")
            yield system


@pytest.fixture
def service(machine: Machine) -> Iterator[Service]:
    """Twelve people, a WeCom that holds nobody, and a service that runs on a mirror of its own."""
    wecom = SandboxState(contact_secret=SECRET)
    for each in (machine.home / "hr").iterdir():
        each.unlink()
    with running_sandbox(wecom) as base_url:
        stage = Stage(
            home=machine.home / "hr",
            wecom=wecom,
            base_url=base_url,
            source="sqlite:////srv/hr/hr.db",
            mirror="sqlite:////var/lib/wxsync/mirror.db",
        )
        found = Service(machine=machine, stage=stage, began=time.time())
        machine.run("rm", "-rf", "/var/lib/wxsync")
        found.configure()
        found.start()
        yield found
        wecom.latency = 0
        machine.run("systemctl", "kill", "-s", "KILL", UNIT, code=None)
        machine.run("systemctl", "stop", UNIT, code=None)
        machine.run("systemctl", "reset-failed", UNIT, code=None)
        machine.run("rm", "-f", "/etc/systemd/system/wxsync.service.d/test.conf")
        machine.run("systemctl", "daemon-reload")


def test_the_service_is_up(service: Service) -> None:
    """The unit is active, as its own user, with a credential that nobody else may read."""
    assert (service.property("ActiveState"), service.property("SubState")) == ("active", "running")
    assert service.property("User") == "wxsync"
    service.first_load()
    assert service.machine.run("cat", f"{CREDENTIALS}/contact", user="nobody", code=1) == ""
    assert service.machine.run("stat", "-c", "%a %U", "/var/lib/wxsync/mirror.db").split() == [
        "600",
        "wxsync",
    ]


def test_the_status_tells_the_truth(service: Service) -> None:
    """Its line names the last run as `wxsync runs` does, and when the next one begins."""
    service.first_load()
    service.stage.hire(13, 15)
    service.begin_run()
    service.wait(lambda: len(service.wecom.members) == 15)
    service.wait(lambda: "applied" in service.property("StatusText"))

    said = service.property("StatusText")
    last = service.runs()[0]
    found = re.fullmatch(r"acme: last run (\d+) (\w+) at (\d\d:\d\d), next at (\d\d:\d\d)", said)
    assert found is not None, said
    assert (int(found[1]), found[2]) == (last["id"], last["state"])
    assert last["trigger"] == "schedule"
    assert abs(minutes(found[3]) - minutes(last["started_at"][11:16])) <= 1
    assert found[4].startswith("03:0")
    assert minutes(found[4]) > 3 * 60


def minutes(clock: str) -> int:
    hours, rest = clock.split(":")
    return int(hours) * 60 + int(rest)


def test_the_journal_has_fields(service: Service) -> None:
    """Lines of a run are found by RUN, SYNC and CORP; nobody's number and no secret is in any line."""
    service.first_load()
    service.stage.hire(13, 15)
    service.begin_run()
    service.wait(lambda: service.journal_says("a run is over"))

    run = service.runs()[0]["id"]
    lines = service.journal(f"RUN={run}", "SYNC=acme", "CORP=acme")
    everything = service.machine.run("journalctl", "-u", UNIT, "-o", "cat", "--no-pager")
    assert lines
    assert {line["SYSLOG_IDENTIFIER"] for line in lines} == {"wxsync"}
    assert {line["PRIORITY"] for line in lines} <= {"6", "4"}
    assert service.journal("SYNC=other") == []
    assert SECRET not in everything
    assert not MOBILE.search(everything)


def test_a_stopped_process_is_killed_and_goes_on(service: Service) -> None:
    """A daemon that freezes in the middle of a run is killed, started anew, and settles that run."""
    _hang_and_recover(service, "STOP")


def test_a_loop_that_hangs_is_killed_and_goes_on(service: Service) -> None:
    """The loop hangs, and the threads live that serve HTTP: none says in its place that all is well."""
    service.machine.run("systemctl", "stop", UNIT)
    program = service.machine.run("cat", WXSYNC)
    assert HANGING[0] in program
    service.machine.write("/opt/wxsync/bin/hanging", program.replace(*HANGING))
    service.machine.run("chmod", "755", "/opt/wxsync/bin/hanging")
    service.machine.write(
        "/etc/systemd/system/wxsync.service.d/test.conf",
        f"[Service]\nExecStart=\nExecStart=/opt/wxsync/bin/hanging serve --config {CONFIG}\n",
    )
    service.machine.run("systemctl", "daemon-reload")
    service.start()
    _hang_and_recover(service, "USR2")


def _hang_and_recover(service: Service, name: str) -> None:
    service.first_load()
    before = service.property("MainPID")
    service.stage.hire(13, 24)
    service.wecom.latency = 0.4
    service.begin_run()
    service.wait(lambda: len(service.wecom.members) >= 15)
    service.signal(name)

    began = time.monotonic()
    service.wait(lambda: service.property("NRestarts") == "1")
    service.wait(lambda: service.property("ActiveState") == "active")
    assert time.monotonic() - began < 25
    assert service.journal_says("Watchdog timeout")
    assert service.property("MainPID") != before
    service.wecom.latency = 0
    service.wait(lambda: service.journal_says("a run is over"))

    states = {each["id"]: each["state"] for each in service.runs()}
    assert states == {1: "applied", 2: "stopped", 3: "applied"}
    assert len(service.wecom.members) == 24
    created = [call for call in service.wecom.log if call.path == "user/create" and call.errcode == 0]
    assert len(created) == 24


def test_a_reload(service: Service) -> None:
    """A good config is taken, a bad one refused with its reasons, and in any case the daemon goes on."""
    process = service.property("MainPID")
    service.configure(("0 3 * * *", "0 5 * * *"))
    service.machine.run("systemctl", "reload", UNIT)
    service.wait(lambda: "next at 05:0" in service.property("StatusText"))
    assert service.journal_says("credentials of systemd are those of the start")

    service.configure(("0 3 * * *", "61 5 * * *"))
    service.machine.run("systemctl", "reload", UNIT)
    service.wait(lambda: service.journal_says("schedule"))

    assert service.property("ActiveState") == "active"
    assert service.property("MainPID") == process
    assert "next at 05:0" in service.property("StatusText")
    [refused] = [line for line in service.journal("PRIORITY=4") if "schedule" in line["MESSAGE"]]
    assert "sync.acme.schedule" in refused["MESSAGE"]


def test_a_stop_in_the_middle_of_a_run(service: Service) -> None:
    """It takes 20 seconds at most, the run is on record as stopped, and the unit ended well."""
    service.first_load()
    service.stage.hire(13, 30)
    service.wecom.latency = 0.4
    service.begin_run()
    service.wait(lambda: len(service.wecom.members) >= 15)

    began = time.monotonic()
    service.machine.run("systemctl", "stop", UNIT)
    took = time.monotonic() - began

    assert took < 20
    assert service.property("Result") == "success"
    assert service.property("ExecMainStatus") == "0"
    assert len(service.wecom.members) < 30
    service.wecom.latency = 0
    service.start()
    stopped = next(each for each in service.runs() if each["id"] == 2)
    assert stopped["state"] == "stopped"


LEFT = (
    "main()\n",
    """
import ctypes, json, time
import cryptography.fernet, ldap3, openpyxl, psycopg, pydantic_core, pymysql, rich, uvicorn
from wxsync.mirror.clocks import clock_name
from wxsync.wecom import watchdog
event, timer = watchdog._Event(number=9, notice=0), ctypes.c_void_p()
made = watchdog._LIBC.timer_create(time.CLOCK_BOOTTIME, ctypes.byref(event), ctypes.byref(timer))
print(json.dumps({"timer": made, "clock": clock_name()}))
""",
)


def test_what_the_hardening_leaves(service: Service) -> None:
    """The libraries load, the kernel makes the timer of the writes, leases go by the clock of all others."""
    service.machine.run("systemctl", "stop", UNIT)
    program = service.machine.run("cat", WXSYNC)
    service.machine.write("/opt/wxsync/bin/left", program.replace(*LEFT))
    service.machine.run("chmod", "755", "/opt/wxsync/bin/left")
    outside = json.loads(service.machine.run("/opt/wxsync/bin/left"))
    service.machine.write(
        "/etc/systemd/system/wxsync.service.d/test.conf",
        "[Service]\nType=oneshot\nRestart=no\nWatchdogSec=0\nExecStart=\nExecStart=/opt/wxsync/bin/left\n",
    )
    service.machine.run("systemctl", "daemon-reload")
    service.start()

    [said] = [line["MESSAGE"] for line in service.journal() if '"timer"' in line["MESSAGE"]]
    assert json.loads(said) == outside
    assert outside["timer"] == 0
    assert outside["clock"]
