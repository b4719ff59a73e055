"""What every page is made of: one HTML file that asks for nothing and runs no script but its own.

Each script's and the style's hash stands in the page's policy, so a browser runs and obeys nothing else, whatever names
are shown. Texts are escaped by the template, and data is JSON without a ``<``.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files

import altair as alt
import vl_convert
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup


def render(
    template: str, *, begin: bytes, style: str, script: str, data: Mapping[str, object], **words: object
) -> Iterator[str]:
    """The page's text, piece by piece. ``data``: what scripts read, under ``data-`` and its name."""
    library = get_library()
    policy = {
        "default-src": "'none'",
        "script-src": f"{_hash(library)} {_hash(script)}",
        "style-src": _hash(style),
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, loader=FunctionLoader(read)
    )
    pieces: Iterator[str] = environment.from_string(template).generate(
        begin=Markup(begin.decode()),
        policy="; ".join(f"{name} {value}" for name, value in policy.items()),
        style=Markup(style),
        script=Markup(script),
        library=Markup(library),
        data={name: to_json(value) for name, value in data.items()},
        **words,
    )
    return pieces


def read(name: str) -> str:
    """A file that pages share."""
    return (files(__package__) / name).read_text(encoding="utf-8")


@cache
def get_library() -> str:
    """Vega, Vega-Lite and what embeds them, such that no script's end can be read into it."""
    major, minor, *_ = alt.SCHEMA_VERSION.removeprefix("v").split(".")
    bundle: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=f"{major}.{minor}")
    return bundle.replace("\r", "\\r").replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def to_json(value: object) -> Markup:
    return seal(json.dumps(value, separators=(",", ":"), allow_nan=False))


def seal(text: str) -> Markup:
    """ASCII JSON in which nothing can be taken for markup."""
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))
