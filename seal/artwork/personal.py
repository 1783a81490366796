"""The personal name seal in relief (朱文): two to four characters, with 印 or 之印 after them where wished.

Its arrangement keeps together what belongs together: a surname is not parted, nor is a given name.
"""

import re

from seal.artwork import square
from seal.artwork.model import Mark
from seal.artwork.setting import Letters, Setting

_DOUBLE = frozenset(
    re.findall(
        "..",
        "欧阳太史端木上官司马东方独孤南宫万俟闻人夏侯诸葛尉迟公羊赫连澹台皇甫宗政濮阳公冶"
        "太叔申屠公孙慕容仲孙钟离长孙宇文司徒鲜于司空令狐百里呼延东郭南门西门左丘第五",
    )
)
"""Surnames of two characters."""


def lay_out(seal: Setting) -> tuple[Mark, ...]:
    """Arrange a personal name seal."""
    return square.framed(seal, columns(seal.name, seal.line))


def columns(name: Letters, after: Letters) -> list[Letters]:
    """Give the columns, the right one first."""
    surname = 2 if "".join(letter.character for letter in name[:2]) in _DOUBLE else 1
    family, given = name[:surname], name[surname:]
    # 回文印, read against the clock: the surname over 印 on the right, the whole given name on the left.
    if len(given) == 2 and surname == 1 and len(after) == 1:  # noqa: PLR2004
        return [family + after, given]
    # 张三 | 之印; 欧阳 | 修印
    if after and len(name) <= 2 + (surname - 1):
        return [name[:2], name[2:] + after]
    if after:
        return square.columns(name + after)
    if len(name) <= 3:  # noqa: PLR2004 - 张 | 三丰; 欧阳 | 修; 张 | 三
        return [family, given] if given else [family[:1], family[1:]]
    return [name[:2], name[2:]]
