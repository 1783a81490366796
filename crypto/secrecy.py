"""Secrecy: what every object that holds a secret owes, namely to be neither shown nor copied by accident."""

from typing import NoReturn


class Secret:
    """Base of records that hold a secret: no ``repr``, log or traceback shows it, no pickle carries it away.

    A frozen dataclass that inherits from this says ``repr=False`` itself, or its own ``repr`` would show all.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} is not copied to where its secret would be readable")
