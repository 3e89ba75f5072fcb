"""Names of uploaded files: shown to people and used to tell formats apart, never to find a file."""

import re
import unicodedata

from molecular_analysis_dashboard.domain.errors import InvalidInput

_MAX_CHARACTERS = 255


def base_name(given: str) -> str:
    """Return the last part of a file name as some systems send it, with its path.

    Raises
    ------
    InvalidInput
        With code ``file_name_invalid`` if nothing usable is left.
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", given))[-1]
    name = "".join(character for character in last if character.isprintable()).strip()
    if name.strip(".") == "" or len(name) > _MAX_CHARACTERS:
        raise InvalidInput(
            f"The upload needs a file name of 1 to {_MAX_CHARACTERS} characters, such as 1abc.pdb.",
            code="file_name_invalid",
        )
    return name


def stem(file_name: str) -> str:
    """Return a file name without its ending and without ``.gz``: how a thing is called that was given no name."""
    plain = re.sub(r"\.gz$", "", file_name, flags=re.IGNORECASE)
    return re.sub(r"(?<=.)\.[A-Za-z0-9]{1,8}$", "", plain)[:200]
