from __future__ import annotations

import email.message
import email.parser
import email.policy
from datetime import UTC, datetime

import httpx
import pytest

from tests.wecom.line import Line, errcode, ok
from wxsync.errors import FieldError, UnsendableError, WeComError
from wxsync.wecom.media import LARGEST, Media
from wxsync.wecom.multipart import Upload, to_multipart
from wxsync.wecom.wire.media import MediaType, StoredMedia

CSV = "姓名,帐号\r\n张三,zhang\r\n".encode()
KEPT = ok("", type="file", media_id="3a8", created_at="1780000000")


def upload(line: Line, kind=MediaType.FILE, filename="users.csv", content=CSV):
    return line.ask(lambda transport: Media(transport).upload(kind, filename, content))


def part_of(request: httpx.Request) -> email.message.MIMEPart:
    """The only part of a multipart body, as a parser of others reads it."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + request.content)
    [part] = message.iter_parts()
    return part


def test_a_file_is_left_with_wecom():
    """One part named media, with the file as it is; what comes back is its id and when it came."""
    line = Line().script("media/upload", KEPT)
    assert upload(line) == StoredMedia(media_id="3a8", created_at=datetime.fromtimestamp(1780000000, UTC))
    request = line.requests["media/upload"][0]
    part = part_of(request)
    assert (request.method, request.url.params["type"]) == ("POST", "file")
    assert part.get_param("name", header="content-disposition") == "media"
    assert part.get_param("filename", header="content-disposition") == "users.csv"
    assert part.get_param("filelength", header="content-disposition") == str(len(CSV))
    assert part.get_content_type() == "application/octet-stream"
    assert part.get_payload(decode=True) == CSV


def test_a_name_is_plain_utf8():
    """People see the name, and the encoded form of RFC 2231 is misread."""
    line = Line().script("media/upload", KEPT)
    upload(line, filename="入职 须知.pdf")
    head = line.requests["media/upload"][0].content.split(b"\r\n\r\n")[0]
    assert 'filename="入职 须知.pdf"'.encode() in head
    assert b"filename*" not in head


def test_any_bytes_arrive_as_they_are():
    """Line breaks, dashes and what looks like a boundary are content."""
    content = bytes(range(256)) * 4 + b"\r\n--wxsync-\r\n\r\n"
    line = Line().script("media/upload", KEPT)
    upload(line, content=content)
    assert line.requests["media/upload"][0].content.count(content) == 1
    boundary = line.requests["media/upload"][0].headers["content-type"].partition("boundary=")[2]
    assert boundary.encode() not in content


def test_no_two_boundaries_are_alike():
    """Nobody can prepare a file that ends its own part."""
    file = Upload(filename="a", content=b"123456")
    assert to_multipart(file)[0] != to_multipart(file)[0]


@pytest.mark.parametrize("name", ["", 'a".csv', "a\r\nb", "a/b", "a\\b", "..", " a", "工" * 86])
def test_a_name_that_breaks_out_is_not_sent(name):
    """Quotes and line breaks would be read as headers, slashes as a path."""
    line = Line()
    with pytest.raises(UnsendableError, match="filename: is over 255"):
        upload(line, filename=name)
    with pytest.raises(ValueError, match="filename"):
        Upload(filename=name, content=b"123456")
    assert line.requests == {}


@pytest.mark.parametrize("kind", MediaType)
def test_sizes_by_kind(kind):
    """The largest that WeCom takes goes out; a byte more, or five in all, do not."""
    name = {"image": "a.PNG", "voice": "a.amr", "video": "a.mp4", "file": "a"}[kind]
    line = Line().script("media/upload", KEPT)
    upload(line, kind, name, bytes(LARGEST[kind]))
    upload(line, kind, name, bytes(6))
    assert line.count("media/upload") == 2
    for size in (0, 5, LARGEST[kind] + 1):
        with pytest.raises(UnsendableError, match=f"content: has {size} bytes"):
            upload(line, kind, name, bytes(size))
    assert line.count("media/upload") == 2


def test_limits_are_those_of_the_document():
    """WeCom page 90253: 10 MB, 2 MB, 10 MB, 20 MB."""
    assert [LARGEST[kind] // 2**20 for kind in MediaType] == [10, 2, 10, 20]


@pytest.mark.parametrize(("kind", "name"), [("image", "a.gif"), ("voice", "a.mp3"), ("video", "a")])
def test_a_file_of_another_kind_is_not_sent(kind, name):
    """WeCom would answer 40004 after the whole of it went over the line."""
    line = Line()
    with pytest.raises(UnsendableError, match=f"is of no {kind}"):
        upload(line, MediaType(kind), name)
    assert line.requests == {}


def test_a_lost_answer_is_repeated_and_a_refusal_told():
    """A second copy harms nobody."""
    line = Line().script("media/upload", httpx.ReadTimeout("slow"), KEPT, errcode(45001))
    assert upload(line).media_id == "3a8"
    first, second = line.requests["media/upload"]
    assert first.content == second.content
    with pytest.raises(FieldError) as caught:
        upload(line)
    assert caught.value.errcode == 45001


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"media_id": "", "created_at": "1"},
        {"media_id": "m"},
        {"media_id": "m", "created_at": "soon"},
        {"media_id": "m", "created_at": 10**18},
        {"media_id": "m", "created_at": True},
    ],
)
def test_an_answer_without_its_file_is_an_error(facts):
    """A media_id that is not there, or a moment that is none."""
    line = Line().script("media/upload", ok(**facts))
    with pytest.raises(WeComError, match=r"media_id|created_at"):
        upload(line)
