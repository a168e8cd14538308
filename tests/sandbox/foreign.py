"""wechatpy at a sandbox: not a line of its client is changed, only where its connections lead."""

from __future__ import annotations

import importlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter, HTTPAdapter

from wxsync.sandbox.receivers import Receiver
from wxsync.sandbox.state import SandboxState

# By name, for wechatpy has no types.
work: Any = importlib.import_module("wechatpy.work")
exceptions: Any = importlib.import_module("wechatpy.exceptions")

WECOM = "https://qyapi.weixin.qq.com"
Client = Callable[[str], Any]
"""The client that has this secret."""


class Rerouted(BaseAdapter):
    """What is meant for WeCom goes to the sandbox.

    The client has a base URL that may be set, but its gettoken goes to WeCom all the same.
    """

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self._base_url = base_url
        self._adapter = HTTPAdapter()

    def send(self, request: PreparedRequest, *args: Any, **options: Any) -> Response:
        assert request.url is not None
        request.url = request.url.replace(WECOM, self._base_url, 1)
        return self._adapter.send(request, *args, **options)

    def close(self) -> None:
        self._adapter.close()


@contextmanager
def clients(state: SandboxState, base_url: str) -> Iterator[Client]:
    """Gives a client for each secret; all are closed at the end."""
    opened: list[Any] = []

    def client(secret: str) -> Any:
        made = work.WeChatClient(state.corp_id, secret)
        made._http.trust_env = False
        made._http.mount(WECOM, Rerouted(base_url))
        opened.append(made)
        return made

    yield client
    for made in opened:
        made._http.close()


@contextmanager
def refused(errcode: int | None) -> Iterator[None]:
    """The block ends in wechatpy's own exception with this errcode; None: with no answer of WeCom's."""
    with pytest.raises(exceptions.WeChatClientException) as caught:
        yield
    assert caught.value.errcode == errcode


class Ear:
    """An address for callbacks that knows them by wechatpy alone."""

    token = "wechatpyReceiver1"
    encoding_aes_key = "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR"

    def __init__(self, corp_id: str) -> None:
        crypto: Any = importlib.import_module("wechatpy.work.crypto")
        self.crypto = crypto.WeChatCrypto(self.token, self.encoding_aes_key, corp_id)
        self.url = ""
        self.echoes: list[str] = []
        """What the sandbox had it echo to verify the address."""
        self.xmls: list[str] = []
        """The events in the clear."""
        self.refused: list[str] = []
        """Requests that wechatpy did not take."""

    @property
    def receiver(self) -> Receiver:
        """As it is saved in the console."""
        return Receiver(url=self.url, token=self.token, encoding_aes_key=self.encoding_aes_key)

    @property
    def events(self) -> list[Any]:
        """The events as wechatpy understands them."""
        return [work.parse_message(xml) for xml in self.xmls]

    def wait(self, count: int) -> list[Any]:
        """The first so many events, once they are there."""
        wait_for(lambda: len(self.xmls) >= count or self.refused)
        assert self.refused == []
        return self.events

    def hear(self, method: str, query: dict[str, str], body: bytes) -> tuple[int, str]:
        """The answer to one request."""
        signed = (query["msg_signature"], query["timestamp"], query["nonce"])
        try:
            if method == "GET":
                self.echoes.append(self.crypto.check_signature(*signed, query["echostr"]))
                return 200, self.echoes[-1]
            self.xmls.append(self.crypto.decrypt_message(body.decode(), *signed))
        except exceptions.WeChatException as error:
            self.refused.append(repr(error))
            return 403, ""
        return 200, ""


@contextmanager
def listening_ear(corp_id: str) -> Iterator[Ear]:
    """A receiver on a port of its own."""
    heard = Ear(corp_id)

    class Answers(BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            query = dict(parse_qsl(urlsplit(self.path).query))
            status, text = heard.hear(self.command, query, self.rfile.read(length))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        def __getattr__(self, name: str) -> Any:
            if name in ("do_GET", "do_POST"):
                return self.answer
            raise AttributeError(name)

        def log_message(self, *facts: object) -> None:
            """Nothing is printed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        heard.url = f"http://127.0.0.1:{server.server_port}/callback"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield heard
        finally:
            server.shutdown()
            thread.join()


def wait_for(condition: Callable[[], object], seconds: float = 20) -> None:
    """Until it holds; a failure where it never does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.02)
