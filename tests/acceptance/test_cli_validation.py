"""`mad redock`, `mad validate` and `mad rescore` with real servers, a real API and a real worker.

Redocking and rescoring use the real engine.
"""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from rdkit import Chem
from rdkit.Chem import rdDistGeom
from tests.support.mad_command import MadCommand, mad_command

from molecular_analysis_dashboard.presentation.cli.exit_codes import ExitCode

ACTIVES = {"phenol": "Oc1ccccc1", "aniline": "Nc1ccccc1", "toluene": "Cc1ccccc1"}
DECOYS = {"ethanol": "CCO", "propanol": "CCCO", "methylamine": "CN", "again-phenol": "c1ccccc1O"}


@pytest.fixture(scope="module")
def mad() -> Iterator[MadCommand]:
    with mad_command({}) as command:
        command.up("--workers", "2")
        yield command


def cage() -> str:
    places = [(x, y, z) for x in (-6, 0, 6) for y in (-6, 0, 6) for z in (-6, 0, 6) if (x, y, z) != (0, 0, 0)]
    return "".join(
        f"ATOM  {n:5d}  C   GLY A{n:4d}    {x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00    +0.000 C \n"
        for n, (x, y, z) in enumerate(places, start=1)
    )


@pytest.fixture
def receptor(tmp_path: Path) -> Path:
    """A ready receptor: a cage of carbon atoms around the origin."""
    path = tmp_path / "receptor.pdbqt"
    path.write_text(cage())
    return path


@pytest.fixture
def native(tmp_path: Path) -> Path:
    mol = Chem.AddHs(Chem.MolFromSmiles("O=C(O)c1ccccc1"))
    assert rdDistGeom.EmbedMolecule(mol, randomSeed=11) == 0
    mol.SetProp("_Name", "benzoic acid")
    path = tmp_path / "native.sdf"
    path.write_text(Chem.MolToMolBlock(mol) + "$$$$\n")
    return path


def write_smiles(path: Path, molecules: dict[str, str]) -> Path:
    path.write_text("".join(f"{smiles} {name}\n" for name, smiles in molecules.items()))
    return path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_redocking_writes_what_it_found_and_says_the_verdict(
    mad: MadCommand, receptor: Path, native: Path, tmp_path: Path
) -> None:
    out = tmp_path / "redocked"
    result = mad(
        "redock", "--receptor", receptor, "--ligand", native, "--out", out, "--exhaustiveness", "1", "--json"
    )  # fmt: skip

    assert result.code == 0, result.stderr
    found = result.json["redocking"]
    assert [run["seed"] for run in found["runs"]] == [42, 43, 44]
    assert found["native"]["bond_order_source"] == "ligand_file"
    verdict = found["verdict"]
    assert f"{verdict['verdict'].capitalize()}: {verdict['sentence']}" in result.stderr
    assert sorted(path.name for path in out.iterdir()) == ["poses.sdf", "provenance.json", "redock.csv"]
    assert {row["run"] for row in rows(out / "redock.csv")} == {"1", "2", "3"}
    poses = list(Chem.SDMolSupplier(str(out / "poses.sdf")))
    assert len(poses) == sum(len(run["poses"]) for run in found["runs"])
    assert {Chem.MolToSmiles(pose) for pose in poses} == {"O=C([O-])c1ccccc1"}
    again = mad("jobs", "export", result.json["job"]["id"], "--out", tmp_path / "again")
    assert again.code == 0, again.stderr
    assert (tmp_path / "again" / "redock.csv").read_bytes() == (out / "redock.csv").read_bytes()
    provenance = json.loads((out / "provenance.json").read_text())
    assert [run["protocol_seed"] for run in provenance["runs"]] == [42, 43, 44]


@pytest.mark.parametrize(
    ("ligand", "code"), [("STI:A:1", "native_not_found"), ("nowhere.sdf", "file_not_found"), ("a/b", "file_not_found")]
)
def test_a_native_that_is_not_there_is_told(
    mad: MadCommand, receptor: Path, tmp_path: Path, ligand: str, code: str
) -> None:
    result = mad("redock", "--receptor", receptor, "--ligand", ligand, "--out", tmp_path / "out")

    assert (result.code, result.error_code) == (ExitCode.INPUT_REFUSED, code)
    assert not (tmp_path / "out").exists()


def test_a_box_of_one_s_own_must_hold_the_ligand(mad: MadCommand, receptor: Path, native: Path, tmp_path: Path) -> None:
    box = ("--center", "14", "0", "0", "--size", "12", "12", "12")
    result = mad("redock", "--receptor", receptor, "--ligand", native, "--out", tmp_path / "out", *box)

    assert (result.code, result.error_code) == (ExitCode.INPUT_REFUSED, "native_outside")


