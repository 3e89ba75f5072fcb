import json
import re
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from molecular_analysis_dashboard.domain.docking import PRESETS, EffortPreset, SearchEffort
from molecular_analysis_dashboard.domain.docking import DockingProtocol as DomainProtocol
from molecular_analysis_dashboard.domain.receptors import ReceptorOptions as DomainOptions
from molecular_analysis_dashboard.presentation.api.schemas.jobs import JobCreate, RedockCreate, ScreenCreate
from molecular_analysis_dashboard.presentation.api.schemas.libraries import LibraryFromText
from molecular_analysis_dashboard.presentation.api.schemas.protocols import DockingProtocol, ProtocolCreate
from molecular_analysis_dashboard.presentation.api.schemas.receptors import ReceptorCreate, ReceptorOptions
from molecular_analysis_dashboard.presentation.api.schemas.sites import BindingSiteCreate


def test_a_protocol_s_defaults_are_the_domain_s() -> None:
    assert DomainProtocol.from_json(DockingProtocol().model_dump()) == DomainProtocol()


def test_the_receptor_options_defaults_are_the_domain_s() -> None:
    assert DomainOptions.from_json(ReceptorOptions().model_dump()) == DomainOptions()


@pytest.mark.parametrize(
    "changed",
    [
        {"seed": 0},
        {"seed": 2**31},
        {"n_poses": 0},
        {"n_poses": 101},
        {"effort": {"exhaustiveness": 0}},
        {"effort": {"exhaustivness": 8}},
        {"effort": {"preset": "heroic"}},
        {"effort": {"preset": ["standard"]}},
        {"effort": {"preset": None}},
        {"effort": {"preset": "standard", "run_length": 0.9}},
        {"effort": {"run_length": 0}},
        {"effort": {"run_length": 1.5}},
        {"effort": {"max_rounds": 0}},
        {"effort": {"max_rounds": 3, "agreeing_rounds": 1}},
        {"effort": {"max_rounds": 3, "agreeing_rounds": 4}},
        {"effort": []},
        {"effort": "standard"},
        {"energy_range_kcal_mol": 0},
        {"min_rmsd_angstrom": float("nan")},
        {"min_rmsd_angstrom": 0},
        {"seed": True},
        {"seed": "5"},
        {"seed": 5.0},
        {"energy_range_kcal_mol": "3"},
        {"energy_range_kcal_mol": True},
        {"ligands": {"protonate": "yes"}},
        {"ligands": {"protonate": 1}},
        {"engine": "Vina; rm -rf"},
        {"ligands": {"ph": 15}},
        {"ligands": {"max_states": 0}},
        {"flexible_residues": "A:GLU80"},
        {"flexible_residues": ["A:80"]},
        {"flexible_residues": [f"A:GLU{number}" for number in range(17)]},
        {"unknown": 1},
    ],
)
def test_a_protocol_out_of_range_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ProtocolCreate.model_validate({"name": "p", "protocol": changed})


@pytest.mark.parametrize(
    ("given", "effort"),
    [
        ({}, PRESETS[EffortPreset.STANDARD]),
        ({"preset": "quick"}, PRESETS[EffortPreset.QUICK]),
        ({"preset": "thorough"}, PRESETS[EffortPreset.THOROUGH]),
        ({"exhaustiveness": 4}, SearchEffort(4)),
        ({"preset": "custom"}, SearchEffort()),
        ({"preset": "custom", "run_length": 0.5, "max_rounds": 2}, SearchEffort(8, 0.5, 2)),
    ],
)
def test_an_effort_comes_by_name_or_by_numbers(given: dict[str, Any], effort: SearchEffort) -> None:
    read = DockingProtocol.model_validate({"effort": given})

    assert DomainProtocol.from_json(read.model_dump()).effort == effort
    assert read.effort.preset is effort.preset
    assert DockingProtocol.model_validate(read.model_dump()) == read


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a\0b", "x" * 201])
def test_a_name_that_is_no_printable_line_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        LibraryFromText.model_validate({"name": name, "smiles": "C"})


