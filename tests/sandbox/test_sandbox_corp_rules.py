"""Rules that hang on what the console says of the corp: its mail, its names, its size."""

from __future__ import annotations

import pytest


def code(answer):
    return answer["errcode"]


@pytest.fixture
def mail(state):
    state.mail_domain = "corp.example.com"


@pytest.mark.parametrize(
    ("alias", "errcode"),
    [
        ("x", 60143),
        ("a" * 48 + "@corp.example.com", 60143),
        ("x@example.com", 81015),
        ("bee@corp.example.com", 60145),
        ("taken@corp.example.com", 60145),
    ],
)
def test_an_alias_that_is_refused_leaves_the_rest_written(wecom, state, mail, alias, errcode):
    """biz_mail_alias is not atomic with the other fields, and the log tells so."""
    wecom.make("a")
    wecom.make("b", biz_mail="bee@corp.example.com")
    taken = {"userid": "b", "biz_mail_alias": {"item": ["taken@corp.example.com"]}}
    assert code(wecom.post("user/update", taken)) == 0
    body = {"userid": "a", "name": "新", "biz_mail_alias": {"item": ["ok@corp.example.com", alias]}}
    assert code(wecom.post("user/update", body)) == errcode
    assert (state.member("a").name, state.member("a").biz_mail_alias) == ("新", ())
    assert (state.log[-1].errcode, state.log[-1].is_carried_out) == (errcode, True)


def test_aliases_are_overwritten_and_cleared(wecom, state, mail):
    """Up to five; an empty object takes all away; what one has oneself is not taken."""
    wecom.make("a")

    def alias(*items):
        return code(wecom.post("user/update", {"userid": "a", "biz_mail_alias": {"item": list(items)}}))

    five = tuple(f"a{n}@corp.example.com" for n in range(5))
    assert alias(*five) == 0
    assert alias(*five[:2]) == 0
    assert state.member("a").biz_mail_alias == five[:2]
    assert alias(*five, "a6@corp.example.com") == 40058
    assert code(wecom.post("user/update", {"userid": "a", "biz_mail_alias": {}})) == 0
    assert state.member("a").biz_mail_alias == ()


def test_corp_mail_is_a_byte_shorter_in_an_update(wecom, mail):
    """64 bytes in a creation, 63 in an update."""
    longest = "a" * 47 + "@corp.example.com"
    assert len(longest) == 64
    assert code(wecom.make("a", biz_mail=longest)) == 0
    wecom.make("b")
    assert code(wecom.post("user/update", {"userid": "b", "biz_mail": "b" + longest[1:]})) == 60143
    assert code(wecom.post("user/update", {"userid": "b", "biz_mail": longest[1:]})) == 0


def test_a_name_shown_to_customers_is_verified(wecom, state):
    """41036 for another one than the console has."""
    assert code(wecom.make("a", external_profile={"external_corp_name": "样例"})) == 41036
    state.verified_names = ("样例",)
    assert code(wecom.make("a", external_profile={"external_corp_name": "样例"})) == 0
    assert (
        code(wecom.post("user/update", {"userid": "a", "external_profile": {"external_corp_name": "x"}}))
        == 41036
    )


@pytest.mark.parametrize(
    ("program", "errcode"),
    [
        ({"appid": "wx1", "pagepath": "/index", "title": "甲" * 12}, 0),
        ({"appid": "wx1", "pagepath": "/index", "title": "甲" * 13}, 40058),
        ({"appid": "wx1", "title": "甲"}, 40058),
        (None, 40058),
    ],
)
def test_a_mini_program_shown_to_customers_has_three_texts(wecom, program, errcode):
    """Id, page and a title of up to 12 characters."""
    row = {"type": 2, "name": "商城", "miniprogram": program}
    assert code(wecom.make("a", external_profile={"external_attr": [row]})) == errcode


def test_the_number_of_departments_is_limited(wecom, state):
    """81001, the root being one of them."""
    state.max_departments = 2
    assert code(wecom.post("department/create", {"name": "a", "parentid": 1})) == 0
    assert code(wecom.post("department/create", {"name": "b", "parentid": 1})) == 81001


def test_a_corp_of_one_language_has_no_english_names(wecom, state):
    """They are taken and not shown."""
    state.legacy_ip, state.is_multilingual = True, False
    id = wecom.department("研发", name_en="RD")
    assert "name_en" not in wecom.get("department/get", id=id)["department"]
    state.is_multilingual = True
    assert wecom.get("department/get", id=id)["department"]["name_en"] == "RD"


def test_a_picture_is_one_that_was_uploaded(wecom, state, clock):
    """An image for all apps, within its three days; else 301015. It is shown in two sizes."""
    image = b"\x89PNG\r\n\x1a\n" + b"0" * 20

    def upload(kind):
        answer = wecom.send(
            "POST",
            "media/upload",
            params={"access_token": wecom.token, "type": kind},
            files={"media": ("a.png", image)},
        )
        return answer.json()["media_id"]

    media_id = upload("image")
    assert code(wecom.make("a", avatar_mediaid=media_id)) == 0
    state.legacy_ip = True
    shown = wecom.get("user/get", userid="a")
    assert shown["avatar"].removesuffix("/0") == shown["thumb_avatar"].removesuffix("/100") != ""
    assert code(wecom.make("b", avatar_mediaid=upload("file"))) == 301015
    clock.now += 3 * 86400
    wecom.token = wecom.fetch_token(state.contact_secret)
    assert code(wecom.make("b", avatar_mediaid=media_id)) == 301015


def test_a_listing_may_be_too_big(wecom, state):
    """45029, for lists of members."""
    state.legacy_ip, state.max_listed = True, 1
    wecom.make("a")
    for path in ("user/list", "user/simplelist"):
        assert code(wecom.get(path, department_id=1)) == 0
    wecom.make("b")
    for path in ("user/list", "user/simplelist"):
        assert code(wecom.get(path, department_id=1)) == 45029