def test_actives_and_decoys_give_metrics_beside_those_of_size(mad: MadCommand, receptor: Path, tmp_path: Path) -> None:
    out = tmp_path / "validated"
    files = (
        *("--actives", write_smiles(tmp_path / "actives.smi", ACTIVES)),
        *("--decoys", write_smiles(tmp_path / "decoys.smi", DECOYS)),
    )
    box = ("--center", "0", "0", "0", "--size", "14", "14", "14", "--engine", "test", "--exhaustiveness", "1")
    result = mad("validate", "--receptor", receptor, *files, "--out", out, *box, "--json")

    assert result.code == 0, result.stderr
    found = result.json["enrichment"]
    # The test engine scores by size, so that docking and size agree; phenol is in both files.
    assert (found["n_actives"], found["n_decoys"], found["n_in_both"]) == (2, 3, 2)
    assert found["docking"]["roc_auc"]["value"] == found["size"]["roc_auc"]["value"] == 1.0
    assert "2 ligands are in both files" in result.stderr
    names = ["hits.csv", "poses.sdf", "provenance.json", "rejected.csv", "roc.csv", "validation.json"]
    assert sorted(path.name for path in out.iterdir()) == names
    assert json.loads((out / "validation.json").read_text())["enrichment"] == found
    assert rows(out / "roc.csv")[-1]["true_positive_rate"] == "1.0"
    assert len(rows(out / "hits.csv")) == len(ACTIVES) + len(DECOYS)


@pytest.fixture(scope="module")
def screen(mad: MadCommand, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Id of a screen of three small ligands, docked by the real engine."""
    folder = tmp_path_factory.mktemp("screen")
    (folder / "receptor.pdbqt").write_text(cage())
    ligands = write_smiles(folder / "ligands.smi", ACTIVES)
    box = ("--center", "0", "0", "0", "--size", "14", "14", "14", "--exhaustiveness", "1")
    result = mad(
        "dock",
        "--receptor",
        folder / "receptor.pdbqt",
        "--ligands",
        ligands,
        "--out",
        folder / "docked",
        *box,
        "--json",
    )
    assert result.code == 0, result.stderr
    return str(result.json["job"]["id"])


def test_rescoring_in_place_by_the_same_function_gives_the_docked_scores_back(mad: MadCommand, screen: str) -> None:
    result = mad("rescore", screen, "--scoring", "vina", "--poses", "1", "--json")

    assert result.code == 0, result.stderr
    ligands = result.json["ligands"]
    assert len(ligands) == len(ACTIVES)
    for ligand in ligands:
        assert ligand["score_kcal_mol"] == pytest.approx(ligand["docked_score_kcal_mol"], abs=0.01)
        assert (ligand["rank"], ligand["rank_change"]) == (ligand["docked_rank"], 0)
    assert result.json["rescoring"]["agreement"] == {"n_ligands": 3, "spearman": 1.0, "kendall": 1.0}


def test_rescoring_by_another_function_ranks_anew_and_writes_files(
    mad: MadCommand, screen: str, tmp_path: Path
) -> None:
    out = tmp_path / "rescored"
    result = mad("rescore", screen, "--scoring", "vinardo", "--relax", "--top", "2", "--out", out, "--json")

    assert result.code == 0, result.stderr
    ligands, method = result.json["ligands"], result.json["rescoring"]["method"]
    assert method == {"engine": "vina", "scoring": "vinardo", "relax": True}
    assert [ligand["rank"] for ligand in ligands] == [1, 2]
    for ligand in ligands:
        assert ligand["score_kcal_mol"] != pytest.approx(ligand["docked_score_kcal_mol"], abs=0.05)
        assert all(pose["moved_angstrom"] is not None for pose in ligand["poses"])
    assert "2 ligand(s) docked by vina and rescored by vina (vinardo), relaxed" in result.stderr
    assert sorted(path.name for path in out.iterdir()) == ["poses.sdf", "provenance.json", "rescored.csv"]
    table = rows(out / "rescored.csv")
    assert [row["name"] for row in table] == [ligand["name"] for ligand in ligands]
    poses = list(Chem.SDMolSupplier(str(out / "poses.sdf")))
    assert len(poses) == sum(int(row["n_poses"]) for row in table)
    again = mad("jobs", "export", result.json["job"]["id"], "--out", tmp_path / "again")
    assert again.code == 0, again.stderr
    assert (tmp_path / "again" / "rescored.csv").read_bytes() == (out / "rescored.csv").read_bytes()


def test_the_new_ranking_is_shown_to_people(mad: MadCommand, screen: str) -> None:
    result = mad("rescore", screen, "--scoring", "vinardo")

    assert result.code == 0, result.stderr
    title, *lines = result.stdout.splitlines()
    assert title.split() == [
        "rank",
        "change",
        "name",
        "score",
        "kcal/mol",
        "docked",
        "kcal/mol",
        "docked",
        "rank",
        "pose",
    ]
    assert [line.split()[0] for line in lines] == ["1", "2", "3"]
    assert {line.split()[2] for line in lines} == set(ACTIVES)
    assert "Ranks of 3 ligands docked by vina and rescored by vina (vinardo): Spearman's rho" in result.stderr


def test_a_rescoring_of_nothing_or_of_no_job_or_into_a_full_folder_is_told(
    mad: MadCommand, screen: str, tmp_path: Path
) -> None:
    same = mad("rescore", screen)
    assert (same.code, same.error_code) == (ExitCode.INPUT_REFUSED, "nothing_to_change")
    unknown = mad("rescore", "00000000-0000-0000-0000-000000000001", "--scoring", "vinardo")
    assert (unknown.code, unknown.error_code) == (ExitCode.NOT_FOUND, "job_not_found")
    (tmp_path / "mine.txt").write_text("kept")
    early = mad("rescore", screen, "--scoring", "vinardo", "--no-wait", "--out", tmp_path / "new")
    assert (early.code, "--out needs --wait" in early.stderr) == (ExitCode.USAGE, True)
    full = mad("rescore", screen, "--scoring", "vinardo", "--out", tmp_path)
    assert (full.code, full.error_code) == (ExitCode.CONFLICT, "folder_not_empty")
