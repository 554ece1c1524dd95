"""The only maker of `CustomerUtterance`; whose voice it is on a two-channel line, `edge.segment.leak` says.

The voice branch reads nothing but a `CustomerUtterance`: inferring the emotions of workers is prohibited in the EU
(Regulation (EU) 2024/1689, article 5(1)(f)), so an agent's speech must not reach it, not even as a leak on the
customer's channel. Nothing outside this module can construct one.
"""

from typing import Final, NoReturn, final

from edge.values import Role, Utterance

_MINT: Final = object()


@final
class CustomerUtterance:
    """An utterance that this module has found to be the customer's own. `.utterance` is what was said."""

    __slots__ = ("_utterance",)

    _utterance: Utterance

    def __init__(self, utterance: Utterance, *, mint: object = None) -> None:
        if mint is not _MINT:
            raise TypeError("only edge.segment.crosstalk.customer_utterance makes a CustomerUtterance")
        object.__setattr__(self, "_utterance", utterance)

    def __init_subclass__(cls) -> NoReturn:
        raise TypeError("a CustomerUtterance cannot be extended")

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise TypeError("a CustomerUtterance is frozen")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        # Neither pickle nor copy.replace may be a way around the mint.
        raise TypeError("a CustomerUtterance is neither copied nor stored")

    @property
    def utterance(self) -> Utterance:
        """What the customer said."""
        return self._utterance

    def __repr__(self) -> str:
        return f"CustomerUtterance({self._utterance!r})"


def customer_utterance(utterance: Utterance) -> CustomerUtterance | None:
    """`utterance` as the customer's, or None where its role is anything else (agent, mixed, system)."""
    if utterance.role is not Role.CUSTOMER:
        return None
    return CustomerUtterance(utterance, mint=_MINT)
