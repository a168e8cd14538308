from __future__ import annotations

import base64
import hashlib
import json
import logging
import traceback
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from wxsync.errors import CallbackRejectedError, ConfigError, WeComError
from wxsync.wecom.crypto import (
    CallbackCrypto,
    build_envelope,
    decrypt_export,
    encrypt_export,
    parse_xml,
    read_envelope,
)

VECTORS = {
    vector["id"]: vector
    for vector in json.loads(
        (Path(__file__).parents[1] / "data" / "callback-vectors.json").read_text("utf-8")
    )
}
NAMES = sorted(VECTORS)
RAW_KEY = bytes(range(32))
KEY = base64.b64encode(RAW_KEY).decode().rstrip("=").replace("+", "a").replace("/", "b")
CORP = "ww0123456789abcdef"
XXE = b'<!DOCTYPE xml [<!ENTITY x SYSTEM "file:///etc/hostname">]>'


def crypto_of(vector, **other) -> CallbackCrypto:
    own = {name: vector[name] for name in ("token", "encoding_aes_key")} | {"receive_id": vector["receiveid"]}
    return CallbackCrypto(**(own | other))


def decrypt(vector, crypto=None, **other) -> bytes:
    sent = {name: vector[name] for name in ("msg_signature", "timestamp", "nonce", "encrypt")} | other
    return (crypto or crypto_of(vector)).decrypt(**sent)


def own() -> CallbackCrypto:
    return CallbackCrypto("Token1", KEY, CORP)


def sealed(content: bytes, key: str = KEY) -> str:
    """`content` encrypted as it is, whatever its padding."""
    raw = base64.b64decode(key + "=")
    encryptor = Cipher(algorithms.AES(raw), modes.CBC(raw[:16])).encryptor()
    return base64.b64encode(encryptor.update(content) + encryptor.finalize()).decode()


def opened(content: bytes) -> bytes:
    """What a receiver makes of a rightly signed callback with this content under the encryption."""
    encrypt = sealed(content)
    return own().decrypt(own().signature("1", "2", encrypt), "1", "2", encrypt)


def content(message: bytes, *, length: int | None = None, receive_id: str = CORP, pad: bytes | None = None):
    count = len(message) if length is None else length
    plain = bytes(range(16)) + count.to_bytes(4, "big") + message + receive_id.encode()
    missing = 32 - len(plain) % 32
    return plain + (bytes([missing]) * missing if pad is None else pad)


@pytest.mark.parametrize("name", NAMES)
def test_vectors_of_others_are_signed_alike(name):
    """The signature of every published vector is ours, and it is the right one that is let in."""
    vector = VECTORS[name]
    ours = crypto_of(vector).signature(vector["timestamp"], vector["nonce"], vector["encrypt"])
    assert ours == vector["msg_signature"]


@pytest.mark.parametrize("name", NAMES)
def test_vectors_of_others_are_decrypted(name):
    """Every published vector gives its plaintext to the byte, pads of 1, 3, 7 and 30 among them."""
    plain = decrypt(VECTORS[name])
    assert plain == VECTORS[name]["plain"].encode()
    assert hashlib.sha256(plain).hexdigest() == VECTORS[name]["plain_sha256"]


@pytest.mark.parametrize("name", NAMES)
def test_vectors_of_others_are_encrypted_alike(name):
    """With the published random bytes our encryption and its signature are the published ones."""
    vector = VECTORS[name]
    random = bytes.fromhex(vector["random_hex"])
    made = crypto_of(vector).encrypt(vector["plain"].encode(), vector["timestamp"], vector["nonce"], random)
    assert made == (vector["encrypt"], vector["msg_signature"])


def test_all_vectors_are_there():
    """The file is the published one: six vectors."""
    assert NAMES == ["A1", "A2", "C2", "D1", "D2", "D3"]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("C2", {"msg_signature": "1ba3cb09c0d2c2b3ed6900d37f91a6efae6cb010"}),
        ("D1", {"nonce": "437374424"}),
        ("D1", {"timestamp": "1411443781"}),
        ("D1", {"msg_signature": ""}),
        ("D1", {"msg_signature": VECTORS["D1"]["msg_signature"].upper()}),
        ("D1", {"msg_signature": "签名\udcff"}),
        ("D1", {"nonce": "\ud800"}),
        ("D1", {"encrypt": VECTORS["D1"]["encrypt"].replace("+", " ")}),
    ],
    ids=["N1", "N2", "later", "no-signature", "upper-case", "no-text", "no-nonce", "a-space-for-a-plus"],
)
def test_a_wrong_signature_is_refused(name, change):
    """One digit off, in the signature or what it signs, and nothing is decrypted (N1, N2)."""
    with pytest.raises(CallbackRejectedError, match="signature is not WeCom's"):
        decrypt(VECTORS[name], **change)


