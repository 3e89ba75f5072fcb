"""Uploads as they come in: raw bodies and multipart forms, streamed to a thread in constant memory."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Protocol, TypeVar

import anyio
from anyio import from_thread, to_thread
from pydantic import TypeAdapter, ValidationError
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.exceptions import HTTPException
from starlette.requests import Request

from molecular_analysis_dashboard.domain.errors import InvalidInput
from molecular_analysis_dashboard.presentation.api.schemas.common import Name

T = TypeVar("T")
_NAME: TypeAdapter[str] = TypeAdapter(Name)

_MULTIPART = "multipart/form-data"
_MAX_FIELD_BYTES = 10_000
# Slow senders must not keep other requests' threads waiting.
MAX_CONCURRENT_UPLOADS = 16

FILE_QUERY = "Name of the file; its ending helps to tell the format. A multipart form carries it with the file."


class _Source(Protocol):
    @property
    def file_name(self) -> str | None: ...
    @property
    def name(self) -> str | None: ...
    def stream(self) -> AsyncIterator[bytes]: ...


class _Raw:
    """The body is the file."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self.file_name: str | None = None
        self.name: str | None = None

    def stream(self) -> AsyncIterator[bytes]:
        return self._request.stream()


class _Multipart:
    """One part of a form is the file; small fields may stand before and behind it."""

    def __init__(self, request: Request, boundary: bytes) -> None:
        self._request = request
        self.file_name: str | None = None
        self._fields: dict[str, bytes] = {}
        self._header_name, self._header_value = b"", b""
        self._part: str | None = None
        self._is_file = False
        self._pending: list[bytes] = []
        self._complete = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin_part,
                "on_header_field": self._add_header_name,
                "on_header_value": self._add_header_value,
                "on_header_end": self._end_header,
                "on_part_data": self._add_data,
                "on_end": self._end,
            },
        )

    @property
    def name(self) -> str | None:
        value = self._fields.get("name")
        return None if value is None else value.decode(errors="replace")

    async def stream(self) -> AsyncIterator[bytes]:
        async for chunk in self._request.stream():
            if chunk:
                self._feed(chunk)
                for piece in self._pending:
                    yield piece
                self._pending.clear()
        if not self._complete or self.file_name is None:
            raise InvalidInput(
                "The form is incomplete, or has no part with a file. Send the file in a part with a file name.",
                code="malformed_form",
            )

    def _feed(self, chunk: bytes) -> None:
        try:
            self._parser.write(chunk)
        except MultipartParseError as error:
            raise InvalidInput("The multipart form cannot be read.", code="malformed_form") from error

    def _begin_part(self) -> None:
        self._part, self._is_file = None, False

    def _add_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _add_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _end_header(self) -> None:
        if self._header_name.lower() == b"content-disposition":
            _, options = parse_options_header(self._header_value)
            self._part = options.get(b"name", b"").decode(errors="replace")
            if b"filename" in options:
                if self.file_name is not None:
                    raise InvalidInput("Send one file at a time.", code="malformed_form")
                self._is_file, self.file_name = True, options[b"filename"].decode(errors="replace")
        self._header_name, self._header_value = b"", b""

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self._pending.append(data[start:end])
        elif self._part is not None:
            value = self._fields.get(self._part, b"") + data[start:end]
            if len(value) > _MAX_FIELD_BYTES:
                raise InvalidInput(f"The form's field {self._part[:80]} is too long.", code="malformed_form")
            self._fields[self._part] = value

    def _end(self) -> None:
        self._complete = True


class IncomingFile:
    """An upload; `chunks` may be iterated once, in the thread that `handle` runs in.

    `file_name` and `name` are known for certain only when the chunks are exhausted: a form may name things last.
    """

    def __init__(self, source: _Source, file_name: str | None, name: str | None) -> None:
        self._source = source
        self._file_name = file_name
        self._name = name

    @property
    def file_name(self) -> str:
        """Name of the file as the client gave it; InvalidInput if it gave none."""
        given = self._file_name or self._source.file_name
        if not given:
            raise InvalidInput("Say what the file is called: ?file_name=1abc.pdb", code="file_name_missing")
        return given

    @property
    def name(self) -> str | None:
        """What the thing shall be called, if the client said so."""
        if self._name or not self._source.name:
            return self._name
        try:
            return _NAME.validate_python(self._source.name)
        except ValidationError as error:
            raise InvalidInput(
                "The name must be 1 to 200 printable characters on one line.", code="name_invalid"
            ) from error

    def chunks(self) -> Iterator[bytes]:
        """Yield the file; InvalidInput (``empty_file``) at the end if there was nothing."""
        stream, empty = self._source.stream(), True

        async def following() -> bytes | None:
            return await anext(stream, None)

        while (chunk := from_thread.run(following)) is not None:
            empty = empty and not chunk
            yield chunk
        if empty:
            raise InvalidInput("The file is empty.", code="empty_file")


def media_type_of(request: Request) -> str:
    """Return the content type without its parameters, in lower case."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def incoming_file(request: Request, *, file_name: str | None, name: str | None) -> IncomingFile:
    """Take the request's body for an upload: a form, or anything but JSON as the file itself; else 415.

    No other content type is refused: ``curl --data-binary`` and browsers each send one of their own.
    """
    media_type = media_type_of(request)
    if media_type == _MULTIPART:
        _, options = parse_options_header(request.headers["content-type"])
        boundary = options.get(b"boundary", b"")
        if not 1 <= len(boundary) <= 70:  # RFC 2046, 5.1.1
            raise InvalidInput("The multipart form names no usable boundary.", code="malformed_form")
        return IncomingFile(_Multipart(request, boundary), file_name, name)
    if media_type == "application/json":
        raise HTTPException(
            415, "Send the file as the body itself (application/octet-stream) or as a multipart form with a file part."
        )
    incoming = IncomingFile(_Raw(request), file_name, name)
    _ = incoming.file_name
    return incoming


def upload_limiter() -> anyio.CapacityLimiter:
    """Return a limiter for the threads of uploads; one per event loop."""
    return anyio.CapacityLimiter(MAX_CONCURRENT_UPLOADS)


async def handle(work: Callable[[], T], limiter: anyio.CapacityLimiter) -> T:
    """Run the work of an upload in a thread of its own kind."""
    return await to_thread.run_sync(work, limiter=limiter)


def upload_body(json_schema: dict[str, Any] | None = None) -> dict[str, Any]:
    """Describe the body of an upload for the OpenAPI document."""
    binary = {"type": "string", "format": "binary"}
    form = {
        "type": "object",
        "required": ["file"],
        "properties": {"file": binary, "name": {"type": "string", "maxLength": 200}},
    }
    content: dict[str, Any] = {
        "application/octet-stream": {"schema": binary},
        _MULTIPART: {"schema": form},
    }
    if json_schema is not None:
        content["application/json"] = {"schema": json_schema}
    return {"requestBody": {"required": True, "content": content}}
