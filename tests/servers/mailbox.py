"""A mail server of aiosmtpd on a real socket, with what it took; and a receiver of HTTP posts."""

from __future__ import annotations

import asyncio
import email
import email.policy
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from ssl import SSLContext
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

REFUSED = "550 no such mailbox"


@dataclass
class Mailbox:
    """What a mail server does, and what came."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)
    """Recipients whom it does not know."""
    answer: str = "250 taken"
    """To the mail itself; empty: the line breaks before any."""
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd calls it by this name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.unknown:
            return REFUSED
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        if not self.answer or self.answer.startswith("250"):
            message = email.message_from_bytes(content, policy=email.policy.default)
            assert isinstance(message, EmailMessage)
            self.mails.append(message)
            self.recipients.append(list(envelope.rcpt_tos))
        if not self.answer:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return self.answer or "250 too late"

    def login(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == b"right", handled=False)


class Placed(Controller):
    """On a port that the kernel chooses."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def mail_server(
    *, starttls: SSLContext | None = None, tls: SSLContext | None = None, with_login: bool = False
) -> Iterator[Mailbox]:
    """A server on this machine that takes mail for anybody; encrypted where there is a context."""
    box = Mailbox()
    controller = Placed(
        box,
        hostname="127.0.0.1",
        port=0,
        ssl_context=tls,
        tls_context=starttls,
        require_starttls=starttls is not None,
        authenticator=box.login if with_login else None,
        auth_required=with_login,
        auth_require_tls=False,
    )
    controller.start()
    try:
        box.port = controller.port
        yield box
    finally:
        controller.stop()


@dataclass
class Receiver:
    """An HTTP receiver: how it answers, and what came."""

    url: str = ""
    status: int = 200
    hangs_up: bool = False
    posts: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def http_receiver() -> Iterator[Receiver]:
    """A receiver of posts on this machine."""
    receiver = Receiver()

    class Taking(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.posts.append((dict(self.headers), body))
            if not receiver.hangs_up:
                self.send_response(receiver.status)
                self.end_headers()

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Taking) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        receiver.url = f"http://127.0.0.1:{server.server_address[1]}/hook?token=t0ken"
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
