import pytest

from molecular_analysis_dashboard.domain.errors import InvalidInput
from molecular_analysis_dashboard.use_cases.file_names import base_name, stem


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("1abc.pdb", "1abc.pdb"),
        ("/etc/passwd", "passwd"),
        ("../../x.pdb", "x.pdb"),
        ("C:\\Users\\me\\Müller 1.cif.gz", "Müller 1.cif.gz"),
        ("a\nb\0.pdb", "ab.pdb"),
        (" x.sdf ", "x.sdf"),
    ],
)
def test_a_path_loses_all_but_its_last_part(given: str, kept: str) -> None:
    assert base_name(given) == kept


@pytest.mark.parametrize("given", ["", ".", "..", "/", "a/..", "\n", "x" * 256])
def test_a_name_without_anything_usable_is_refused(given: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        base_name(given)

    assert caught.value.error_code == "file_name_invalid"


@pytest.mark.parametrize(
    ("file_name", "name"),
    [("1abc.pdb", "1abc"), ("x.cif.gz", "x"), ("X.SDF.GZ", "X"), ("no ending", "no ending"), (".pdb", ".pdb")],
)
def test_a_thing_is_called_after_its_file(file_name: str, name: str) -> None:
    assert stem(file_name) == name
