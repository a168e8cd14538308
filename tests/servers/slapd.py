"""Private OpenLDAP servers for the tests: loopback only, ports of their own, gone when a test ends."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.servers.certificates import DAY, Authority, make_authority
from tests.servers.ldif import Entries, to_ldif
from tests.servers.ports import free_port
from tests.servers.presence import require

SLAPD = Path("/usr/sbin/slapd")
SUFFIX = "dc=example,dc=com"
ADMIN = f"cn=admin,{SUFFIX}"
READER = f"cn=reader,{SUFFIX}"
"""An ordinary account: limits and access rules hold for it, as they do not for ADMIN."""
PASSWORD = "only-a-test"
START_SECONDS = 20

CONFIG = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/dyngroup.schema
pidfile {home}/slapd.pid
argsfile {home}/slapd.args
modulepath /usr/lib/ldap
moduleload back_mdb
{modules}
moduleload ppolicy
moduleload syncprov
TLSCACertificateFile {ca}
TLSCertificateFile {certificate}
TLSCertificateKeyFile {key}
sizelimit 500

database config
rootdn cn=config
rootpw {password}

database mdb
suffix {suffix}
rootdn {admin}
rootpw {password}
directory {home}/db
maxsize 1073741824
dbnosync
index objectClass,entryCSN,entryUUID eq
index uid,employeeNumber eq
limits dn.exact="{reader}" size.soft=500 size.hard=500 size.prtotal=unlimited
access to attrs=userPassword by anonymous auth by * none
access to * by * read
overlay ppolicy
overlay syncprov
{overlays}
"""

OPTIONAL = ("dynlist", "memberof", "refint")
"""Overlays whose modules are loaded where a test wants them: without them memberOf is not in the schema."""

DYNLIST = """overlay dynlist
dynlist-attrset groupOfURLs memberURL member+memberOf@groupOfNames
"""
"""Works memberOf out whenever it is read, after slapadd too; of a group's own groups it says nothing."""

MEMBEROF = """overlay memberof
"""
"""Writes memberOf whenever a group is changed, so not with slapadd."""


