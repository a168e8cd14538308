"""WeCom's side of callbacks: requests signed and encrypted as its own, and a config that takes them."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field
from typing import Any

import httpx
from starlette.applications import Starlette

from wxsync.config.settings import Settings
from wxsync.mirror.store import Store
from wxsync.service.callback_ips import CallbackIps
from wxsync.service.callbacks import callback_routes
from wxsync.service.letterbox import Letterbox
from wxsync.wecom.crypto import CallbackCrypto, build_envelope

CORP_ID = "ww0123456789abcdef"
KEYS = {"token": "tokenA", "encoding_aes_key": "a" * 43}
FORMER = {"token": "tokenB", "encoding_aes_key": "b" * 43}
APP_KEYS = {"token": "tokenC", "encoding_aes_key": "c" * 43}
OTHER = {"token": "tokenD", "encoding_aes_key": "d" * 43}
COUNTER = itertools.count(1)


def settings(**changes: Any) -> Settings:
    """A config with one corp that has both receivers; `changes` are to the first."""
    return Settings.model_validate(
        {
            "mirror": {"url": "sqlite:////nowhere/mirror.db"},
            "service": changes.pop("service", {}),
            "corp": {
                "acme": {
                    "corp_id": CORP_ID,
                    "contact_secret": "s1",
                    "callback": {**KEYS, "former": (FORMER,), **changes},
                    "app": {"agent_id": 7, "secret": "s2", "callback": APP_KEYS},
                },
                "bare": {"corp_id": "ww2", "contact_secret": "s3"},
            },
        }
    )


def app(
    store: Store,
    config: Settings | None = None,
    *,
    ips: CallbackIps | None = None,
    arrived: Any = lambda corp: None,
    answered: Any = lambda corp, receiver, status: None,
) -> Starlette:
    """The routes as the daemon serves them."""
    current = config or settings()
    routes = callback_routes(lambda: current, Letterbox(store, arrived), ips=ips, answered=answered)
    return Starlette(routes=routes)


@dataclass(frozen=True, kw_only=True)
class Sender:
    """One that knows a pair of keys, as WeCom does."""

    keys: dict[str, str] = field(default_factory=lambda: KEYS)
    corp_id: str = CORP_ID

    @property
    def crypto(self) -> CallbackCrypto:
        return CallbackCrypto(self.keys["token"], self.keys["encoding_aes_key"], self.corp_id)

    def signed(self, message: bytes, at: float | None = None) -> tuple[dict[str, str], str]:
        """The query, and the encrypted message."""
        timestamp, nonce = str(int(time.time() if at is None else at)), str(next(COUNTER))
        encrypt, signature = self.crypto.encrypt(message, timestamp, nonce)
        return {"msg_signature": signature, "timestamp": timestamp, "nonce": nonce}, encrypt

    def post(self, message: bytes, path: str = "/callback/acme", at: float | None = None) -> httpx.Request:
        """An event."""
        query, encrypt = self.signed(message, at)
        body = build_envelope(encrypt, to_user_name=self.corp_id)
        return httpx.Request("POST", f"http://wxsync.test{path}", params=query, content=body)

    def get(self, message: bytes, path: str = "/callback/acme") -> httpx.Request:
        """The question whether the address is right."""
        query, encrypt = self.signed(message)
        return httpx.Request("GET", f"http://wxsync.test{path}", params={**query, "echostr": encrypt})


def client(served: Starlette, address: str = "203.0.113.9") -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(served, client=(address, 1234)))


def change_xml(change: str, **elements: object) -> bytes:
    """An event of a contact change."""
    said = "".join(f"<{name}><![CDATA[{value}]]></{name}>" for name, value in elements.items())
    at = elements.pop("CreateTime", int(time.time()))
    return (
        f"<xml><ToUserName><![CDATA[{CORP_ID}]]></ToUserName><FromUserName><![CDATA[sys]]></FromUserName>"
        f"<CreateTime>{at}</CreateTime><MsgType><![CDATA[event]]></MsgType>"
        f"<Event><![CDATA[change_contact]]></Event><ChangeType>{change}</ChangeType>{said}</xml>"
    ).encode()
