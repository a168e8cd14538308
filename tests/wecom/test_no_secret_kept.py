"""No secret is in what is kept, printed, or left of a callback or a file that cannot be read."""

import asyncio
import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import make_url

from tests.wecom.leaks import frames_of, leaked, leaked_bytes, listening, told_by
from tests.wecom.line import BASE, CORP, ok
from tests.wecom.secrecy import (
    CALLBACK,
    EXPORT,
    FILE,
    PERSONAL,
    SECRETS,
    SENT,
    WRITE,
    Far,
    MemoryTokensWithOne,
    create_member,
    fail_at_once,
    list_tags,
    refused_with,
)
from wxsync.errors import (
    CallbackRejectedError,
    ConfigError,
    DeniedError,
    MirrorError,
    WeComError,
)
from wxsync.mirror.schema import prepare
from wxsync.mirror.store import Store
from wxsync.mirror.tokens import MirrorTokens
from wxsync.model.member import Member
from wxsync.model.seen import ShownMember
from wxsync.model.token import TokenState
from wxsync.wecom.contacts import Contacts
from wxsync.wecom.content import Text
from wxsync.wecom.crypto import (
    CallbackCrypto,
    decrypt_export,
    encrypt_export,
    parse_xml,
    read_envelope,
)
from wxsync.wecom.export import Exports
from wxsync.wecom.multipart import Upload
from wxsync.wecom.retries import Call
from wxsync.wecom.wire.verification import SecondFactor, SignedIn

# Callbacks and files


def test_every_refusal_of_a_callback():
    """Token, key and content are in no refusal, nor in the frames that it went through."""
    crypto = CallbackCrypto(SECRETS["callback token"], SECRETS["aes key"], CORP)
    content = f"<xml>{PERSONAL['mobile']}</xml>".encode()
    encrypt, signature = crypto.encrypt(content, "1", "2")
    other = CallbackCrypto(SECRETS["callback token"], SECRETS["aes key"], "ww9")
    foreign = CallbackCrypto(SECRETS["callback token"], "b" * 43, CORP).encrypt(content, "1", "2")
    refusals = [
        lambda: crypto.decrypt("0" * 40, "1", "2", encrypt),
        lambda: crypto.decrypt(crypto.signature("1", "2", encrypt[:-24]), "1", "2", encrypt[:-24]),
        lambda: crypto.decrypt(crypto.signature("1", "2", foreign[0]), "1", "2", foreign[0]),
        lambda: crypto.decrypt(crypto.signature("1", "2", "?"), "1", "2", "?"),
        lambda: other.decrypt(signature, "1", "2", encrypt),
        lambda: parse_xml(content[:-3]),
        lambda: parse_xml(b"<!DOCTYPE a>" + content),
        lambda: read_envelope(content),
    ]
    for refusal in refusals:
        with listening() as heard, pytest.raises(CallbackRejectedError) as caught:
            refusal()
        told = "\n".join([told_by(caught.value), *heard])
        assert leaked(told, {**SECRETS, **PERSONAL}) == {}
        assert leaked(frames_of(caught.value), SECRETS) == {}


def test_token_and_key_of_a_callback_that_cannot_be():
    """Both are refused unread."""
    for token, key in ((SECRETS["proxy password"], "a" * 43), ("a", f"{SECRETS['aes key']}=")):
        with listening() as heard, pytest.raises(ConfigError) as caught:
            CallbackCrypto(token, key, CORP)
        assert leaked("\n".join([told_by(caught.value), *heard]), SECRETS) == {}


def test_a_file_that_cannot_be_decrypted():
    """With another key, cut, or empty."""
    sealed = encrypt_export(PERSONAL["mobile"].encode(), SECRETS["export key"])
    for content, key in ((sealed[:-1], SECRETS["export key"]), (b"", SECRETS["export key"])):
        with pytest.raises(WeComError) as caught:
            decrypt_export(content, key)
        assert leaked(told_by(caught.value), {**SECRETS, **PERSONAL}) == {}


