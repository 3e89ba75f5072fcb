"""Text from users' files, made fit to be stored, printed and exported.

Names and records come with control characters, which steer terminals, and with marks that turn the direction of
writing, which make a text look like another one. Letters of every script stay.
"""

MAX_NAME_CHARACTERS = 200
SHOWN_INPUT_CHARACTERS = 200


def readable_name(text: str) -> str:
    """Return a name on one line, at most 200 characters long."""
    return shortened(" ".join(_clean(text[: 4 * MAX_NAME_CHARACTERS]).split()), MAX_NAME_CHARACTERS)


def readable_text(text: str) -> str:
    """Return a text whose only control characters are line feeds."""
    return "\n".join(_clean(line) for line in text.split("\n"))


def shortened(text: str, most: int = SHOWN_INPUT_CHARACTERS) -> str:
    """Return a text of at most so many characters, which shows where it was cut."""
    return text if len(text) <= most else text[: most - 1] + "…"


def _clean(text: str) -> str:
    """Turn white space and separators into spaces and drop what cannot be seen: controls, marks, surrogates."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else " " if one.isspace() else "" for one in text)
