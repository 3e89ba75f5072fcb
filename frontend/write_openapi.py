"""Write the API's description to `frontend/openapi.json`, from which the page's client is generated."""

import json
from pathlib import Path
from typing import Any

from molecular_analysis_dashboard.presentation.api.main import app

SNAPSHOT = Path(__file__).with_name("openapi.json")


def document() -> dict[str, Any]:
    """Return the description; without the release's number, which changes nothing for a client."""
    described = app.openapi()
    return described | {"info": described["info"] | {"version": "1"}}


if __name__ == "__main__":
    SNAPSHOT.write_text(json.dumps(document(), indent=2, ensure_ascii=False) + "\n")
