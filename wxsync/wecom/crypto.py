"""WeCom's signatures and encryption: callbacks (WeCom page 90968) and the files of exports (page 94854).

The one module that client and sandbox share: vectors of others hold it, so it cannot be wrong on both sides.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from typing import Final
from xml.etree.ElementTree import Element, ParseError

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC
from defusedxml.ElementTree import fromstring

from wxsync.errors import CallbackRejectedError, ConfigError, WeComError

BLOCK: Final = 32
"""What padding fills up to; AES's own 16 would refuse half of WeCom's messages."""
RANDOM: Final = 16
HEAD: Final = RANDOM + 4
"""Random bytes and the length of the message, before the message itself."""
XML_LIMIT: Final = 256 * 1024
"""Bytes of an XML text from outside; a callback of WeCom's is a few kilobytes."""
KEY: Final = re.compile(r"[A-Za-z0-9]{43}", re.ASCII)


class CallbackCrypto:
    """One receiver's token and key: tells WeCom's callbacks from others, and opens and closes them.

    `receive_id` is the corp id. A token or a key that WeCom would not take raises `ConfigError`. A callback
    that is not WeCom's raises `CallbackRejectedError`, which tells whether the signature was wrong and never
    more: who sends in altered callbacks learns nothing of the key.
    """

    def __init__(self, token: str, encoding_aes_key: str, receive_id: str) -> None:
        if not re.fullmatch(r"[A-Za-z0-9]{1,32}", token, re.ASCII):
            raise ConfigError(["token: is not a callback's Token: that has 1 to 32 letters and digits"])
        self._token = _bytes(token)
        self._key = _key(encoding_aes_key)
        self._receive_id = _bytes(receive_id)

    def signature(self, timestamp: str, nonce: str, encrypt: str) -> str:
        """The msg_signature of a callback: SHA-1 of the four texts in the order of their bytes."""
        parts = sorted((self._token, _bytes(timestamp), _bytes(nonce), _bytes(encrypt)))
        return hashlib.sha1(b"".join(parts), usedforsecurity=False).hexdigest()

    def decrypt(self, msg_signature: str, timestamp: str, nonce: str, encrypt: str) -> bytes:
        """The message of a callback that is WeCom's, and meant for this receiver.

        `encrypt` is the text as it came, the parameter `echostr` included; raises `CallbackRejectedError`.
        """
        expected = self.signature(timestamp, nonce, encrypt)
        if not hmac.compare_digest(expected.encode("ascii"), _bytes(msg_signature)):
            raise _rejected("the signature is not WeCom's", "see token of the callback")
        message = self._opened(encrypt)
        if message is None:
            raise _rejected(
                "the content is not for this receiver", "see encoding_aes_key of the callback, and corp_id"
            )
        return message

    def encrypt(
        self, plaintext: bytes, timestamp: str, nonce: str, random: bytes | None = None
    ) -> tuple[str, str]:
        """(Encrypt, MsgSignature) of a message, as WeCom sends it and takes it in reply.

        `random` are the 16 bytes that begin it; None, as always outside tests, draws them.
        """
        head = secrets.token_bytes(RANDOM) if random is None else random
        if len(head) != RANDOM:
            raise ValueError(f"random has {RANDOM} bytes")
        length = len(plaintext).to_bytes(4, "big")
        sealed = _encrypt(self._key, head + length + plaintext + self._receive_id)
        encrypt = base64.b64encode(sealed).decode("ascii")
        return encrypt, self.signature(timestamp, nonce, encrypt)

    def _opened(self, encrypt: str) -> bytes | None:
        """The message, None for whatever is wrong with it: there is one answer to all of that."""
        try:
            content = _decrypt(self._key, base64.b64decode(encrypt, validate=True))
        except ValueError:
            return None
        if content is None:
            return None
        end = HEAD + int.from_bytes(content[RANDOM:HEAD], "big")
        # A length beyond the end leaves nothing over, which an empty receive_id would take for its own.
        if end > len(content) or not hmac.compare_digest(content[end:], self._receive_id):
            return None
        return content[HEAD:end]


