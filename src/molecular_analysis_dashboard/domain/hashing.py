"""Content hashes and seeds: equal specifications give equal numbers, on every machine."""

import hashlib
import json
from collections.abc import Mapping

# Vina reads seed 0 as "random" and takes a signed 32-bit integer.
MAX_SEED = 2**31 - 1


def canonical_json(value: object) -> str:
    """Return JSON with sorted keys and no white space, so that equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def content_hash(value: Mapping[str, object]) -> str:
    """Return the SHA-256 (hex) of a JSON-compatible mapping in canonical form."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def bytes_hash(data: bytes) -> str:
    """Return the SHA-256 (hex) of bytes."""
    return hashlib.sha256(data).hexdigest()


def derive_seed(*parts: object) -> int:
    """Derive a seed in 1..2**31-1 from parts, so that it never depends on chunk, order or attempt."""
    digest = hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") % MAX_SEED + 1