@dataclass(kw_only=True)
class SlapdServer:
    """One server; it can be stopped, held and started again within a test."""

    home: Path
    authority: Authority
    port: int = field(default_factory=free_port)
    tls_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"ldap://localhost:{self.port}"

    @property
    def tls_url(self) -> str:
        return f"ldaps://localhost:{self.tls_port}"

    @property
    def socket_url(self) -> str:
        return f"ldapi://{quote(str(self.home / 'socket'), safe='')}/"

    def prepare(
        self,
        *,
        names: Sequence[str] = ("localhost",),
        until: timedelta = DAY,
        overlays: str = "",
        keeps_csn: bool = True,
    ) -> None:
        """Write its config, with a certificate for `names`; without `keeps_csn` contextCSN stays as it is."""
        config = CONFIG if keeps_csn else CONFIG.replace("overlay syncprov\n", "")
        certificate, key = self.authority.issue(self.home, names=names, until=until)
        (self.home / "db").mkdir()
        (self.home / "config").mkdir()
        (self.home / "slapd.conf").write_text(
            config.format(
                home=self.home,
                ca=self.authority.file,
                certificate=certificate,
                key=key,
                suffix=SUFFIX,
                admin=ADMIN,
                reader=READER,
                password=PASSWORD,
                modules="\n".join(f"moduleload {each}" for each in OPTIONAL if f"overlay {each}" in overlays),
                overlays=overlays,
            ),
            encoding="utf-8",
        )

    def load(self, entries: Entries) -> None:
        """Put entries into the database of a server that does not run; parents come first."""
        file = self.home / "load.ldif"
        file.write_text(to_ldif(entries), encoding="ascii")
        arguments = ["-q", "-w", "-b", SUFFIX, "-f", str(self.home / "slapd.conf"), "-l", str(file)]
        self._run("/usr/sbin/slapadd", *arguments)

    def start(self) -> None:
        """Run it, and wait until it answers; somebody else's connection may have its port for a moment."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            self._launch()
            if self._answers(deadline):
                return
        log = (self.home / "log").read_text(errors="replace")
        ended = f"it ended with {self.process.poll()}" if self.process is not None else ""
        pytest.fail(f"slapd does not start: {ended}\n{log}", pytrace=False)

    def _launch(self) -> None:
        first = not any((self.home / "config").iterdir())
        # The first start converts slapd.conf to a config that can be changed while the server runs.
        options = ["-f", str(self.home / "slapd.conf")] if first else []
        mortal = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        urls = f"ldap://127.0.0.1:{self.port}/ ldaps://127.0.0.1:{self.tls_port}/ {self.socket_url}"
        log = self.home / "log"
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [*mortal, str(SLAPD), "-h", urls, *options, "-F", str(self.home / "config"), "-d", "none"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def _answers(self, deadline: float) -> bool:
        """False as soon as it has ended, or the time is over."""
        assert self.process is not None
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.01)
            else:
                return True
        time.sleep(0.1)
        return False

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it by a signal, and wait for that."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(number)
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def restart(self) -> None:
        """Stop it and start it again: what it knew of its clients is gone."""
        self.stop()
        self.start()

    def hold(self) -> None:
        """Have it take connections and answer nothing, as a machine does that swaps."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def add(self, entries: Entries) -> None:
        """Add entries to the running server as ADMIN: overlays see them."""
        self._modify(ADMIN, to_ldif(entries), "-a")

    def change(self, ldif: str) -> None:
        """Carry out LDIF change records as ADMIN."""
        self._modify(ADMIN, ldif)

    def configure(self, dn: str, **values: str | Sequence[str]) -> None:
        """Replace attributes of the server's own config while it runs; no value removes the attribute."""
        lines = [f"dn: {dn}", "changetype: modify"]
        for name, given in values.items():
            each = [given] if isinstance(given, str) else given
            lines += [f"replace: {name}", *(f"{name}: {value}" for value in each), "-"]
        self._modify("cn=config", "\n".join(lines) + "\n")

    def limit(self, **values: str | Sequence[str]) -> None:
        """Replace attributes of the database's config, such as olcLimits and olcAccess."""
        self.configure("olcDatabase={1}mdb,cn=config", **values)

    def _modify(self, who: str, ldif: str, *options: str) -> None:
        command = ["ldapmodify", *options, "-c", "-H", self.socket_url, "-x", "-D", who, "-w", PASSWORD]
        self._run(*command, text=ldif)

    def _run(self, *command: str, text: str = "") -> None:
        done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
        assert done.returncode == 0, (done.stderr or done.stdout).decode(errors="replace")


MakeSlapd = Callable[..., SlapdServer]


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The certificate authority of all servers of this test process."""
    return make_authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def make_slapd(authority: Authority) -> Iterator[MakeSlapd]:
    """Running servers, each with the entries it is made with."""
    with run_slapds(authority) as make:
        yield make


@contextmanager
def run_slapds(authority: Authority) -> Iterator[MakeSlapd]:
    """A maker of servers, which all end with the block."""
    require(package="slapd", present=SLAPD.exists())
    require(package="ldap-utils", present=shutil.which("ldapmodify") is not None)
    with ExitStack() as stack:

        def make(
            entries: Entries,
            *,
            names: Sequence[str] = ("localhost",),
            until: timedelta = DAY,
            overlays: str = "",
            keeps_csn: bool = True,
        ) -> SlapdServer:
            # Not tmp_path: the path of a socket has to be short.
            home = Path(tempfile.mkdtemp(prefix="wxsync-slapd-"))
            stack.callback(shutil.rmtree, home, ignore_errors=True)
            server = SlapdServer(home=home, authority=authority)
            server.prepare(names=names, until=until, overlays=overlays, keeps_csn=keeps_csn)
            server.load([*tops(), *entries])
            stack.callback(server.stop, signal.SIGKILL)
            server.start()
            return server

        yield make


def tops() -> list[tuple[str, Mapping[str, Sequence[str | bytes]]]]:
    """What every directory begins with: its suffix, and who reads."""
    return [
        (SUFFIX, {"objectClass": ["dcObject", "organization"], "o": ["Example"], "dc": ["example"]}),
        (
            READER,
            {
                "objectClass": ["organizationalRole", "simpleSecurityObject"],
                "cn": ["reader"],
                "userPassword": [PASSWORD],
            },
        ),
    ]
