"""Inputs made from good ones: bytes changed, or values replaced inside the document. The same chance gives the same input."""

import json
import random
from copy import deepcopy
from typing import Any

# Where parsers stumble: bounds of integers, what is no number, what is none of the types expected, what is long, deep or odd.
_ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 65_536, 2**31, 2**63, -(2**63) - 1, 10**400, 0.0, -0.5, 1e-320, 1e308, float("inf"), float("nan"),
    "", " ", "0", "x" * 300, "é", "\ud800", "\x00", "a\nb", "../../etc/passwd", "/dev/zero", "%s%n", "<number>", "a|", "|", "?", "*", "~ ~",
    "_ _", "<unit", "<nothing>", "2026-13-45", "${HOME}", "call/#", "mqtt://[::1", "mqtts://a:99999999", [], {}, [[]], {"": None},
    [None] * 40,
)  # fmt: skip
_TOKENS = (
    b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"\n", b"\t", b": ", b"- ", b"{", b"[", b"]", b"}", b"&a ", b"*a", b"!!python/object:os.system ",
    b"!!binary ", b"? ", b"|\n", b"%YAML 9.9\n", b"---\n", b"...\n", b"<<: ", b"1e999", b"0x", b"-9223372036854775809", b'"', b"'",
    b"\\u0000",
    b"\\ud800", b"null", b"../", b"\x7f" * 9, b"RIFF", b"data", b"fmt ", b"\xff\xff\xff\xff", b"\x00\x00\x00\x80", b"UTN1",
)  # fmt: skip
_DEEP = 100_000


def damaged(seeds: tuple[bytes, ...], chance: random.Random) -> bytes:
    """One of `seeds` with some of its bytes changed, cut, doubled, or put into another."""
    data = bytearray(chance.choice(seeds))
    for _ in range(1 + int(chance.expovariate(0.5))):
        at = chance.randrange(len(data) + 1)
        length = min(int(chance.expovariate(0.1)) + 1, len(data) - at)
        kind = chance.randrange(8)
        if kind == 0 and length:
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 1 and length:
            data[at] = chance.randrange(256)
        elif kind == 2:
            del data[at : at + length]
        elif kind == 3:
            data[at:at] = data[at : at + length] * chance.choice((1, 2, 50))
        elif kind == 4:
            data[at:at] = chance.choice(_TOKENS)
        elif kind == 5:
            data[at : at + length] = chance.randbytes(length)
        elif kind == 6:
            other = chance.choice(seeds)
            start = chance.randrange(len(other) + 1)
            data[at : at + length] = other[start : start + chance.choice((1, 8, 64, 512))]
        elif chance.random() < 0.2:
            del data[at:]
    return bytes(data)


def document(seeds: tuple[Any, ...], chance: random.Random) -> bytes:
    """One of `seeds` (plain values) with some values replaced, keys renamed, parts moved or nested, as JSON (which YAML reads too)."""
    whole = [deepcopy(chance.choice(seeds))]
    for _ in range(1 + int(chance.expovariate(0.7))):
        places = list(_places(whole))
        holder, key = chance.choice(places)
        kind = chance.randrange(8)
        if kind <= 3:
            holder[key] = deepcopy(chance.choice(_ODD))
        elif kind == 4:
            other, its_key = chance.choice(places)
            holder[key] = deepcopy(other[its_key])
        elif kind == 5 and isinstance(holder, dict):
            holder[chance.choice(("", "x", "Name", str(key) + "s", "é", "a\nb"))] = holder.pop(key)
        elif kind == 6 and isinstance(holder, list) and holder is not whole:
            holder.insert(chance.randrange(len(holder) + 1), deepcopy(holder[key]))
        elif kind == 7:
            holder[key] = [holder[key]] if chance.random() < 0.5 else {"x": holder[key]}
    return json.dumps(whole[0]).encode(errors="surrogatepass")


def nested(chance: random.Random) -> bytes:
    """Something deeper than any parser should follow, or something that grows as it is read (YAML's billion laughs)."""
    depth = chance.choice((50, 1000, _DEEP))
    if chance.random() < 0.5:
        return chance.choice((b"[", b'{"a":', b"- ", b"? ", b"!!seq [")) * depth
    laughs = [b"a0: &a0 [" + b"x," * 9 + b"x]"]
    laughs += [b"a%d: &a%d [" % (n, n) + b"*a%d," % (n - 1) * 9 + b"*a%d]" % (n - 1) for n in range(1, 10)]
    key = chance.choice((b"lines", b"rules", b"keywords", b"groups", b"causes", b"site", b"classes", b"when", b"name"))
    return b"\n".join([*laughs, key + b": *a9", b"version: *a9", b"rules: *a9"])


def _places(holder: Any) -> Any:
    for key in range(len(holder)) if isinstance(holder, list) else list(holder):
        yield holder, key
        if isinstance(holder[key], list | dict):
            yield from _places(holder[key])
