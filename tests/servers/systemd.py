"""A real systemd for the tests, as process 1 of namespaces of its own: it starts, watches and ends services.

Its root is the machine's, under a layer in memory that takes every change. The network is the machine's,
so that a WeCom in the test can be reached.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.house.tree import ROOT
from tests.servers.presence import require, require_ability

INIT = Path("/lib/systemd/systemd")
TOOLS = ("unshare", "nsenter", "setpriv", "runuser", "mount", "pivot_root")
WXSYNC = "/opt/wxsync/bin/wxsync"
"""Inside, where a service that sees nothing of /home and /tmp can start it."""
BOOTING = 60
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}

BOOT = """
set -e
home=$1 root=$1/root
mount --make-rprivate /
mount -t tmpfs tmpfs $root.layer
mkdir $root.layer/upper $root.layer/work
mount -t overlay overlay -o lowerdir=/,upperdir=$root.layer/upper,workdir=$root.layer/work $root
mount -t proc proc $root/proc
mount -t sysfs -o ro sysfs $root/sys
mount -t cgroup2 cgroup2 $root/sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs $root/run
mount -t tmpfs -o mode=755 tmpfs $root/dev
mount -t tmpfs -o mode=1777 tmpfs $root/tmp
mkdir $root/dev/pts $root/dev/shm $root/run/systemd
for device in null zero full random urandom tty; do
    touch $root/dev/$device
    mount --bind /dev/$device $root/dev/$device