# The envelope (WeCom page 90968)


def read_envelope(body: bytes) -> str:
    """The text of Encrypt, and nothing else of what a callback says unencrypted.

    Raises `CallbackRejectedError` as `parse_xml` does, and where there is no Encrypt or more than one.
    """
    found = parse_xml(body).findall("Encrypt")
    if len(found) != 1 or not (found[0].text or "").strip():
        raise _rejected("the body is not WeCom's XML", _XML_HINT)
    return (found[0].text or "").strip()


def build_envelope(encrypt: str, *, to_user_name: str, agent_id: str = "") -> bytes:
    """The body in which WeCom sends `encrypt`; `agent_id` is empty for contact sync."""
    fields = {"ToUserName": to_user_name, "AgentID": agent_id, "Encrypt": encrypt}
    return f"<xml>{''.join(_element(name, text) for name, text in fields.items())}</xml>".encode()


def parse_xml(text: bytes) -> Element:
    """The root of XML from outside: an envelope, or what was encrypted in it.

    Raises `CallbackRejectedError` for what is too long or malformed, and for any DOCTYPE or entity.
    """
    if len(text) > XML_LIMIT:
        raise _rejected("the body is too long", _XML_HINT)
    try:
        root: Element = fromstring(text, forbid_dtd=True)
    except (ParseError, LookupError, ValueError):  # an encoding that nobody knows is a LookupError
        raise _rejected("the body is not WeCom's XML", _XML_HINT) from None
    return root


_XML_HINT: Final = "see whether it is WeCom that calls: something else knows the address"


def _element(name: str, text: str) -> str:
    whole = text.replace("]]>", "]]]]><![CDATA[>")
    return f"<{name}><![CDATA[{whole}]]></{name}>"


# Files of exports (WeCom page 94854)


def decrypt_export(ciphertext: bytes, encoding_aes_key: str) -> bytes:
    """The content of a downloaded file; raises `WeComError` where this key did not encrypt all of it."""
    content = _decrypt(_key(encoding_aes_key), ciphertext)
    if content is None:
        raise WeComError("export: the file cannot be decrypted", hint="run again: it is exported anew")
    return content


def encrypt_export(content: bytes, encoding_aes_key: str) -> bytes:
    """The file as WeCom offers it for download."""
    return _encrypt(_key(encoding_aes_key), content)


# AES-256-CBC, the IV being the key's first half


def _key(encoding_aes_key: str) -> bytes:
    """The 32 bytes that 43 characters stand for; the spare bits of the last one may be anything."""
    if not KEY.fullmatch(encoding_aes_key):
        raise ConfigError(["encoding_aes_key: is not an EncodingAESKey: that has 43 letters and digits"])
    return base64.b64decode(encoding_aes_key + "=")


def _cipher(key: bytes) -> Cipher[CBC]:
    return Cipher(AES256(key), CBC(key[:16]))


def _encrypt(key: bytes, content: bytes) -> bytes:
    pad = BLOCK - len(content) % BLOCK
    encryptor = _cipher(key).encryptor()
    return encryptor.update(content + bytes([pad]) * pad) + encryptor.finalize()


def _decrypt(key: bytes, ciphertext: bytes) -> bytes | None:
    if not ciphertext or len(ciphertext) % BLOCK:
        return None
    decryptor = _cipher(key).decryptor()
    return _without_padding(decryptor.update(ciphertext) + decryptor.finalize())


def _without_padding(padded: bytes) -> bytes | None:
    """None unless the last byte, from 1 to 32, is what each byte of the padding says."""
    pad = padded[-1]
    if not 1 <= pad <= BLOCK or not hmac.compare_digest(padded[-pad:], bytes([pad]) * pad):
        return None
    return padded[:-pad]


def _bytes(text: str) -> bytes:
    """A text from outside may hold what is no character; it is then simply another text than WeCom's."""
    return text.encode("utf-8", "surrogatepass")


def _rejected(reason: str, hint: str) -> CallbackRejectedError:
    return CallbackRejectedError(f"a callback was rejected: {reason}", hint=hint)
