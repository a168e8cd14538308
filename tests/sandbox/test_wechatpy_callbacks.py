"""wechatpy opens what we encrypt, and we open what wechatpy encrypts (events-and-messages.md §1)."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sandbox.foreign import Ear, clients, exceptions, listening_ear, wait_for
from wxsync.errors import CallbackRejectedError
from wxsync.sandbox.receivers import Receiver
from wxsync.sandbox.serve import running_sandbox
from wxsync.sandbox.state import SandboxState
from wxsync.sandbox.switches import App
from wxsync.wecom.crypto import CallbackCrypto, build_envelope, parse_xml, read_envelope

CORP = "ww5a6d626f78000001"
OTHER_CORP = "ww5a6d626f78000002"
TIME, NONCE = "1800000000", "437374425"

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=200)
"""Every length of padding, and every kind of character."""


def ours(corp_id=CORP, token=Ear.token):
    return CallbackCrypto(token, Ear.encoding_aes_key, corp_id)


def theirs(corp_id=CORP, token=Ear.token):
    crypto: Any = importlib.import_module("wechatpy.work.crypto")
    return crypto.WeChatCrypto(token, Ear.encoding_aes_key, corp_id)


@given(texts)
def test_wechatpy_opens_what_we_encrypt(text):
    """A whole body, and the parameter of an address that is verified."""
    encrypt, signature = ours().encrypt(text.encode(), TIME, NONCE)
    body = build_envelope(encrypt, to_user_name=CORP, agent_id="1000002").decode()
    assert theirs().decrypt_message(body, signature, TIME, NONCE) == text
    assert theirs().check_signature(signature, TIME, NONCE, encrypt) == text


@given(texts)
def test_we_open_what_wechatpy_encrypts(text):
    """Its reply to a message: Encrypt, MsgSignature, TimeStamp and Nonce in one envelope."""
    reply = theirs().encrypt_message(text, NONCE, TIME).encode()
    told = {element.tag: element.text or "" for element in parse_xml(reply)}
    assert (told["TimeStamp"], told["Nonce"]) == (TIME, NONCE)
    encrypt = read_envelope(reply)
    assert ours().decrypt(told["MsgSignature"], told["TimeStamp"], told["Nonce"], encrypt) == text.encode()


@pytest.mark.parametrize(
    ("reader", "error"), [({"token": "another"}, -40001), ({"corp_id": OTHER_CORP}, -40005)]
)
def test_both_refuse_what_is_not_for_them(reader, error):
    """A wrong token is a wrong signature, and another corp's message is not opened; in both directions."""
    encrypt, signature = ours().encrypt(b"<xml/>", TIME, NONCE)
    with pytest.raises(exceptions.WeChatException) as caught:
        theirs(**reader).check_signature(signature, TIME, NONCE, encrypt)
    assert caught.value.errcode == error
    reply = theirs().encrypt_message("<xml/>", NONCE, TIME).encode()
    signature = parse_xml(reply).findtext("MsgSignature") or ""
    with pytest.raises(CallbackRejectedError):
        ours(**reader).decrypt(signature, TIME, NONCE, read_envelope(reply))


@pytest.fixture
def state():
    return SandboxState(corp_id=CORP)


@pytest.fixture
def ear(state):
    with listening_ear(state.corp_id) as ear:
        yield ear


def test_a_receiver_of_wechatpys_hears_of_changes(state, ear):
    """Its address is verified first; then a day in the console is told, event by event."""
    state.callback = ear.receiver
    state.add_department("研发", id=2)
    state.add_member("lin.mei", "林梅", department=[1, 2])
    state.rename_member("lin.mei", "林美")
    state.change_userid("lin.mei", "lin")
    state.add_tag("导师", ["lin"], id=7)
    state.remove_member("lin")
    with running_sandbox(state):
        events = ear.wait(5)
    header = ("ToUserName", "FromUserName", "CreateTime", "MsgType", "Event")
    assert len(ear.echoes) == 1
    assert {(event.source, event.target, event._data["Event"]) for event in events} == {
        ("sys", CORP, "change_contact")
    }
    assert [{name: text for name, text in event._data.items() if name not in header} for event in events] == [
        {"ChangeType": "create_party", "Id": "2", "ParentId": "1"},
        {"ChangeType": "create_user", "UserID": "lin.mei", "Department": "1,2"},
        {"ChangeType": "update_user", "UserID": "lin.mei", "NewUserID": "lin", "Department": "1,2"},
        {
            "ChangeType": "update_tag",
            "TagId": "7",
            "AddUserItems": "lin",
            **dict.fromkeys(("DelUserItems", "AddPartyItems", "DelPartyItems")),
        },
        {"ChangeType": "delete_user", "UserID": "lin"},
    ]


def test_calls_of_wechatpys_are_told_to_the_app_alone(state, ear):
    """What contact sync writes itself is not echoed to its own address; an app that listens hears of it."""
    with listening_ear(state.corp_id) as own:
        state.callback = own.receiver
        state.apps = (App(receiver=ear.receiver, hears_contacts=True),)
        with running_sandbox(state) as base_url, clients(state, base_url) as client:
            wait_for(lambda: ear.echoes and own.echoes)
            contact = client(state.contact_secret)
            contact.user.create("lin", "林", department=[1], mobile="13800000001", gender="2")
            contact.user.delete("lin")
            events = ear.wait(2)
    assert [(event._data["ChangeType"], event._data["UserID"]) for event in events] == [
        ("create_user", "lin"),
        ("delete_user", "lin"),
    ]
    assert own.xmls == []


def test_a_receiver_with_another_key_hears_nothing(state, ear):
    """Its address is not verified: the sandbox asks, wechatpy refuses, and no event is sent."""
    state.callback = Receiver(url=ear.url, token="another", encoding_aes_key=ear.encoding_aes_key)
    state.add_department("研发", id=2)
    with running_sandbox(state):
        wait_for(lambda: len(ear.refused) > 1)
    assert set(ear.refused) == {"InvalidSignatureException(-40001, Invalid signature)"}
    assert (ear.echoes, ear.xmls, len(state.outbox.waiting)) == ([], [], 1)