done
mount -t devpts -o newinstance,ptmxmode=0666 devpts $root/dev/pts
ln -s pts/ptmx $root/dev/ptmx
mount -t tmpfs -o mode=1777 tmpfs $root/dev/shm
rm -rf $root/etc/systemd/system $root/var/lib/wxsync $root/etc/wxsync
mkdir -p $root/etc/systemd/system $root/opt/wxsync/bin
cp $home/units/* $root/etc/systemd/system/
ln -s /dev/null $root/etc/systemd/system/systemd-journald-audit.socket
install -m 755 $home/wxsync $root/opt/wxsync/bin/wxsync
while read -r from to; do
    mkdir -p $root$to
    mount --bind $from $root$to
done <$home/binds
echo 00000000000000000000000000000001 >$root/etc/machine-id
mkdir $root/.old
cd $root
pivot_root . .old
umount -l /.old
# systemd makes credentials in a namespace of its own, from where they have to reach this one.
mount --make-rshared /
exec env -i container=wxsync PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb \\
    /lib/systemd/systemd --unit=boot.target --log-target=journal --show-status=0
"""

# Nothing of the machine's own is started: what is tested, and the journal.
UNITS = {
    "boot.target": """
[Unit]
Description=What the tests want
DefaultDependencies=no
Requires=systemd-journald.service systemd-journald.socket
After=systemd-journald.service
""",
}

PYTHON = "LD_LIBRARY_PATH=/opt/python/lib exec /opt/python/bin/{python}"
"""A Python that somebody built may have its library in a place that the service does not see."""
PROGRAM = """\
#!/bin/sh
{run} -c '
import sys
sys.path[0:1] = ["/opt/checkout", *{packages}]
from wxsync.cli.main import main
main()
' "$@"
"""


@dataclass(kw_only=True)
class Machine:
    """A system that runs; `process` is its systemd as this side sees it."""

    home: Path
    process: int

    def run(
        self,
        *command: str,
        user: str | None = None,
        code: int | None = 0,
        env: Mapping[str, str] | None = None,
    ) -> str:
        """What a command prints inside, as root or as `user`; it must end with `code`."""
        as_user = [] if user is None else ["runuser", "-u", user, "--"]
        inside = ["nsenter", "-t", str(self.process), "-m", "-p", "-i", "-u", "-C", "--wd=/", *as_user]
        variables = [f"{name}={value}" for name, value in {**ENVIRONMENT, **(env or {})}.items()]
        done = subprocess.run(
            [
                *inside,
                "env",
                "-i",
                "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                "LANG=C.UTF-8",
                *variables,
                *command,
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        if code is not None and done.returncode != code:
            said = f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
            pytest.fail(f"{said}\n{self.last_lines()}" if command[0] == "systemctl" else said)
        return done.stdout

    def write(self, path: str, text: str) -> None:
        """A file inside, readable by all, in a directory that is made."""
        script = 'mkdir -p "$(dirname "$0")"; printf %s "$1" >"$0"; chmod 644 "$0"'
        self.run("sh", "-c", script, path, text)

    def property(self, unit: str, name: str) -> str:
        return self.run("systemctl", "show", "--value", "-p", name, unit).strip()

    def last_lines(self) -> str:
        return self.run("journalctl", "--no-pager", "-n", "50", code=None)

    def wait(self, condition: Callable[[], object], seconds: float = 60.0) -> None:
        """Until it holds; a failure that shows the journal where it never does."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                pytest.fail(f"it never came to be:\n{self.last_lines()}")
            time.sleep(0.1)


@contextmanager
def booted(home: Path, binds: Mapping[Path, str]) -> Iterator[Machine]:
    """A machine with the checkout's wxsync as WXSYNC, and directories of this side at paths of its own."""
    _require_all()
    group = _control_group()
    _prepare(home, binds)
    try:
        with (home / "console").open("wb") as console:
            process = _start(home, group, console.fileno())
        try:
            yield _running(home, process)
        finally:
            process.kill()
            process.wait()
    finally:
        _remove(group)


def _require_all() -> None:
    require(package="systemd", present=INIT.exists())
    require(package="util-linux", present=all(shutil.which(tool) for tool in TOOLS))
    require_ability("root, to start a systemd of its own", present=os.geteuid() == 0)


def _control_group() -> Path:
    """One for the machine alone, below wherever this system has its control groups of version 2."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()]
    places = [Path(words[1]) for words in mounts if words[2] == "cgroup2"]
    own = Path("/proc/self/cgroup").read_text(encoding="utf-8")
    below = next((line[3:].strip("/") for line in own.splitlines() if line.startswith("0::")), "")
    for place in places:
        group = place / below / f"wxsync-test-{os.getpid()}-{time.monotonic_ns()}"
        with suppress(OSError):
            group.mkdir()
            return group
    require_ability("control groups of version 2 that it may write", present=False)
    raise AssertionError


def _prepare(home: Path, binds: Mapping[Path, str]) -> None:
    """The files of the boot. A Python below /root is bound elsewhere: the service sees nothing of /root."""
    for name in ("units", "root", "root.layer"):
        (home / name).mkdir()
    for name, text in UNITS.items():
        (home / "units" / name).write_text(text, encoding="utf-8")
    packages = {Path(sysconfig.get_path(name)): f"/opt/packages/{name}" for name in ("purelib", "platlib")}
    python = Path(sys.executable).resolve()
    folders = json.dumps(sorted(packages.values()))
    program = PROGRAM.format(run=PYTHON.format(python=python.name), packages=folders)
    (home / "wxsync").write_text(program, encoding="utf-8")
    ours = {ROOT: "/opt/checkout", python.parents[1]: "/opt/python"}
    lines = [f"{source} {target}\n" for source, target in {**binds, **ours, **packages}.items()]
    (home / "binds").write_text("".join(lines), encoding="utf-8")
    (home / "boot").write_text(BOOT, encoding="utf-8")


def _start(home: Path, group: Path, console: int) -> subprocess.Popen[bytes]:
    enter = 'echo $$ >"$0/cgroup.procs"; exec "$@"'
    mortal = ["setpriv", "--pdeathsig", "KILL", "sh", "-c", enter, str(group)]
    apart = ["unshare", "--fork", "--pid", "--mount", "--uts", "--ipc", "--cgroup", "--kill-child"]
    return subprocess.Popen(
        [*mortal, *apart, "sh", str(home / "boot"), str(home)],
        stdin=subprocess.DEVNULL,
        stdout=console,
        stderr=console,
        start_new_session=True,
    )


def _running(home: Path, process: subprocess.Popen[bytes]) -> Machine:
    """When its systemd answers."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    deadline = time.monotonic() + BOOTING
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError, LookupError, pytest.fail.Exception, subprocess.TimeoutExpired):
            machine = Machine(home=home, process=int(children.read_text(encoding="ascii").split()[0]))
            if machine.property("boot.target", "ActiveState") == "active":
                return machine
        time.sleep(0.1)
    pytest.fail(f"systemd does not start:\n{(home / 'console').read_text(errors='replace')}", pytrace=False)


def _remove(group: Path) -> None:
    """Empty it is by then, or soon: all in it died with their process 1."""
    for _ in range(100):
        for each in sorted(group.rglob("*"), key=lambda path: -len(path.parts)):
            if each.is_dir():
                with suppress(OSError):
                    each.rmdir()
        with suppress(OSError):
            group.rmdir()
            return
        time.sleep(0.05)
