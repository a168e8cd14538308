"""Files are uploaded and found again (contacts.md §7.1, events-and-messages.md §6)."""

from __future__ import annotations

import pytest

from tests.sandbox.importing import upload
from wxsync.sandbox.media import MEGABYTE, find_medium
from wxsync.sandbox.multipart import parse_multipart
from wxsync.sandbox.refusal import Refusal

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
JPG = b"\xff\xd8\xff" + bytes(100)
MP4 = bytes(4) + b"ftypisom" + bytes(100)
FRAME = b"\x3c" + bytes(31)
"""A voice frame of 20 ms at the best quality."""


def amr(frames):
    return b"#!AMR\n" + FRAME * frames


def test_an_upload_is_answered_as_documented(wecom, state, clock):
    """errmsg is empty, created_at a text; the bytes are kept as they came, line ends and all."""
    content = b"a,b\r\n1,2\r\n\r\n--\r\n\x00\xff"
    answer = upload(wecom, content, name="员工.csv")
    medium = state.media[answer.pop("media_id")]
    assert answer == {"errcode": 0, "errmsg": "", "type": "file", "created_at": str(int(clock.now))}
    assert (medium.content, medium.filename) == (content, "员工.csv")


def test_a_file_lives_three_days(wecom, state, clock):
    """A media_id is good for three days and then 40007; one of another type is 40007 at once."""
    media_id = upload(wecom, b"a,b,c,d")["media_id"]
    with pytest.raises(Refusal, match="40007"):
        find_medium(state, media_id, types=("image",))
    clock.now += 3 * 24 * 3600 - 1
    assert find_medium(state, media_id, types=("file",)).content == b"a,b,c,d"
    clock.now += 1
    with pytest.raises(Refusal, match="40007"):
        find_medium(state, media_id, types=("file",))


def test_files_that_ended_are_forgotten(wecom, state, clock):
    """The sandbox holds no file for longer than its life."""
    first = upload(wecom, b"first file")["media_id"]
    clock.now += 4 * 24 * 3600
    wecom.token = wecom.fetch_token(state.contact_secret)
    second = upload(wecom, b"second file")["media_id"]
    assert first not in state.media
    assert second in state.media


def test_a_file_of_one_app_serves_another(wecom, state):
    """An app uploads, contact sync imports: a media_id is the corp's."""
    app = wecom.fetch_token(state.apps[0].secret)
    media_id = upload(wecom, "姓名,帐号,邮箱\n林梅,lin,lin@example.com\n".encode(), token=app)["media_id"]
    assert wecom.post("batch/syncuser", {"media_id": media_id})["errcode"] == 0


@pytest.mark.parametrize(
    ("kind", "content", "errcode"),
    [
        ("file", b"123456", 0),
        ("file", b"12345", 40006),
        ("file", b"", 44001),
        ("file", bytes(20 * MEGABYTE), 0),
        ("file", bytes(20 * MEGABYTE + 1), 45001),
        ("image", PNG, 0),
        ("image", JPG, 0),
        ("image", b"GIF89a" + bytes(100), 40004),
        ("image", PNG + bytes(10 * MEGABYTE), 45001),
        ("voice", amr(3000), 0),
        ("voice", amr(3001), 45007),
        ("voice", b"RIFF" + bytes(100), 40004),
        ("voice", b"#!AMR\n" + bytes(2 * MEGABYTE), 45001),
        ("video", MP4, 0),
        ("video", bytes(100), 40004),
        ("video", MP4 + bytes(10 * MEGABYTE), 45001),
        ("csv", b"123456", 40005),
        ("", b"123456", 40005),
    ],
)
def test_each_type_has_its_size_and_kind(wecom, kind, content, errcode):
    """Sizes, kinds and the length of a voice are those of the table."""
    assert upload(wecom, content, kind=kind, name="x.bin")["errcode"] == errcode


def test_the_part_is_called_media(wecom):
    """A part of another name, a body without parts, and a field without a filename are no file."""
    params = {"access_token": wecom.token, "type": "file"}
    other = wecom.send("POST", "media/upload", params=params, files={"file": ("a.csv", b"123456")})
    bare = wecom.send("POST", "media/upload", params=params, content=b"123456")
    nameless = wecom.send("POST", "media/upload", params=params, files={"media": (None, b"123456")})
    assert [answer.json()["errcode"] for answer in (other, bare, nameless)] == [44001, 44001, 40004]


def test_an_upload_needs_a_token(wecom):
    """Without a token nothing is stored."""
    files = {"media": ("a.csv", b"123456")}
    assert wecom.send("POST", "media/upload", params={"type": "file"}, files=files).json()["errcode"] == 41001


def test_parts_are_read_as_clients_write_them():
    """A quoted boundary, filelength beside the name, a preamble, escapes; a body that was cut has no part."""
    kind = 'multipart/form-data; boundary="a b"'
    body = (
        b"preamble\r\n--a b\r\n"
        b'Content-Disposition: form-data; name="media";filename="a \\"1\\".csv"; filelength=3\r\n'
        b"Content-Type: text/csv\r\n\r\nx\r\n\r\n--a b\r\n"
        b"content-disposition: form-data; name=other\r\n\r\ny\r\n--a b--\r\n"
    )
    media, other = parse_multipart(kind, body)
    assert (media.name, media.filename, media.content) == ("media", 'a "1".csv', b"x\r\n")
    assert (other.name, other.filename, other.content) == ("other", "", b"y")
    assert parse_multipart(kind, body[:100]) == ()
    assert parse_multipart("application/json", body) == ()
