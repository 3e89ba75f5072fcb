import json

from frontend.write_openapi import SNAPSHOT, document


def test_the_page_s_client_is_generated_from_the_present_api() -> None:
    assert json.loads(SNAPSHOT.read_text()) == document(), (
        "the API has changed: run `.venv/bin/python frontend/write_openapi.py` and, in frontend/, `npm run generate`; "
        "what no longer compiles there would have broken clients"
    )