def test_another_corps_callback_is_refused():
    """Signed and encrypted rightly, but for somebody else (N3)."""
    with pytest.raises(CallbackRejectedError, match="not for this receiver"):
        decrypt(VECTORS["A2"], crypto_of(VECTORS["A2"], receive_id="wxOTHER"))
    with pytest.raises(CallbackRejectedError, match="not for this receiver"):
        decrypt(VECTORS["A2"], crypto_of(VECTORS["A2"], receive_id=""))


@pytest.mark.parametrize("size", range(32))
def test_paddings_of_1_to_32_are_taken(size):
    """No length of message is refused for its padding, which a 16-byte unpadder would do for half (N4)."""
    message = bytes(size)
    random = bytes(16)
    encrypt, signature = own().encrypt(message, "1", "2", random)
    assert own().decrypt(signature, "1", "2", encrypt) == message
    padded = random + size.to_bytes(4, "big") + message + CORP.encode()
    pad = 32 - len(padded) % 32
    assert encrypt == sealed(padded + bytes([pad]) * pad)


@pytest.mark.parametrize("size", [0, 1, 42, 44])
def test_a_key_of_another_length_is_a_config_error(size):
    """43 characters, neither more nor less (N5), and letters and digits only."""
    for key in ("k" * size, "k" * 42 + "+", "k" * 42 + "\n", "键" * 43):
        with pytest.raises(ConfigError, match="43 letters and digits"):
            CallbackCrypto("Token1", key, CORP)
        with pytest.raises(ConfigError, match="43 letters and digits"):
            encrypt_export(b"x", key)


@pytest.mark.parametrize("token", ["", "t" * 33, "to ken", "令牌"])
def test_a_token_that_wecom_would_not_take_is_a_config_error(token):
    """An empty token would let everybody sign."""
    with pytest.raises(ConfigError, match="1 to 32 letters and digits"):
        CallbackCrypto(token, KEY, CORP)


def test_the_spare_bits_of_a_key_are_not_looked_at():
    """43 characters are 258 bits: keys whose last character differs in the two spare ones are one key."""
    encrypt, signature = CallbackCrypto("Token1", "k" * 42 + "E", CORP).encrypt(b"x", "1", "2")
    assert CallbackCrypto("Token1", "k" * 42 + "F", CORP).decrypt(signature, "1", "2", encrypt) == b"x"


@pytest.mark.parametrize("cut", [1, 15, 16, 17, 31, 32, 100_000])
def test_a_cut_ciphertext_is_refused(cut):
    """By a block of AES (N6), by a byte, by all: refused, not a crash."""
    raw = base64.b64decode(VECTORS["A2"]["encrypt"])
    encrypt = base64.b64encode(raw[: max(0, len(raw) - cut)]).decode()
    crypto = crypto_of(VECTORS["A2"])
    with pytest.raises(CallbackRejectedError, match="not for this receiver"):
        crypto.decrypt(crypto.signature("1", "2", encrypt), "1", "2", encrypt)


@pytest.mark.parametrize("size", [range(16), range(16, 32)])
def test_half_a_block_is_refused_though_all_else_is_right(size):
    """WeCom fills up to 32 bytes: whoever ends at 16 of them is somebody else."""
    for length in size:
        plain = content(bytes(length), pad=b"")
        pad = 16 - len(plain) % 16
        whole = plain + bytes([pad]) * pad
        if len(whole) % 32:
            with pytest.raises(CallbackRejectedError, match="not for this receiver"):
                opened(whole)
        else:
            assert opened(whole) == bytes(length)


@pytest.mark.parametrize(
    "encrypt",
    ["", "=", "A", "AAA", "密文", "\ud800", sealed(content(b"x")) + "\n", "*" + sealed(content(b"x"))],
)
def test_what_is_no_base64_is_refused(encrypt):
    """Also where its signature is right."""
    with pytest.raises(CallbackRejectedError, match="not for this receiver"):
        own().decrypt(own().signature("1", "2", encrypt), "1", "2", encrypt)


@pytest.mark.parametrize("length", [0xFFFFFFFF, 0x7FFFFFFF, 5, 4 + len(CORP), 5 + len(CORP), 2])
def test_a_length_that_is_not_the_messages_is_refused(length):
    """Beyond the end (N7), into the receive id, or short of the message."""
    with pytest.raises(CallbackRejectedError, match="not for this receiver"):
        opened(content(b"1234", length=length))
    assert opened(content(b"1234", length=4)) == b"1234"


