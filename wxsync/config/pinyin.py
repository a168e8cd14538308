"""People's names in pinyin, with the readings that characters have as surnames."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from pypinyin import lazy_pinyin

SURNAMES: Final[Mapping[str, str]] = {
    "万俟": "moqi",
    "尉迟": "yuchi",
    "单于": "chanyu",
    "长孙": "zhangsun",
    "澹台": "tantai",
    "令狐": "linghu",
    "宰父": "zaifu",
    "皇甫": "huangfu",
    "乐正": "yuezheng",
    "夏侯": "xiahou",
    "曾": "zeng",
    "单": "shan",
    "仇": "qiu",
    "区": "ou",
    "查": "zha",
    "解": "xie",
    "任": "ren",
    "华": "hua",
    "朴": "piao",
    "吕": "lv",
    "盖": "ge",
    "葛": "ge",
    "缪": "miao",
    "乐": "yue",
    "员": "yun",
    "覃": "qin",
    "翟": "zhai",
    "晁": "chao",
    "种": "chong",
    "重": "chong",
    "召": "shao",
    "洗": "xian",
    "冼": "xian",
    "折": "she",
    "秘": "bi",
    "繁": "po",
    "祭": "zhai",
    "黑": "he",
    "盛": "sheng",
    "石": "shi",
    "沈": "shen",
    "谌": "chen",
    "尹": "yin",
    "俞": "yu",
    "郇": "xun",
    "郗": "xi",
    "逄": "pang",
    "么": "yao",
    "哈": "ha",
    "那": "na",
    "曲": "qu",
    "卜": "bu",
    "车": "che",
    "尉": "wei",
    "应": "ying",
    "宁": "ning",
    "訾": "zi",
    "隗": "wei",
    "阚": "kan",
    "长": "chang",
    "都": "du",
    "适": "kuo",
    "过": "guo",
    "纪": "ji",
    "费": "fei",
    "贾": "jia",
    "幺": "yao",
    "薄": "bo",
    "柏": "bai",
    "娄": "lou",
    "褚": "chu",
    "参": "shen",
    "粘": "nian",
    "撒": "sa",
    "牟": "mu",
    "万": "wan",
    "佴": "nai",
}
"""Surname -> its reading; those of two characters are looked for first."""

NOT_PLAIN: Final = re.compile(r"[^a-z0-9._-]+")


def romanise(text: str) -> str:
    """The name as lower-case ASCII without spaces; what has no reading is left out."""
    name = unicodedata.normalize("NFKC", text).strip()
    for length in (2, 1):
        if (surname := SURNAMES.get(name[:length])) is not None:
            return surname + _plain(name[length:])
    return _plain(name)


def _plain(text: str) -> str:
    syllables = "".join(lazy_pinyin(text))
    # Accents fall off as marks of their own: é is e and a mark.
    return NOT_PLAIN.sub("", unicodedata.normalize("NFKD", syllables).lower())
