"""A callback receiver that reads WeCom's pages its own way, with nothing but hashlib and AES."""

from __future__ import annotations

import base64
import hashlib
import xml.etree.ElementTree as ET
from collections.abc import Callable

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from wxsync.sandbox.receivers import Receiver

TOKEN = "QDG6eK"
AES_KEY = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"


class Ear:
    """One receiver; it keeps every event that it hears, and answers as `answers` says, then 200."""

    def __init__(self, corp_id: str, *, path: str = "/callback/acme") -> None:
        self.corp_id = corp_id
        self.heard: list[str] = []
        """The events in the clear, each time that they came."""
        self.requests: list[tuple[str, bytes]] = []
        """Query and body of every POST."""
        self.agents: list[str | None] = []
        self.answers: list[int | Callable[[], Response]] = []
        self.echoes = True
        self.app = Starlette(
            routes=[Route(path, self.verify, methods=["GET"]), Route(path, self.hear, methods=["POST"])]
        )

    def receiver(self, path: str = "/callback/acme") -> Receiver:
        return Receiver(url=f"https://receiver.invalid{path}", token=TOKEN, encoding_aes_key=AES_KEY)

    async def verify(self, request: Request) -> Response:
        plain = self.opened(request, request.query_params["echostr"])
        return Response(plain if self.echoes else plain + "\n")

    async def hear(self, request: Request) -> Response:
        body = await request.body()
        envelope = ET.fromstring(body)
        self.requests.append((str(request.url.query), body))
        self.agents.append(envelope.findtext("AgentID"))
        assert envelope.findtext("ToUserName") == self.corp_id
        self.heard.append(self.opened(request, envelope.findtext("Encrypt") or ""))
        answer = self.answers.pop(0) if self.answers else 200
        return Response("", answer) if isinstance(answer, int) else answer()

    def opened(self, request: Request, encrypt: str) -> str:
        """The message, where the signature and the corp are right."""
        query = request.query_params
        parts = sorted((TOKEN, query["timestamp"], query["nonce"], encrypt))
        assert hashlib.sha1("".join(parts).encode()).hexdigest() == query["msg_signature"]
        key = base64.b64decode(AES_KEY + "=")
        decryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
        plain = decryptor.update(base64.b64decode(encrypt)) + decryptor.finalize()
        plain = plain[16 : -plain[-1]]
        end = 4 + int.from_bytes(plain[:4], "big")
        assert plain[end:].decode() == self.corp_id
        return plain[4:end].decode()

    def events(self) -> list[dict[str, str]]:
        """What was heard: for each event its elements, those of the header left out but the kind."""
        return [flat(xml) for xml in self.heard]


def flat(xml: str) -> dict[str, str]:
    """The innermost elements of an event by name, without the header."""
    elements = {element.tag: element.text or "" for element in ET.fromstring(xml).iter() if not len(element)}
    header = ("ToUserName", "FromUserName", "CreateTime", "MsgType", "Event")
    return {name: text for name, text in elements.items() if name not in header}
