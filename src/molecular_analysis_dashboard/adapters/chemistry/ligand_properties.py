"""Descriptors, drug-likeness and structural alerts of a ligand, from its graph."""

from functools import cache

from rdkit import Chem
from rdkit.Chem import QED, rdMolDescriptors
from rdkit.Chem.FilterCatalog import FilterCatalog, FilterCatalogParams

from molecular_analysis_dashboard.adapters.chemistry.rdkit_messages import take_messages
from molecular_analysis_dashboard.domain.analyses import AlertCatalogue, LigandProperties


def ligand_properties(smiles: str) -> LigandProperties | None:
    """Return what the graph of a ligand says, or None where RDKit cannot read it."""
    mol = Chem.MolFromSmiles(smiles)
    if mol is None:
        take_messages()
        return None
    return LigandProperties(
        logp=round(float(rdMolDescriptors.CalcCrippenDescriptors(mol)[0]), 3),
        tpsa=round(float(rdMolDescriptors.CalcTPSA(mol)), 2),
        h_bond_donors=int(rdMolDescriptors.CalcNumHBD(mol)),
        h_bond_acceptors=int(rdMolDescriptors.CalcNumHBA(mol)),
        rotatable_bonds=int(rdMolDescriptors.CalcNumRotatableBonds(mol)),
        rings=int(rdMolDescriptors.CalcNumRings(mol)),
        fraction_sp3=round(float(rdMolDescriptors.CalcFractionCSP3(mol)), 3),
        qed=round(float(QED.qed(mol)), 3),  # type: ignore[no-untyped-call] # RDKit annotates the module in part
        alerts=structural_alerts(mol),
    )


def structural_alerts(mol: Chem.Mol) -> tuple[str, ...]:
    """Return ``CATALOGUE:name`` of every alert, each once.

    PAINS: Baell and Holloway 2010, doi:10.1021/jm901137j. BRENK: Brenk 2008, doi:10.1002/cmdc.200700139. NIH: Jadhav
    2010, doi:10.1021/jm901070c, and Doveston 2015, doi:10.1039/C4OB02287D. All as RDKit carries them.
    """
    found = (
        f"{name}:{entry.GetDescription()}" for name in AlertCatalogue for entry in _catalogue(name).GetMatches(mol)
    )
    return tuple(dict.fromkeys(found))


@cache
def _catalogue(name: AlertCatalogue) -> FilterCatalog:
    parameters = FilterCatalogParams()
    parameters.AddCatalog(getattr(FilterCatalogParams.FilterCatalogs, name))
    return FilterCatalog(parameters)