# What is kept


def marked_tokens(store: Store, secret: str = SECRETS["contact secret"]) -> MirrorTokens:
    return MirrorTokens(store, corp_id=CORP, secret=secret, base_url=BASE)


def test_the_mirrors_file_holds_no_token_and_no_secret(tmp_path):
    """Neither the database nor its log does, as bytes in any encoding, while it is open and after."""
    url = make_url(f"sqlite:///{tmp_path / 'mirror.db'}")
    store = Store(prepare(url))
    with listening() as heard:
        far = Far()
        far.answer = lambda _: ok(taglist=[])
        assert fail_at_once(far, list_tags, tokens=marked_tokens(store)) == []
        far.token_answer = refused_with(40001)
        refused = marked_tokens(store, SECRETS["code"])
        [error] = fail_at_once(far, list_tags, tokens=refused)
        assert isinstance(error, DeniedError)
    assert marked_tokens(store).load().text == SECRETS["token"]
    assert (refused.load().refusal or error).errcode == 40001
    assert leaked("\n".join(heard), {**SECRETS, **PERSONAL}) == {}
    files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert {"mirror.db", "mirror.db-wal"} <= files.keys()
    assert any(marked_tokens(store)._name.encode() in content for content in files.values())
    store.close()
    files |= {f"{path.name} later": path.read_bytes() for path in tmp_path.iterdir()}
    for name, content in files.items():
        assert leaked_bytes(content, {**SECRETS, **PERSONAL}) == set(), name


def test_a_mirror_that_breaks_says_nothing_of_the_token(tmp_path):
    """The table is gone: the process goes on by itself, and the warning names no value of the statement."""
    url = make_url(f"sqlite:///{tmp_path / 'mirror.db'}")
    store = Store(prepare(url))
    with closing(sqlite3.connect(tmp_path / "mirror.db")) as connection, connection:
        connection.execute("DROP TABLE access_tokens")
    far = Far()
    far.answer = refused_with(60104)
    with listening() as heard:
        errors = fail_at_once(far, create_member, tokens=marked_tokens(store))
    with pytest.raises(MirrorError) as caught:
        marked_tokens(store).save(TokenState(version=1, text=SECRETS["token"]))
    store.close()
    assert [error.errcode for error in errors] == [60104]
    assert any("this process's own" in line for line in heard)
    assert leaked(told_by(caught.value), SECRETS) == {}


# What can be printed


def test_every_repr():
    """Of all that holds something secret, or numbers and addresses of people."""
    mobile, email, biz_mail = PERSONAL["mobile"], PERSONAL["email"], PERSONAL["corp mail"]
    crypto = CallbackCrypto(SECRETS["callback token"], SECRETS["aes key"], CORP)
    things = [
        *(crypto, CALLBACK, EXPORT, FILE, SecondFactor(userid="lin", tfa_code=SECRETS["tfa code"])),
        *(SignedIn(userid="lin", user_ticket=SECRETS["code"]), Text(content=PERSONAL["mobile"])),
        TokenState(text=SECRETS["token"]),
        MemoryTokensWithOne(),
        Call(method="GET", path="a", params={"key": SECRETS["webhook key"]}, is_repeatable=True),
        Upload(filename="a", content=SECRETS["token"].encode()),
        SENT,
        *(WRITE, Member(key="E1", userid="lin", mobile=mobile, email=email, biz_mail=biz_mail)),
        ShownMember(mobile=mobile, email=email, telephone=PERSONAL["telephone"]),
    ]

    async def story():
        async with Far().open() as line:
            things.extend([line, Contacts(line), Exports(line), line._tokens, line._client, line._quota])

    asyncio.run(story())
    for thing in things:
        assert leaked(f"{thing!r} {thing}", {**SECRETS, **PERSONAL}) == {}
