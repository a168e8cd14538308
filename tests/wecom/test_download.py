from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from tests.wecom.line import BASE, CORP, SECRET, Line
from wxsync.errors import WeComError, WeComTransportError
from wxsync.wecom.client import open_transport
from wxsync.wecom.download import LARGEST

CONTENT = bytes(range(256)) * 40
SIZE = len(CONTENT)
URL = f"{BASE}/cgi-bin/file?signature=url-secret"


class Cut(httpx.AsyncByteStream):
    """A body that breaks off."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content
        raise httpx.ReadError("reset")


def first(count: int):
    return lambda request: httpx.Response(200, stream=Cut(CONTENT[:count]))


def rest(until: int | None = None, *, cut: bool = False):
    """What a server that knows Range answers, up to a byte."""

    def reply(request: httpx.Request) -> httpx.Response:
        start = int(request.headers["range"].removeprefix("bytes=").removesuffix("-"))
        body = CONTENT[start:until]
        headers = {"Content-Range": f"bytes {start}-{start + len(body) - 1}/{len(CONTENT)}"}
        return httpx.Response(206, headers=headers, stream=Cut(body) if cut else httpx.ByteStream(body))

    return reply


def download(line: Line, url=URL, size=SIZE):
    return line.ask(lambda transport: transport.download(url, size=size))


def ranges(line: Line) -> list[str | None]:
    return [request.headers.get("range") for request in line.requests["file"]]


def test_a_file_in_one_go():
    """Without a token, which the place of the file must never see."""
    line = Line().script("file", httpx.Response(200, content=CONTENT))
    assert download(line) == CONTENT
    assert "gettoken" not in line.requests
    request = line.requests["file"][0]
    assert "access_token" not in str(request.url)
    assert request.headers["accept-encoding"] == "identity"
    assert ranges(line) == [None]


def test_a_broken_line_is_gone_on_with():
    """By Range, from the byte after the last one that came, as often as it must be."""
    line = Line().script("file", first(100), rest(200, cut=True), rest(3000, cut=True), rest())
    assert download(line) == CONTENT
    assert ranges(line) == [None, "bytes=100-", "bytes=200-", "bytes=3000-"]


def test_a_server_without_range_starts_again():
    """The whole file from the start, and what came before is dropped."""
    line = Line().script("file", first(100), httpx.Response(200, content=CONTENT))
    assert download(line) == CONTENT


def test_another_part_than_was_asked_for_is_not_joined():
    """A 206 of other bytes, or a Range that is refused, starts the file again."""
    wrong = {"Content-Range": f"bytes 0-99/{len(CONTENT)}"}
    for reply in (httpx.Response(206, headers=wrong, content=CONTENT[:100]), httpx.Response(416)):
        line = Line().script("file", first(100), reply, httpx.Response(200, content=CONTENT))
        assert download(line) == CONTENT
        assert ranges(line) == [None, "bytes=100-", None]


def test_a_line_that_carries_nothing_is_given_up():
    """Three repeats; a megabyte in between starts them anew."""
    line = Line().script("file", httpx.ConnectError("refused"))
    with pytest.raises(WeComTransportError):
        download(line)
    assert line.count("file") == 4


def test_progress_renews_patience():
    """Many breaks on a long way are no reason to give up, where each one carried something."""
    content = bytes(8 * 2**20)

    def part(request: httpx.Request) -> httpx.Response:
        start = int(request.headers.get("range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        end = min(start + 2**20, len(content))
        headers = {"Content-Range": f"bytes {start}-{end - 1}/{len(content)}"}
        return httpx.Response(206 if start else 200, headers=headers, stream=Cut(content[start:end]))

    line = Line().script("file", part)
    assert len(download(line, size=len(content))) == len(content)
    assert line.count("file") == 8


@pytest.mark.parametrize("status", [302, 403, 404])
def test_a_refusal_is_not_repeated(status):
    """An address that has run out stays so; a redirect is not followed."""
    line = Line().script("file", httpx.Response(status, headers={"Location": "https://elsewhere.test/"}))
    with pytest.raises(WeComTransportError, match=f"HTTP status {status}"):
        download(line)
    assert line.count("file") == 1


def test_a_server_that_is_not_well_is_asked_again():
    """502, then the file."""
    line = Line().script("file", httpx.Response(502), httpx.Response(200, content=CONTENT))
    assert download(line) == CONTENT


def test_more_bytes_than_were_said_are_refused():
    """What never ends does not fill the memory."""
    line = Line().script("file", httpx.Response(200, content=CONTENT))
    with pytest.raises(WeComError, match="more bytes than WeCom said"):
        download(line, size=100)


@pytest.mark.parametrize("size", [0, -1, LARGEST + 1, 2**62])
def test_a_size_out_of_bounds_is_not_tried(size):
    """Half a gigabyte at most, since it is held in memory."""
    line = Line()
    with pytest.raises(WeComError, match="no size that is downloaded"):
        download(line, size=size)
    assert line.requests == {}


@pytest.mark.parametrize(
    "url",
    [
        "http://elsewhere.test/file",
        "https://user:pw@elsewhere.test/file",
        "file:///etc/passwd",
        "ftp://wecom.test/file",
        "/cgi-bin/file",
        "https://",
        "http://wecom.test/cgi-bin/file",
        "https://[::1/file",
        "https://elsewhere.test/\x00",
        "https://" + "x" * 70_000,
        "",
    ],
)
def test_an_address_is_https_or_base_urls(url):
    """Nobody else is called in the clear, whatever an answer says."""
    line = Line()
    with pytest.raises(WeComError, match="the address of the file"):
        download(line, url)
    assert line.requests == {}


def test_any_host_by_https():
    """WeCom keeps its files elsewhere than its API."""
    line = Line().script("/file", httpx.Response(200, content=CONTENT))
    assert download(line, "https://elsewhere.test/file") == CONTENT


def test_the_address_is_in_no_error_and_no_log(caplog):
    """Whoever has it has the file."""
    caplog.set_level(logging.DEBUG)
    line = Line().script("file", first(100), httpx.ReadError(f"reset {URL}"), httpx.Response(404))
    with pytest.raises(WeComTransportError) as caught:
        download(line)
    assert (
        "url-secret" not in f"{caught.value!r} {caught.value.hint} {caught.value.__context__!r} {caplog.text}"
    )


@asynccontextmanager
async def breaking_server(cut_at: int, heads: list[bytes]):
    """A real server on loopback that closes the connection in the middle of the file, once."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        heads.append(head)
        if b"range:" in head.lower():
            body = CONTENT[cut_at:]
            lines = [
                b"HTTP/1.1 206 Partial Content",
                b"Content-Range: bytes %d-%d/%d" % (cut_at, len(CONTENT) - 1, len(CONTENT)),
            ]
            sent = body
        else:
            body, sent, lines = CONTENT, CONTENT[:cut_at], [b"HTTP/1.1 200 OK"]
        lines += [b"Content-Length: %d" % len(body), b"Connection: close", b"", b""]
        writer.write(b"\r\n".join(lines) + sent)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def test_a_connection_that_really_breaks():
    """Over sockets: the server hangs up after 5,000 bytes, and the rest comes by Range."""
    heads: list[bytes] = []

    async def story() -> bytes:
        async with (
            breaking_server(5000, heads) as base,
            open_transport(corp_id=CORP, secret=SECRET, base_url=base) as transport,
        ):
            return await transport.download(f"{base}/file", size=len(CONTENT))

    assert asyncio.run(story()) == CONTENT
    assert len(heads) == 2
    assert b"range: bytes=5000-" in heads[1].lower()
