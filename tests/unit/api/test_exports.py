import pytest

from molecular_analysis_dashboard.presentation.api.downloads import content_disposition
from molecular_analysis_dashboard.use_cases.export_results import guarded


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_text_that_a_spreadsheet_would_compute_is_guarded(text: str) -> None:
    assert guarded(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "aspirin", "[Na+].[Cl-]", "C=O", "2-propanol", "a=1"])
def test_any_other_text_is_left_as_it_is(text: str) -> None:
    assert guarded(text) == text


def test_a_file_name_cannot_break_out_of_its_header() -> None:
    value = content_disposition('a"\r\nX: 1/ß.csv')["Content-Disposition"]

    assert value == "attachment; filename=\"a___X_ 1__.csv\"; filename*=UTF-8''a%22%0D%0AX%3A%201_%C3%9F.csv"
