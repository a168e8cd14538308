"""Private Active Directory domain controllers (Samba) for the tests: loopback only, gone when a test ends."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers.certificates import Authority
from tests.servers.ldif import Entries, to_ldif
from tests.servers.presence import require, require_ability

DOMAIN = "DC=example,DC=com"
READER = "wxsync@example.com"
"""An ordinary account, as an administrator would make it for wxsync."""
PASSWORD = "Only-4-test"
START_SECONDS = 30
ATTEMPTS = 5

CONFIG = """[global]
workgroup = EXAMPLE
realm = EXAMPLE.COM
netbios name = DC1
server role = active directory domain controller
server services = ldap
dcerpc endpoint servers = -winreg -srvsvc
interfaces = {address}/8
bind interfaces only = yes
private dir = {home}/private
state directory = {home}/state
cache directory = {home}
lock directory = {home}
pid directory = {home}
ncalrpc dir = {home}/ncalrpc
ntp signd socket directory = {home}/ntp_signd
winbindd socket directory = {home}/winbindd
log file = {home}/log.%m
ldap server require strong auth = yes
disable netbios = yes
idmap_ldb:use rfc2307 = yes
tls certfile = {certificate}
tls keyfile = {key}
tls cafile = {ca}
"""


@dataclass(kw_only=True)
class Samba:
    """One domain controller on an address of its own, since its ports are fixed."""

    home: Path
    authority: Authority
    address: str = ""
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"ldaps://{self.address}"

    @property
    def plain_url(self) -> str:
        return f"ldap://{self.address}"

    def start(self) -> None:
        """Run it on a free address, and wait until it answers."""
        for _ in range(ATTEMPTS):
            self.address = (
                f"127.{77 + secrets.randbelow(40)}.{secrets.randbelow(256)}.{1 + secrets.randbelow(254)}"
            )
            if not _answers(self.address) and self._run():
                return
            self.stop()
        log = (self.home / "output").read_text(errors="replace")
        pytest.fail(f"Samba does not start:\n{log}", pytrace=False)

    def stop(self) -> None:
        """End it: it stops by itself where its standard input is closed."""
        if self.process is None:
            return
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def _run(self) -> bool:
        certificate, key = self.authority.issue(
            self.home, names=("localhost", "dc1.example.com"), addresses=(self.address,)
        )
        config = CONFIG.format(
            home=self.home, address=self.address, certificate=certificate, key=key, ca=self.authority.file
        )
        (self.home / "smb.conf").write_text(config, encoding="utf-8")
        with (self.home / "output").open("ab") as output:
            self.process = subprocess.Popen(
                ["samba", "-i", "-M", "single", "--no-process-group", "-s", self.home / "smb.conf"],
                stdin=subprocess.PIPE,  # at its end Samba stops, so it dies with us
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            if _answers(self.address):
                return True
            time.sleep(0.02)
        return False

    def load(self, entries: Entries) -> None:
        """Add entries; parents come first."""
        self._ldb("ldbadd", to_ldif(entries))

    def change(self, ldif: str) -> None:
        """Carry out LDIF change records as an administrator, while it runs too."""
        self._ldb("ldbmodify", ldif)

    def values(self, dn: str, attribute: str) -> list[str]:
        """What an entry has, read by a way of its own: GUIDs and SIDs as text."""
        found = self._ldb("ldbsearch", "", "-b", dn, "-s", "base", attribute)
        return [
            b64decode(line.partition(":: ")[2]).decode() if ":: " in line else line.partition(": ")[2]
            for line in found.replace("\n ", "").splitlines()
            if line.lower().startswith(f"{attribute.lower()}:")
        ]

    def _ldb(self, program: str, text: str, *arguments: str) -> str:
        database = f"tdb://{self.home}/private/sam.ldb"
        config = f"--configfile={self.home}/smb.conf"
        said = _run(program, "-H", database, config, *arguments, text=text)
        assert "ERR" not in said, said
        assert "Error" not in said, said  # what it cannot read it leaves out, and calls that a success
        return said


MakeSamba = Callable[..., Samba]


@pytest.fixture(scope="session")
def samba_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A domain as it is when nobody has joined it yet, to be copied."""
    for package, program in (("samba", "samba"), ("samba", "samba-tool"), ("ldb-tools", "ldbadd")):
        require(package=package, present=shutil.which(program) is not None)
    require(package="samba-ad-provision", present=Path("/usr/share/samba/setup").is_dir())
    require_ability("root, to set up a Samba domain", present=os.geteuid() == 0)
    home = tmp_path_factory.mktemp("samba")
    _run(
        *("samba-tool", "domain", "provision", f"--targetdir={home}", "--realm=EXAMPLE.COM"),
        *("--domain=EXAMPLE", "--server-role=dc", "--dns-backend=NONE", f"--adminpass={PASSWORD}"),
        *("--use-rfc2307", "--host-name=dc1", "--host-ip=127.0.0.1", "--option=interfaces=lo"),
        *("--option=bind interfaces only=yes", "--option=vfs objects=dfs_samba4 acl_xattr xattr_tdb"),
    )
    database = home / "private" / "sam.ldb"
    reader = READER.partition("@")[0]
    _run("samba-tool", "user", "create", reader, PASSWORD, "-H", database, "-s", home / "etc" / "smb.conf")
    return home


@pytest.fixture
def make_samba(samba_template: Path, authority: Authority) -> Iterator[MakeSamba]:
    """Running domain controllers, each a fresh copy of the domain with the entries it is made with."""
    with ExitStack() as stack:

        def make(entries: Entries = ()) -> Samba:
            home = Path(tempfile.mkdtemp(prefix="wxsync-samba-"))
            stack.callback(shutil.rmtree, home, ignore_errors=True)
            shutil.copytree(samba_template, home, dirs_exist_ok=True)
            server = Samba(home=home, authority=authority)
            stack.callback(server.stop)
            server.start()
            server.load(entries)
            return server

        yield make


def _answers(address: str) -> bool:
    try:
        socket.create_connection((address, 636), 1).close()
    except OSError:
        return False
    return True


def _run(*command: str | Path, text: str = "") -> str:
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
    said = (done.stdout + done.stderr).decode(errors="replace")
    assert done.returncode == 0, said
    return said