def test_a_length_beyond_the_end_is_refused_for_an_empty_receive_id_too():
    """What is left over is empty then, as the receive id is."""
    crypto = CallbackCrypto("Token1", KEY, "")
    encrypt = sealed(content(b"1234", length=0xFFFF, receive_id=""))
    with pytest.raises(CallbackRejectedError):
        crypto.decrypt(crypto.signature("1", "2", encrypt), "1", "2", encrypt)
    encrypt = sealed(content(b"1234", receive_id=""))
    assert crypto.decrypt(crypto.signature("1", "2", encrypt), "1", "2", encrypt) == b"1234"


@pytest.mark.parametrize(
    "pad",
    [
        bytes([22]) * 21 + bytes([0]),
        bytes([22]) * 21 + bytes([33]),
        bytes([22]) * 21 + bytes([255]),
        bytes([21]) + bytes([22]) * 21,
        bytes([22]) * 10 + bytes([0]) + bytes([22]) * 11,
        bytes([22]) * 21 + bytes([1]),
    ],
    ids=["nought", "more-than-a-block", "255", "first-byte-other", "middle-byte-other", "shorter"],
)
def test_every_byte_of_the_padding_counts(pad):
    """From 1 to 32 of them, all alike; a padding that is shorter leaves bytes after the receive id."""
    assert len(content(b"1234", pad=b"")) % 32 == 10
    with pytest.raises(CallbackRejectedError, match="not for this receiver"):
        opened(content(b"1234", pad=pad))
    assert opened(content(b"1234", pad=bytes([22]) * 22)) == b"1234"


def test_content_without_room_for_a_length_is_refused():
    """Nothing but padding, or less than 20 bytes before it."""
    for plain in (b"", bytes(19)):
        pad = 32 - len(plain)
        with pytest.raises(CallbackRejectedError, match="not for this receiver"):
            opened(plain + bytes([pad]) * pad)


@given(message=st.binary(max_size=300), random=st.binary(min_size=16, max_size=16))
def test_what_is_encrypted_can_be_decrypted(message, random):
    """Any bytes, under any random bytes."""
    encrypt, signature = own().encrypt(message, "1700000000", "nonce", random)
    assert own().decrypt(signature, "1700000000", "nonce", encrypt) == message


def test_random_bytes_are_drawn_anew():
    """Two callbacks with one message do not look alike."""
    assert own().encrypt(b"x", "1", "2") != own().encrypt(b"x", "1", "2")
    with pytest.raises(ValueError, match="16 bytes"):
        own().encrypt(b"x", "1", "2", b"short")


@given(encrypt=st.binary(max_size=200).map(lambda raw: base64.b64encode(raw).decode()) | st.text())
def test_rubbish_is_refused_and_nothing_else_happens(encrypt):
    """Whatever comes with a right signature, the answer is one error of ours."""
    with pytest.raises(CallbackRejectedError):
        own().decrypt(own().signature("1", "2", encrypt), "1", "2", encrypt)


def test_refusals_tell_one_thing_only():
    """Padding, length and receive id that are wrong cannot be told apart, by words or by hint."""
    told = set()
    for wrong in (content(b"x", length=99), content(b"x", receive_id="other"), content(b"", pad=b"\0" * 26)):
        with pytest.raises(CallbackRejectedError) as caught:
            opened(wrong)
        told.add((caught.value.message, caught.value.hint))
    assert len(told) == 1


def test_no_token_key_or_message_is_in_what_can_be_printed(caplog):
    """Neither in the repr, nor in an error with its traceback, nor in a log."""
    caplog.set_level(logging.DEBUG)
    crypto = own()
    texts = [repr(crypto), str(crypto)]
    for act in (
        lambda: CallbackCrypto("not a token", KEY, CORP),
        lambda: CallbackCrypto("Token1", KEY + "x", CORP),
        lambda: crypto.decrypt("0" * 40, "1", "2", "secret-content"),
        lambda: opened(content(b"secret-content", receive_id="other")),
        lambda: parse_xml(b"<xml>secret-content"),
    ):
        with pytest.raises((WeComError, ConfigError)) as caught:
            act()
        # The test's own lines quote what they pass; what the product says is the last line.
        texts += [*traceback.format_exception_only(caught.value), str(caught.value.hint)]
    everything = "\n".join([*texts, caplog.text])
    for secret in ("Token1", KEY, "not a token", "secret-content", RAW_KEY.hex()):
        assert secret not in everything


