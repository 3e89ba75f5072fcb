"""The OpenAPI document as a readable page: every address, parameter, body and answer."""

import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

_CODE = re.compile(r"`([^`]+)`")
# A sentence ends before a space and a capital; abbreviations and numbers do not.
_SENTENCE = re.compile(r"(?<=[.;:]) (?=[A-Z])")
_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem 1.5rem 4rem; }
code, pre { font: 0.875rem/1.45 ui-monospace, monospace; }
details { border: 1px solid #8886; border-radius: .4rem; margin: .5rem 0; }
details > div { padding: 0 1rem .75rem; }
summary { cursor: pointer; padding: .5rem .75rem; }
.method { display: inline-block; font-weight: 700; min-width: 4.5rem; }
table { border-collapse: collapse; width: 100%; }
td, th { border-bottom: 1px solid #8884; padding: .25rem .75rem .25rem 0; text-align: left; vertical-align: top; }
"""


def reference_page(document: Mapping[str, Any]) -> str:
    """Return the page as HTML."""
    info = document["info"]
    body = "".join(_sections(document))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(info["title"])}: API</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head><body>'
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1>{_text(info.get('description', ''))}"
        '<p>For programs: <a href="/openapi.json">openapi.json</a></p>'
        f"{body}<h2>Bodies</h2>{''.join(_schemas(document))}</body></html>"
    )


def _sections(document: Mapping[str, Any]) -> Iterator[str]:
    by_tag: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            by_tag.setdefault(operation["tags"][0], []).append(_operation(method, path, operation))
    for tag, rendered in by_tag.items():
        yield f"<h2>{escape(tag.capitalize())}</h2>{''.join(rendered)}"


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    return (
        f'<details id="{escape(operation["operationId"])}"><summary><span class="method">{escape(method.upper())}'
        f"</span> <code>{escape(path)}</code> {_marked(_purpose(operation))}</summary>"
        f"<div>{_text(operation.get('description', ''))}"
        f"{_parameters(operation.get('parameters', []))}{_request_body(operation.get('requestBody'))}"
        f"{_answers(operation['responses'])}</div></details>"
    )


def _parameters(parameters: list[Mapping[str, Any]]) -> str:
    rows = [
        (parameter["name"], parameter["in"], _type(parameter["schema"]), parameter.get("description", ""))
        for parameter in parameters
    ]
    return _table(("parameter", "in", "type", "meaning"), rows)


def _request_body(body: Mapping[str, Any] | None) -> str:
    rows = [(media, _type(content.get("schema", {}))) for media, content in (body or {}).get("content", {}).items()]
    return _table(("body", "type"), rows)


def _answers(responses: Mapping[str, Any]) -> str:
    rows = []
    for status, response in responses.items():
        content = response.get("content", {})
        shown = ", ".join(f"{media}: {_type(value.get('schema', {}))}" for media, value in content.items())
        rows.append((status, shown, response.get("description", "")))
    return _table(("status", "answer", "meaning"), rows)


def _schemas(document: Mapping[str, Any]) -> Iterator[str]:
    for name, schema in document["components"]["schemas"].items():
        required = schema.get("required", [])
        rows = [
            (field, _type(value), "required" if field in required else "", value.get("description", ""))
            for field, value in schema.get("properties", {}).items()
        ] or [(str(value), "", "", "") for value in schema.get("enum", [])]
        table = _table(("field", "type", "", "meaning"), rows)
        yield (
            f'<details id="schema-{escape(name)}"><summary><code>{escape(name)}</code> {_marked(_purpose(schema))}'
            "</summary>"
            f"<div>{_text(schema.get('description', ''))}{table}</div></details>"
        )


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    for joined in ("anyOf", "oneOf"):
        if joined in schema:
            return " or ".join(_type(part) for part in schema[joined])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if "enum" in schema:
        return ", ".join(str(value) for value in schema["enum"])
    return str(schema.get("const") or schema.get("format") or schema.get("type", "any"))


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    cells = "".join("<tr>" + "".join(f"<td>{_marked(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{''.join(f'<th>{escape(name)}</th>' for name in head)}</tr>{cells}</table>"


def _text(text: str) -> str:
    return "".join(f"<p>{_marked(part)}</p>" for part in text.split("\n\n") if part.strip())


def _purpose(described: Mapping[str, Any]) -> str:
    """Return the first sentence of a description, for its closed entry."""
    return _SENTENCE.split(" ".join(described.get("description", "").split()), maxsplit=1)[0]


def _marked(text: str) -> str:
    """Escape a text and set what stands between backticks as code, as in Markdown."""
    return _CODE.sub(r"<code>\1</code>", escape(text))
