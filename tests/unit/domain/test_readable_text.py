import pytest

from molecular_analysis_dashboard.domain.readable_text import (
    MAX_NAME_CHARACTERS,
    readable_name,
    readable_text,
    shortened,
)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("aspirin", "aspirin"),
        ("  two   words\t", "two words"),
        ("Äthanol 日本 אב", "Äthanol 日本 אב"),
        ("red\x1b[31m\x07 alert", "red[31m alert"),
        ("gpj\u202eexe.", "gpjexe."),
        ("\u2066hidden\u2069 \u200b\ufeffmarks", "hidden marks"),
        ("line\u2028break\r\nand\x0bmore", "line break and more"),
        ("nul\0byte", "nulbyte"),
        ("lone \ud800surrogate", "lone surrogate"),
        ("\x1b\u202e\0", ""),
        ("no\u00a0break", "no break"),
    ],
)
def test_names_keep_letters_and_lose_what_steers_a_terminal(given: str, name: str) -> None:
    assert readable_name(given) == name


def test_names_and_inputs_are_cut_where_it_shows() -> None:
    assert readable_name("x" * 10**6) == "x" * (MAX_NAME_CHARACTERS - 1) + "…"
    assert (shortened("abc", 3), shortened("abcd", 3)) == ("abc", "ab…")


def test_lines_of_a_text_stay_apart() -> None:
    assert readable_text("title\n\x1b[2J\r\n  1  0") == "title\n[2J \n  1  0"