def test_the_envelope_is_read_by_its_encrypt_alone():
    """In CDATA or not, with an agent id or none; what else it says is unsigned and not looked at."""
    for body in (
        b"<xml><ToUserName><![CDATA[w]]></ToUserName><Encrypt><![CDATA[AAAA+/==]]></Encrypt></xml>",
        b"<xml>\n<Encrypt>\nAAAA+/==\n</Encrypt>\n<AgentID/><More><Encrypt>no</Encrypt></More></xml>",
        build_envelope("AAAA+/==", to_user_name=CORP, agent_id="1000002"),
        build_envelope("AAAA+/==", to_user_name="a]]>b"),
    ):
        assert read_envelope(body) == "AAAA+/=="


def test_the_envelope_is_built_as_wecom_does():
    """ToUserName, AgentID and Encrypt, each in CDATA."""
    built = build_envelope("AAAA", to_user_name=CORP, agent_id="7")
    assert built == (
        b"<xml><ToUserName><![CDATA[ww0123456789abcdef]]></ToUserName>"
        b"<AgentID><![CDATA[7]]></AgentID><Encrypt><![CDATA[AAAA]]></Encrypt></xml>"
    )
    assert parse_xml(build_envelope("AAAA", to_user_name="a]]>b")).findtext("ToUserName") == "a]]>b"


@pytest.mark.parametrize(
    "body",
    [
        XXE + b"<xml><Encrypt>&x;</Encrypt></xml>",
        b"<!DOCTYPE xml><xml><Encrypt>AAAA</Encrypt></xml>",
        b"<xml><Encrypt>&x;</Encrypt></xml>",
        b"",
        b"AAAA",
        b'{"encrypt": "AAAA"}',
        b"<xml><Encrypt>AAAA</Encrypt>",
        b"<xml></xml>",
        b"<xml><Encrypt> </Encrypt></xml>",
        b"<xml><Encrypt>AAAA</Encrypt><Encrypt>BBBB</Encrypt></xml>",
        b"<?xml version='1.0' encoding='nobodys'?><xml><Encrypt>AAAA</Encrypt></xml>",
        b"<?xml version='1.0' encoding='utf-7'?><xml><Encrypt>AAAA</Encrypt></xml>",
        b"<xml><Encrypt>\xff</Encrypt></xml>",
        b"<a>" * 60_000,
        b"<a>" * 30_000 + b"</a>" * 30_000,
        b"<xml><Encrypt>AAAA</Encrypt><Pad>" + b"x" * 262_144 + b"</Pad></xml>",
    ],
)
def test_an_envelope_that_is_not_wecoms_is_refused(body):
    """DOCTYPE and entities (N8), no XML at all, no Encrypt or two, an odd encoding, and what is too long."""
    with pytest.raises(CallbackRejectedError, match="body is"):
        read_envelope(body)


def test_what_was_encrypted_is_parsed_as_strictly():
    """A DOCTYPE or an entity inside is refused too (N8); the published messages are not."""
    with pytest.raises(CallbackRejectedError):
        parse_xml(XXE + b"<xml><Content>&x;</Content></xml>")
    assert parse_xml(decrypt(VECTORS["A2"])).findtext("Content") == "hello"


def test_a_whole_callback_goes_there_and_back():
    """Built as WeCom builds it, opened as a receiver does: UTF-8, the random bytes being no text."""
    message = "<xml><Name><![CDATA[林梅]]></Name></xml>".encode()
    encrypt, signature = own().encrypt(message, "1700000000", "n0nce", b"\xff\x00" * 8)
    body = build_envelope(encrypt, to_user_name=CORP)
    plain = own().decrypt(signature, "1700000000", "n0nce", read_envelope(body))
    assert parse_xml(plain).findtext("Name") == "林梅"


@pytest.mark.parametrize("size", [0, 1, 31, 32, 33, 1000])
def test_an_export_goes_there_and_back(size):
    """AES-256-CBC, the IV the key's first half, filled up to 32: the plain recipe, without an envelope."""
    plain = b"\x20" * size
    made = encrypt_export(plain, KEY)
    pad = 32 - size % 32
    assert base64.b64encode(made).decode() == sealed(plain + bytes([pad]) * pad)
    assert decrypt_export(made, KEY) == plain


@pytest.mark.parametrize("broken", [b"", b"x" * 31, b"x" * 48, b"x" * 64])
def test_a_broken_export_is_an_error(broken):
    """Empty, cut within a block, or not encrypted with this key: never half a file."""
    with pytest.raises(WeComError, match="cannot be decrypted"):
        decrypt_export(broken, KEY)
