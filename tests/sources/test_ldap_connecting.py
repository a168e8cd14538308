"""How an LDAP source comes to its server: encrypted, verified, as whom, and within what time."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.servers.certificates import make_authority
from tests.servers.ports import free_port
from tests.servers.proxy import run_proxy
from tests.servers.slapd import PASSWORD, READER, MakeSlapd, SlapdServer
from tests.sources.directory import PEOPLE, company, ldap_source
from wxsync.errors import SourceError, SourceUnavailableError
from wxsync.sources.ldap import LdapSource
from wxsync.sources.ldap_wire import addresses, connect

ACCOUNT = {"bind_dn": None, "bind_password": None}


@pytest.fixture
def server(make_slapd: MakeSlapd) -> SlapdServer:
    return make_slapd(company(8))


def count(source: LdapSource) -> int:
    with source.open() as session:
        stream = session.read("members", PEOPLE)
        rows = list(stream)
    assert stream.proof.is_complete, stream.proof
    return len(rows)


def refusal(source: LdapSource) -> SourceError:
    with pytest.raises(SourceError) as caught, source.open():
        pass
    return caught.value


def trusting(server: SlapdServer, url: str, **settings: object) -> LdapSource:
    return ldap_source(url, ca_file=server.authority.file, **settings)


def test_plain(server: SlapdServer) -> None:
    """ldap:// on its own."""
    assert count(ldap_source(server)) == 8


def test_ldaps(server: SlapdServer) -> None:
    """ldaps:// with a certificate of the company's own authority."""
    assert count(trusting(server, server.tls_url)) == 8


def test_start_tls(server: SlapdServer) -> None:
    """ldap:// is encrypted before the password is sent: a server that wants that for a bind lets us in."""
    server.configure("cn=config", olcSecurity="simple_bind=128")
    assert "confidentialityRequired" in str(refusal(ldap_source(server)))
    assert count(trusting(server, server.url, start_tls=True)) == 8


@pytest.mark.parametrize("start_tls", [False, True])
def test_the_address_may_be_a_number(server: SlapdServer, start_tls: bool) -> None:
    """An IP address in the certificate counts, on every version of Python."""
    port = server.port if start_tls else server.tls_port
    scheme = "ldap" if start_tls else "ldaps"
    assert count(trusting(server, f"{scheme}://127.0.0.1:{port}", start_tls=start_tls)) == 8


@pytest.mark.parametrize("start_tls", [False, True])
def test_an_unknown_authority_is_refused(server: SlapdServer, tmp_path: Path, start_tls: bool) -> None:
    """Neither the system's certificates nor another authority's will do."""
    url = server.url if start_tls else server.tls_url
    other = make_authority(tmp_path).file
    for settings in ({}, {"ca_file": other}):
        error = refusal(ldap_source(url, start_tls=start_tls, **settings))
        assert isinstance(error, SourceUnavailableError)
        assert "CERTIFICATE_VERIFY_FAILED" in str(error)


@pytest.mark.parametrize("start_tls", [False, True])
def test_a_wrong_host_name_is_refused(make_slapd: MakeSlapd, start_tls: bool) -> None:
    """The authority is right, the certificate is somebody else's."""
    server = make_slapd(company(1), names=["dc9.example.com"])
    url = server.url if start_tls else server.tls_url
    error = refusal(trusting(server, url, start_tls=start_tls))
    assert isinstance(error, SourceUnavailableError)
    assert "not valid for 'localhost'" in str(error)


@pytest.mark.parametrize("start_tls", [False, True])
def test_an_expired_certificate_is_refused(make_slapd: MakeSlapd, start_tls: bool) -> None:
    """A day late is late."""
    server = make_slapd(company(1), until=timedelta(days=-1))
    url = server.url if start_tls else server.tls_url
    error = refusal(trusting(server, url, start_tls=start_tls))
    assert isinstance(error, SourceUnavailableError)
    assert "certificate has expired" in str(error)


