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
    match len(name), len(after):
        case 2, 0:  # 李 | 四
            divided = [name[:1], name[1:]]
        case 2, _:  # 李四 | 之印
            divided = [name, after]
        case 3, 0:  # 王 | 小明; 欧阳 | 修
            divided = [family, given]
        case 3, 1 if surname == 1:  # 王印 | 小明: 回文印, read against the clock
            divided = [family + after, given]
        case 3, 1:  # 欧阳 | 修印
            divided = [family, given + after]
        case 3, _:  # 王小明 | 之印
            divided = [name, after]
        case _, 2:  # 司马 | 相如 | 之印
            divided = [name[:2], name[2:], after]
        case _:  # 司马 | 相如印
            divided = [name[:2], name[2:] + after]
    return divided
