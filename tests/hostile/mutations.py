"""Ways to spoil a file: its bytes, its tokens whatever the format, and the names in it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from random import Random
from typing import Final

#: What a name can be that does something to whoever shows it, or looks it up, or takes it for a path.
NAMES: Final = (
    "\x1b[2J\x1b[31mred",
    "\x1b]0;title\x07",
    "\x9b31m",
    "a\r\nError: forged",
    "tab\tbed",
    "nul\x00",
    "\x7f\x08\x08",
    "[bold]b[/bold]",
    "[/]",
    "[/nothing]",
    "[link=http://example.com]x[/link]",
    "<script>alert(1)</script>",
    "&lt;\"'><b>",
    "]]>",
    "\u202edrowkcab",
    "\u2028line",
    "\u200bnothing",
    "\ufeffmarked",
    "\ud800",
    "\U0001f98a" * 40,
    "e\u0301" * 30,
    "../../../etc/passwd",
    "/etc/passwd",
    "C:\\nul",
    "..",
    "%s%n{0}{x!r}",
    "$(id)",
    "--help",
    "=1+1",
    "",
    " ",
    "vault",
    "a" * 300,
    "long/../x",
    "1" * 80,
)

#: Values, as text, that stand where another was.
VALUES: Final = (
    *("0", "-0", "-1", "1.5", "1e5", "1e999", "-1e-999", "1" * 79, "9" * 401, "9" * 5_000, "1" * 100_000),
    *("0x10", "0o7", "1_000", "+1", ".5", "5.", "00", "NaN", "Infinity", "-Infinity", "nan", "inf"),
    *("null", "true", "false", "True", "None", "[]", "{}", '""', "''", '"""', "[" * 2_000, '{"a":' * 2_000),
    *("[" * 300 + "]" * 300, '{"a":' * 300 + "1" + "}" * 300, "1979-05-27T07:32:00Z", "07:32:00", "a.b.c = 1"),
    *('"1"', '"-1"', '"1e9999"', '"0.' + "1" * 400 + '"', '"1/3"', '"\u0663"', '"\u00b2"', '"1_0"', '" 1"', '"NaN"'),
    *(
        '"\\ud800"',
        '"\\u0000"',
        '"\\u001b[2J"',
        '"\\x1b"',
        '"\x1b"',
        "\x00",
        "\x1b[2J",
        "\ufeff",
        "#",
        ",",
        "\n",
        "\r\n",
    ),
)

_BYTES: Final = (
    *(b"\x00", b"\xff", b"\xfe\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80", b"\x1b[2J"),
    *(b"\n", b"\r", b"\r\n", b"\x0c", b"\x1a", b'"', b"'", b"\\", b"{", b"}", b"[", b"]", b",", b":", b"=", b"#", b"-"),
    *(b"\xe2\x80\xa8", b"\xc2\x85", b" " * 5_000, b"\n" * 2_000, b"9" * 5_000),
)

_TOKEN: Final = re.compile(r'"(?:[^"\\\n]|\\.)*"|-?\d+(?:\.\d+)?|[A-Za-z_][\w./-]*')
_STRING: Final = re.compile(r'"((?:[^"\\\n]|\\.)*)"|(?<=,)([A-Za-z][\w-]*)(?=,)')

Mutation = Callable[[Random, bytes], bytes]


def spoil(random: Random, data: bytes) -> bytes:
    """One way, mostly; now and then two or three."""
    for _ in range(random.choice((1, 1, 1, 1, 2, 3))):
        data = random.choice(MUTATIONS)(random, data)
    return data


def replace_bytes(random: Random, data: bytes) -> bytes:
    place = random.randint(0, len(data))
    return data[:place] + random.choice(_BYTES) + data[place + random.choice((0, 0, 1, 3)) :]


def flip_a_bit(random: Random, data: bytes) -> bytes:
    if not data:
        return b"\x01"
    place = random.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << random.randrange(8)]) + data[place + 1 :]


def cut(random: Random, data: bytes) -> bytes:
    """The end, a part in the middle, or all."""
    start, end = sorted((random.randint(0, len(data)), random.randint(0, len(data))))
    return random.choice((data[:start], data[start:], data[:start] + data[end:], b""))


def repeat(random: Random, data: bytes) -> bytes:
    """A line, or a part, twice or many times."""
    lines = data.splitlines(keepends=True) or [b""]
    place = random.randrange(len(lines))
    return b"".join([*lines[:place], lines[place] * random.choice((2, 2, 3, 500)), *lines[place + 1 :]])


def swap_lines(random: Random, data: bytes) -> bytes:
    lines = data.splitlines(keepends=True) or [b""]
    one, other = random.randrange(len(lines)), random.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"".join(lines)


def encode_otherwise(random: Random, data: bytes) -> bytes:
    text = data.decode(errors="replace")
    encoding = random.choice(("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "utf-7", "latin-1", "cp037"))
    return text.encode(encoding, errors="replace")


def replace_token(random: Random, data: bytes) -> bytes:
    """A word, number or string by a value."""
    text = data.decode(errors="surrogateescape")
    found = list(_TOKEN.finditer(text))
    if not found:
        return replace_bytes(random, data)
    token = random.choice(found)
    value = random.choice((random.choice(VALUES), json.dumps(random.choice(NAMES)), random.choice(found).group()))
    return encode(text[: token.start()] + value + text[token.end() :])


def say_twice(random: Random, data: bytes) -> bytes:
    """A member of an object again, with another value, or as another name."""
    text = data.decode(errors="surrogateescape")
    found = list(re.finditer(r'"[^"\\\n]*"\s*:\s*(?:"[^"\\\n]*"|-?\d+)|^\w+ *= *[^\n]*\n', text, re.MULTILINE))
    if not found:
        return repeat(random, data)
    pair = random.choice(found)
    again = pair.group() if pair.group().endswith("\n") else pair.group() + ","
    return encode(text[: pair.start()] + again + text[pair.start() :])


def rename(random: Random, data: bytes) -> bytes:
    """A name wherever it stands: what is read may be right, and is shown."""
    text = data.decode(errors="surrogateescape")
    found = sorted({one for match in _STRING.finditer(text) for one in match.groups() if one})
    if not found:
        return replace_bytes(random, data)
    old, new = random.choice(found), random.choice(NAMES)
    quoted = text.replace(f'"{old}"', json.dumps(new, ensure_ascii=random.random() < 0.7))
    # in a table of commas, cells are quoted only where they must be
    return encode(quoted.replace(f",{old},", ',"' + new.replace('"', '""') + '",'))


def encode(text: str) -> bytes:
    return text.encode(errors="surrogateescape") if text.isascii() else text.encode("utf-8", "surrogatepass")


MUTATIONS: Final[tuple[Mutation, ...]] = (
    *(rename, rename, rename, replace_token, replace_token, replace_token),
    *(replace_bytes, flip_a_bit, cut, repeat, swap_lines, encode_otherwise, say_twice),
)
