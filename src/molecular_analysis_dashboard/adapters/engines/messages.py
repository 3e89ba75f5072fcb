"""What a slot and its engine process say to each other: length-prefixed JSON, one answer per request.

JSON and not pickle: whatever a hostile ligand does to the engine process, its answers stay data.
"""

import base64
import dataclasses
import json
import struct
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Protocol

from pydantic import Discriminator, TypeAdapter

from molecular_analysis_dashboard.domain.analyses import AnalysisSite, PoseAnalysis, PosedLigand
from molecular_analysis_dashboard.domain.docking import DockedLigand, RejectedLigand
from molecular_analysis_dashboard.domain.ligands import LigandInput, LigandRecord, RejectedRecord, ValidatedLigand
from molecular_analysis_dashboard.domain.pockets import Pocket
from molecular_analysis_dashboard.domain.receptors import PreparedReceptor, ReceptorOptions
from molecular_analysis_dashboard.domain.redocking import NativeMolecule, Redocked
from molecular_analysis_dashboard.domain.rescoring import RescoredPose
from molecular_analysis_dashboard.ports.chemistry_process import SiteSpec

_LENGTH = struct.Struct(">I")
MAX_MESSAGE_BYTES = 2**31


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What every request carries: the ids of the log lines that it causes."""

    ids: dict[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True)
class OpenSite(_Asked):
    """Compute the maps of a site, or find them warm."""

    site: SiteSpec
    op: Literal["open_site"] = "open_site"


@dataclass(frozen=True)
class Dock(_Asked):
    """Dock one ligand at an open site."""

    site_key: str
    ligand: LigandInput
    op: Literal["dock"] = "dock"


@dataclass(frozen=True)
class Redock(_Asked):
    """Dock a native ligand at an open site from a conformer made anew, and measure the poses against it."""

    site_key: str
    native_mol_block: str
    op: Literal["redock"] = "redock"


@dataclass(frozen=True)
class Rescore(_Asked):
    """Score one pose at an open site, where it lies or relaxed."""

    site_key: str
    posed: PosedLigand
    relax: bool
    op: Literal["rescore"] = "rescore"


@dataclass(frozen=True)
class ReadNative(_Asked):
    """Take the native ligand out of a structure, with bond orders."""

    data: bytes
    file_name: str
    selector: str | None
    op: Literal["read_native"] = "read_native"


@dataclass(frozen=True)
class PrepareReceptor(_Asked):
    """Prepare a receptor from a structure file."""

    data: bytes
    file_name: str
    options: ReceptorOptions
    op: Literal["prepare_receptor"] = "prepare_receptor"


@dataclass(frozen=True)
class FindPockets(_Asked):
    """Find the pockets of a prepared receptor."""

    pdb: str
    op: Literal["find_pockets"] = "find_pockets"


@dataclass(frozen=True)
class Validate(_Asked):
    """Validate ligand records."""

    records: tuple[LigandRecord, ...]
    op: Literal["validate"] = "validate"


@dataclass(frozen=True)
class OpenAnalysis(_Asked):
    """Make a receptor ready for analyses, or find it warm."""

    site: AnalysisSite
    op: Literal["open_analysis"] = "open_analysis"


@dataclass(frozen=True)
class Analyse(_Asked):
    """Analyse one pose at a site that is open for it."""

    site_key: str
    posed: PosedLigand
    op: Literal["analyse"] = "analyse"


Request = (
    OpenSite | Dock | Redock | Rescore | ReadNative | PrepareReceptor | FindPockets | Validate | OpenAnalysis | Analyse
)


@dataclass(frozen=True)
class Done:
    """The work is done and has no result."""

    op: Literal["done"] = "done"


@dataclass(frozen=True)
class Docked:
    """The outcome of one ligand."""

    outcome: DockedLigand | RejectedLigand
    op: Literal["docked"] = "docked"


@dataclass(frozen=True)
class NativeRedocked:
    """The outcome of one redocking run."""

    outcome: Redocked | RejectedLigand
    op: Literal["native_redocked"] = "native_redocked"


@dataclass(frozen=True)
class Rescored:
    """The outcome of one pose."""

    outcome: RescoredPose | RejectedLigand
    op: Literal["rescored"] = "rescored"


@dataclass(frozen=True)
class NativeRead:
    """A native ligand."""

    native: NativeMolecule
    op: Literal["native_read"] = "native_read"


@dataclass(frozen=True)
class ReceptorPrepared:
    """A receptor."""

    receptor: PreparedReceptor
    op: Literal["receptor_prepared"] = "receptor_prepared"


@dataclass(frozen=True)
class PocketsFound:
    """The pockets of a receptor, the best first."""

    pockets: tuple[Pocket, ...]
    op: Literal["pockets_found"] = "pockets_found"


@dataclass(frozen=True)
class Validated:
    """Ligands and rejections, in the order of the records."""

    ligands: tuple[ValidatedLigand | RejectedRecord, ...]
    op: Literal["validated"] = "validated"


@dataclass(frozen=True)
class Analysed:
    """What was found out about one pose."""

    analysis: PoseAnalysis
    op: Literal["analysed"] = "analysed"


@dataclass(frozen=True)
class Failed:
    """The work raised an error of ours; `kind` is its class."""

    kind: str
    code: str
    message: str
    details: dict[str, Any]
    op: Literal["failed"] = "failed"


@dataclass(frozen=True)
class OutOfMemory:
    """The work hit the memory limit; the process ends itself after saying so."""

    op: Literal["out_of_memory"] = "out_of_memory"


Response = (
    Done
    | Docked
    | NativeRedocked
    | Rescored
    | NativeRead
    | ReceptorPrepared
    | PocketsFound
    | Validated
    | Analysed
    | Failed
    | OutOfMemory
)

_REQUESTS: TypeAdapter[Request] = TypeAdapter(Annotated[Request, Discriminator("op")])
_RESPONSES: TypeAdapter[Response] = TypeAdapter(Annotated[Response, Discriminator("op")])


class Sink(Protocol):
    """Takes bytes; an unbuffered pipe may take only a part at a time."""

    def write(self, data: memoryview, /) -> int | None:
        """Take some bytes; return how many."""

    def flush(self) -> None:
        """Pass everything on."""


class Source(Protocol):
    """Gives bytes."""

    def read(self, size: int, /) -> bytes | None:
        """Return up to `size` bytes, none at the end."""


def write_message(stream: Sink, message: Request | Response) -> None:
    """Write one message and flush."""
    body = json.dumps(dataclasses.asdict(message), default=_encode, separators=(",", ":")).encode()
    rest = memoryview(_LENGTH.pack(len(body)) + body)
    while rest:
        rest = rest[stream.write(rest) or 0 :]
    stream.flush()


def read_request(stream: Source) -> Request | None:
    """Read the next request; None when the other side has closed the pipe."""
    body = _read_body(stream)
    return None if body is None else _REQUESTS.validate_python(_decode(body))


def read_response(stream: Source) -> Response | None:
    """Read the next response; None when the other side has ended."""
    body = _read_body(stream)
    return None if body is None else _RESPONSES.validate_python(_decode(body))


def _read_body(stream: Source) -> bytes | None:
    head = _read_exactly(stream, _LENGTH.size)
    if head is None:
        return None
    (length,) = _LENGTH.unpack(head)
    return _read_exactly(stream, length) if length <= MAX_MESSAGE_BYTES else None


def _read_exactly(stream: Source, length: int) -> bytes | None:
    parts = []
    while length > 0:
        part = stream.read(length)
        if not part:
            return None
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def _encode(value: object) -> object:
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    raise TypeError(f"{type(value).__name__} is not part of a message")


def _decode(body: bytes) -> object:
    return json.loads(body, object_hook=_revive)


def _revive(value: dict[str, object]) -> object:
    if value.keys() == {"base64"}:
        return base64.b64decode(str(value["base64"]))
    return value