def test_a_ca_file_without_certificates_is_told(server: SlapdServer, tmp_path: Path) -> None:
    """It is the config's fault and said so."""
    empty = tmp_path / "ca.pem"
    empty.write_text("nothing")
    error = refusal(ldap_source(server.tls_url, ca_file=empty))
    assert "ca_file cannot be used" in str(error)
    assert "source.ad.ca_file" in str(error.hint)


def test_without_tls_nothing_is_sent(make_slapd: MakeSlapd) -> None:
    """start_tls and a server that cannot do it: no password goes over the line."""
    server = make_slapd(company(1))
    server.stop()
    config = next((server.home / "config").glob("cn=config.ldif"))
    kept = [
        line
        for line in config.read_text().replace("\n ", "").splitlines()  # a long path is folded (RFC 2849)
        if not line.startswith(("olcTLS", "# CRC32", "# AUTO"))
    ]
    config.write_text("\n".join(kept) + "\n")
    server.start()
    assert count(ldap_source(server)) == 1
    with run_proxy(server.port) as proxy:
        error = refusal(ldap_source(proxy.url, start_tls=True))
        assert isinstance(error, SourceUnavailableError)
        assert proxy.binds == 0


def test_anonymous_only_where_no_account_is_named(server: SlapdServer) -> None:
    """Neither bind_dn nor bind_password: the server is asked for nothing else."""
    assert count(ldap_source(server, **ACCOUNT)) == 8
    server.configure("cn=config", olcDisallows="bind_anon")
    assert isinstance(refusal(ldap_source(server, **ACCOUNT)), SourceUnavailableError)


@pytest.mark.parametrize(
    "account",
    [
        {"bind_dn": READER, "bind_password": None},
        {"bind_dn": None, "bind_password": PASSWORD},
        {"bind_dn": READER, "bind_password": ""},
    ],
)
def test_half_an_account_is_no_config(account: dict[str, object]) -> None:
    """A name with an empty password would be an anonymous read that looks like a bind."""
    with pytest.raises(ValidationError, match="go together"):
        ldap_source("ldap://localhost", **account)


def test_an_empty_password_is_never_sent(server: SlapdServer) -> None:
    """Most servers would call that bind a success, and let us read as nobody (RFC 4513, 5.1.2)."""
    with run_proxy(server.port) as proxy:
        (address,) = addresses(
            proxy.url.replace("localhost", "127.0.0.1"),
            start_tls=False,
            tls=ssl.create_default_context(),
            connect_timeout=3,
            receive_timeout=3,
        )
        with connect(address) as wire, pytest.raises(ValueError, match="binds nobody"):
            wire.bind(READER, "")
        assert proxy.binds == 0


def test_a_name_that_the_server_takes_for_nobody_is_refused(server: SlapdServer) -> None:
    """Whatever stands in between and binds anonymously: "Who am I?" is asked before anything is read."""
    with run_proxy(server.port) as proxy:
        proxy.binds_nobody = True
        error = refusal(ldap_source(proxy.url))
    assert "as nobody, although bind_dn is set" in str(error)


def test_a_wrong_password_is_tried_once(server: SlapdServer, make_slapd: MakeSlapd) -> None:
    """Every further server would count it too, and lock the account. It is in no text."""
    with run_proxy(server.port) as first, run_proxy(server.port) as second:
        source = ldap_source("x", url=[first.url, second.url], bind_password="not-this-one")
        error = refusal(source)
        assert isinstance(error, SourceUnavailableError)
        assert "refuses the bind: invalidCredentials (49)" in str(error)
        assert (first.connections, second.connections) == (1, 0)
    assert "not-this-one" not in f"{error} {error!r} {error.hint} {source!r}"


def test_the_first_server_that_answers_is_taken(server: SlapdServer) -> None:
    """One that refuses connections and one whose certificate is bad are passed over."""
    urls = [f"ldap://localhost:{free_port()}", f"ldaps://localhost:{server.tls_port}", server.url]
    assert count(ldap_source("x", url=urls)) == 8


