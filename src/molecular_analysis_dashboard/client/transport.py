"""Requests and answers: addresses, the token, and errors of the server as errors of the domain."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx

from molecular_analysis_dashboard.domain.errors import (
    Conflict,
    InvalidInput,
    MadError,
    NotFound,
    PermissionDenied,
    ResourceLost,
    TooLarge,
    Unauthenticated,
)

# Generous for reading: an export of a large job may take a while to begin.
_TIMEOUT = httpx.Timeout(60.0, connect=5.0)
_KINDS: Mapping[int, type[MadError]] = {
    400: InvalidInput,
    401: Unauthenticated,
    403: PermissionDenied,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    415: InvalidInput,
    422: InvalidInput,
    502: ResourceLost,
    503: ResourceLost,
    504: ResourceLost,
}


class Unreachable(ResourceLost):
    """No server answers at the address."""

    code = "server_unreachable"


class Transport:
    """Sends requests to one server.

    Parameters
    ----------
    base_url : str
        For example ``http://127.0.0.1:8000``.
    token : str, optional
        Sent as bearer token.

    Raises
    ------
    InvalidInput
        ``server_address_invalid`` when the address is none.
    """

    def __init__(self, base_url: str, token: str | None = None) -> None:
        self.base_url = base_url.rstrip("/")
        if urlsplit(self.base_url).scheme not in ("http", "https") or not urlsplit(self.base_url).hostname:
            raise InvalidInput(
                f"“{base_url}” is not the address of a server. Write it as http://host:port.",
                code="server_address_invalid",
            )
        headers = {"Accept": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        # The shell's proxy is not asked: the server is a machine of the laboratory's own.
        self._http = httpx.Client(base_url=self.base_url, headers=headers, timeout=_TIMEOUT, trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        json: object = None,
        content: Iterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Send one request and return the JSON object that is the answer.

        Raises
        ------
        Unreachable
            When no answer comes.
        MadError
            What the server answered, with its code, message and details.
        """
        with self._translated():
            response = self._http.request(method, path, params=params, json=json, content=content, headers=headers)
        if not response.is_success:
            raise _error_of(response)
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise MadError(
                f"{self.base_url} answers, but not as this program expects. Check the address.",
                code="answer_unreadable",
            )
        return answer

    def stream(self, path: str) -> Iterator[bytes]:
        """Yield the body of an answer of any kind in pieces; errors as in `ask`."""
        with self._translated(), self._http.stream("GET", path, headers={"Accept": "*/*"}) as response:
            if not response.is_success:
                response.read()
                raise _error_of(response)
            yield from response.iter_bytes()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except httpx.TransportError as error:
            raise Unreachable(
                f"The server at {self.base_url} does not answer ({_reason(error)}). Check the address, or start it: "
                "mad up.",
                url=self.base_url,
            ) from error


def _reason(error: httpx.TransportError) -> str:
    return str(error) or type(error).__name__


def _error_of(response: httpx.Response) -> MadError:
    kind = _KINDS.get(response.status_code, MadError)
    try:
        answer = response.json()
        if "checks" in answer:
            return _not_ready(answer["checks"])
        body = answer["error"]
        return kind(
            str(body["message"]),
            code=str(body["code"]),
            **{**body.get("details", {}), "request_id": body.get("request_id")},
        )
    except (ValueError, KeyError, TypeError):
        return kind(
            f"{response.request.url.host} answered {response.status_code} {response.reason_phrase} without saying "
            "why. Check that the address is that of a server of this product.",
            status=response.status_code,
        )


def _not_ready(checks: Sequence[Mapping[str, Any]]) -> ResourceLost:
    failing = [check for check in checks if not check["ok"]]
    reasons = "; ".join(f"{check['name']}: {check['message']}" for check in failing)
    return ResourceLost(
        f"The server is not ready. {reasons}", code="not_ready", failing=[check["name"] for check in failing]
    )
