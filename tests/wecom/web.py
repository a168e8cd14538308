"""Servers on real sockets that stand where WeCom should: with their own certificate, clock, and manners."""

from __future__ import annotations

import datetime as dt
import http.client
import http.server
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

REFUSAL = {
    "errcode": 41001,
    "errmsg": "access_token missing, hint: [1700000000000000000000], from ip: 203.0.113.9, more info at …",
}
INSPECTOR = "Inspection Box 7"
OTHER_ADDRESS = "127.0.0.2"


class Quiet(http.server.BaseHTTPRequestHandler):
    """Answers every GET as WeCom answers a call without a token."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self.answer(200, json.dumps(REFUSAL).encode())

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)


class Tolerant(http.server.ThreadingHTTPServer):
    """A client that does not trust it hangs up, which is nothing to print."""

    def handle_error(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(
    handler: type[http.server.BaseHTTPRequestHandler] = Quiet, context: ssl.SSLContext | None = None
) -> Iterator[str]:
    """The URL of a server that answers with `handler`, over TLS where there is a context."""
    with Tolerant(("127.0.0.1", 0), handler) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"{'https' if context else 'http'}://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def off_by(seconds: float) -> type[Quiet]:
    """A server whose clock is ahead by so many seconds."""

    class Off(Quiet):
        def date_time_string(self, timestamp: float | None = None) -> str:
            now = dt.datetime.now(dt.UTC).timestamp() if timestamp is None else timestamp
            return super().date_time_string(now + seconds)

    return Off


def saying(status: int, body: bytes) -> type[Quiet]:
    """A server that is not WeCom."""

    class Other(Quiet):
        def do_GET(self) -> None:
            self.answer(status, body)

    return Other


class Leaving(Quiet):
    """A server that closes the connection after each answer, and does not say so."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        self.close_connection = True


class Tunnelling(Quiet):
    """A proxy that connects its clients with anybody on this machine, and lets them speak."""

    def do_CONNECT(self) -> None:
        port = int(self.path.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), source_address=(OTHER_ADDRESS, 0)) as far:
            self.send_response(200)
            self.end_headers()
            back = threading.Thread(target=_carry, args=(far, self.connection), daemon=True)
            back.start()
            _carry(self.connection, far)
            far.shutdown(socket.SHUT_RDWR)
            back.join()
        self.close_connection = True


def _carry(here: socket.socket, there: socket.socket) -> None:
    with suppress(OSError):
        while part := here.recv(65536):
            there.sendall(part)


class Forwarding(Quiet):
    """A proxy whose own calls come from another address of the loopback network."""

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        line = http.client.HTTPConnection(
            asked.hostname or "", asked.port, timeout=10, source_address=(OTHER_ADDRESS, 0)
        )
        line.request("GET", f"{asked.path}?{asked.query}", headers={"Host": asked.netloc})
        came = line.getresponse()
        self.answer(came.status, came.read())
        line.close()

    def do_POST(self) -> None:
        asked = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        line = http.client.HTTPConnection(
            asked.hostname or "", asked.port, timeout=10, source_address=(OTHER_ADDRESS, 0)
        )
        line.request("POST", f"{asked.path}?{asked.query}", body, {"Host": asked.netloc})
        came = line.getresponse()
        self.answer(came.status, came.read())
        line.close()


@contextmanager
def silence() -> Iterator[str]:
    """A place that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def certificate(home: Path, *, days: int = 30, host: str = "127.0.0.1") -> tuple[ssl.SSLContext, Path]:
    """A certificate that nobody but its own maker trusts, for a server, and its file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, INSPECTOR),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example Network"),
        ]
    )
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=60))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([_alternative(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = home / "server.pem", home / "server.key"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return context, public


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