def test_one_server_serves_a_whole_read(server: SlapdServer, make_slapd: MakeSlapd) -> None:
    """All queries and all second looks go over one connection; the next read may go elsewhere."""
    other = make_slapd(company(3))
    with run_proxy(server.port) as proxy:
        source = ldap_source("x", url=[proxy.url, other.url])
        with source.open() as session:
            assert len(list(session.read("departments", PEOPLE))) == 5
            assert len(list(session.read("members", PEOPLE))) == 8
            assert proxy.connections == 1
            server.stop()
            with pytest.raises(SourceUnavailableError):
                list(session.read("members", PEOPLE))
        assert count(source) == 3


def test_where_none_answers_each_reason_is_told(server: SlapdServer) -> None:
    """By its address, in the order of the config."""
    nobody = f"ldap://localhost:{free_port()}"
    error = refusal(ldap_source("x", url=[nobody, server.tls_url]))
    assert isinstance(error, SourceUnavailableError)
    assert str(error).index(nobody) < str(error).index(server.tls_url)
    assert "refused" in str(error)
    assert "CERTIFICATE_VERIFY_FAILED" in str(error)


@pytest.mark.parametrize("scheme", ["ldap", "ldaps"])
def test_a_server_that_says_nothing_is_given_up(scheme: str) -> None:
    """Within the time of the config, in the TLS handshake as well."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"{scheme}://localhost:{silent.getsockname()[1]}"
        began = time.monotonic()
        error = refusal(ldap_source(url, receive_timeout=1))
    assert isinstance(error, SourceUnavailableError)
    assert "timed out" in str(error)
    assert time.monotonic() - began < 3


def test_what_speaks_no_ldap_is_no_server() -> None:
    """Garbage is a line that broke, whatever it makes of the library."""
    for said in (
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x30\x03\x02\x01\x01",
        b"\x30\x84\xff\xff\xff\xff",
        b"\xff",
    ):
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def answer(listener: socket.socket = listener, said: bytes = said) -> None:
                client, _ = listener.accept()
                with client:
                    client.recv(4096)
                    client.sendall(said)

            thread = threading.Thread(target=answer, daemon=True)
            thread.start()
            error = refusal(ldap_source(f"ldap://localhost:{listener.getsockname()[1]}"))
            thread.join(5)
        assert isinstance(error, SourceUnavailableError), said


@pytest.mark.parametrize("base", ["ou=Compny,dc=example,dc=com", "ou=Company,dc=example,dc=net", "not a dn"])
def test_a_base_that_is_not_there_is_an_error(server: SlapdServer, base: str) -> None:
    """Never an empty company."""
    error = refusal(ldap_source(server, base_dn=base))
    assert "base" in str(error)
    assert "source.ad.base_dn" in str(error.hint) or "[source.ad]" in str(error.hint)


@pytest.mark.parametrize(
    ("filter_", "told"),
    [
        ("(objectClass=inetOrgPerson", "is not a filter"),
        ("objectClass=*)(", "is not a filter"),
        ("(&(objectClass=inetOrgPerson)(emploeeNumber=*))", 'asks for "emploeeNumber"'),
        ("(|(uid=a)(memberof:1.2.840.113556.1.4.1941:=cn=x))", 'asks for "memberof"'),
    ],
)
def test_a_filter_that_can_find_nobody_is_an_error(server: SlapdServer, filter_: str, told: str) -> None:
    """No server says a word about an attribute that it does not know; the schema does."""
    for key in ("members", "departments", "groups"):
        error = refusal(ldap_source(server, **{key: filter_}))
        assert told in str(error)
        assert error.hint == f"correct source.ad.{key}"


def test_a_value_in_a_filter_is_no_attribute(server: SlapdServer) -> None:
    """Escaped parentheses and options are understood."""
    filter_ = r"(&(objectClass=inetOrgPerson)(!(cn=\28nobody=x\29))(cn;lang-de:caseExactMatch:=*))"
    with ldap_source(server, members=filter_).open() as session:
        assert list(session.read("members", PEOPLE)) == []


def test_a_server_that_hides_its_schema_is_told(server: SlapdServer) -> None:
    """Without it a mistyped attribute would be empty on everybody."""
    server.configure("olcDatabase={-1}frontend,cn=config", olcAccess='to dn.base="cn=Subschema" by * none')
    error = refusal(ldap_source(server))
    assert "does not show its schema" in str(error)
