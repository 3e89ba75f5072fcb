"""The demo's molecules are the ones that their names say."""

from importlib.resources import files

import pytest
from rdkit import Chem
from rdkit.Chem.rdinchi import MolToInchiKey
from rdkit.Chem.rdMolDescriptors import CalcMolFormula

from molecular_analysis_dashboard.adapters.chemistry.validation import validate_record
from molecular_analysis_dashboard.domain.ligands import LigandRecord
from molecular_analysis_dashboard.domain.rejections import LigandRejected

LINES = (files("molecular_analysis_dashboard.presentation.cli.demo_data") / "drugs.smi").read_text().splitlines()
SMILES = {name: smiles for smiles, name in (line.split() for line in LINES)}
# Molecular formulas and standard InChIKeys, stereochemistry included, as compound databases list them.
KNOWN = {
    "ergotamine": ("C33H35N5O5", "XCGSFFUVFURLIX-VFGNJEKYSA-N"),
    "dihydroergotamine": ("C33H37N5O5", "LUZRJRNZXALNLM-JGRZULCMSA-N"),
    "methysergide": ("C21H27N3O2", "KPJZHOPZRAFDTN-ZRGWGRIASA-N"),
    "sumatriptan": ("C14H21N3O2S", "KQKPFRSPSRPDEB-UHFFFAOYSA-N"),
    "zolmitriptan": ("C16H21N3O2", "ULSDMUVEXKOYBU-ZDUSSCGKSA-N"),
    "naratriptan": ("C17H25N3O2S", "AMKVXSZCKVJAGH-UHFFFAOYSA-N"),
    "rizatriptan": ("C15H19N5", "ULFRLSNUDGIQQP-UHFFFAOYSA-N"),
    "eletriptan": ("C22H26N2O2S", "PWVXXGRKLHYWKM-LJQANCHMSA-N"),
    "propranolol": ("C16H21NO2", "AQHHHDLHHXJYJD-AWEZNQCLSA-N"),
    "haloperidol": ("C21H23ClFNO2", "LNEPOXFFQSENCJ-UHFFFAOYSA-N"),
    "risperidone": ("C23H27FN4O2", "RAPZEAPATHNIPO-UHFFFAOYSA-N"),
    "diazepam": ("C16H13ClN2O", "AAOVKJBEBIDNHE-UHFFFAOYSA-N"),
    "caffeine": ("C8H10N4O2", "RYYVLZVUVIJVGH-UHFFFAOYSA-N"),
    "ibuprofen": ("C13H18O2", "HEFNNWSXXWATRW-JTQLQIEISA-N"),
}
WRONG = ("five-bonds-on-one-carbon", "unclosed-bracket")


def test_every_record_is_accounted_for() -> None:
    assert len(LINES) == len(SMILES)
    assert set(SMILES) == {*KNOWN, *WRONG}


@pytest.mark.parametrize("name", KNOWN)
def test_drug_is_the_one_its_name_says(name: str) -> None:
    mol = Chem.MolFromSmiles(SMILES[name])
    assert (CalcMolFormula(mol), MolToInchiKey(mol)) == KNOWN[name]


@pytest.mark.parametrize("name", WRONG)
def test_record_that_is_wrong_on_purpose_is_rejected(name: str) -> None:
    with pytest.raises(LigandRejected):
        validate_record(LigandRecord(1, SMILES[name], "smiles", name))