@pytest.mark.parametrize(
    "changed",
    [
        {"model": 0},
        {"ph": -1},
        {"waters": "some"},
        {"keep": ["ZN:A:1:2"]},
        {"keep": ["Z N"]},
        {"site_center": [1, 2]},
        {"site_center": [1, 2, float("inf")]},
        {"site_radius_angstrom": -1},
        {"site_center": ["1", 2, 3]},
        {"override_problems": "true"},
        {"model": "1"},
    ],
)
def test_receptor_options_out_of_range_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ReceptorCreate.model_validate({"structure_id": str(uuid4()), "options": changed})


@pytest.mark.parametrize(
    "origin",
    [
        {},
        {"type": "pocket"},
        {"type": "pocket", "receptor_id": str(uuid4())},
        {"type": "pocket", "receptor_id": str(uuid4()), "rank": 0},
        {"type": "pocket", "receptor_id": str(uuid4()), "rank": "1"},
        {"type": "pocket", "receptor_id": str(uuid4()), "rank": 1, "padding_angstrom": -1},
        {"type": "residues", "residues": []},
        {"type": "manual", "center": [0, 0, 0]},
        {"type": "manual", "center": [0, 0], "size": [20, 20, 20]},
        {"type": "manual", "center": ["nan", 0, 0], "size": [20, 20, 20]},
        {"type": "manual", "center": [0, 0, 0], "size": ["20", 20, 20]},
        {"type": "manual", "center": [True, 0, 0], "size": [20, 20, 20]},
        {"type": "native_ligand", "padding_angstrom": -1},
        {"type": "native_ligand", "file": {"file_name": "x.sdf", "content": ""}},
        {"type": "native_ligand", "template": "C\0"},
        {"type": "native_ligand", "residues": ["A:1"]},
    ],
)
def test_an_origin_that_says_too_little_or_too_much_is_refused(origin: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        BindingSiteCreate.model_validate({"structure_id": str(uuid4()), "origin": origin})


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "redock"},
        {"kind": "validate"},
        {"kind": "prepare"},
        {"kind": ["screen"]},
        {"priority": 101},
        {"priority": "1"},
        {"name": ""},
        {"library_id": "x"},
    ],
)
def test_a_job_out_of_range_is_refused(changed: dict[str, Any]) -> None:
    ids = {key: str(uuid4()) for key in ("receptor_id", "site_id", "library_id", "protocol_id")}
    with pytest.raises(ValidationError):
        TypeAdapter(JobCreate).validate_python(ids | changed)


@pytest.mark.parametrize(
    "changed",
    [{"runs": 0}, {"runs": 21}, {"runs": "3"}, {"native": {"file_name": "x.sdf"}}, {"library_id": str(UUID(int=1))}],
)
def test_a_redocking_out_of_range_is_refused(changed: dict[str, Any]) -> None:
    ids = {key: str(uuid4()) for key in ("receptor_id", "site_id", "protocol_id")}
    body = ids | {"kind": "redock"}
    assert isinstance(TypeAdapter(JobCreate).validate_python(body), RedockCreate)
    with pytest.raises(ValidationError):
        TypeAdapter(JobCreate).validate_python(body | changed)


@pytest.mark.parametrize(
    ("address", "model"), [("receptors", ReceptorCreate), ("protocols", ProtocolCreate), ("jobs", ScreenCreate)]
)
def test_the_example_in_the_written_reference_is_accepted(address: str, model: type[BaseModel]) -> None:
    written = (Path(__file__).parents[3] / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
    example = re.search(rf"-X POST http://localhost:8000/api/v1/{address} .*?-d '(.*?)'", written, re.DOTALL)
    assert example is not None

    model.model_validate(json.loads(example[1]))
