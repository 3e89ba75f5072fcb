"""Telling waters, ions, ligands, cofactors, additives, glycans and modified residues apart."""

from collections.abc import Iterator, Sequence
from enum import StrEnum

import gemmi


class GroupKind(StrEnum):
    """What a residue is to docking."""

    POLYMER = "polymer"
    MODIFIED_RESIDUE = "modified_residue"
    WATER = "water"
    ION = "ion"
    COFACTOR = "cofactor"
    GLYCAN = "glycan"
    ADDITIVE = "additive"
    LIGAND = "ligand"


IN_CHAIN = frozenset({GroupKind.POLYMER, GroupKind.MODIFIED_RESIDUE})

# Chemical Component Dictionary codes of haems, nicotinamides, flavins, nucleotides, thiamine, pyridoxal,
# pterins, coenzyme A, biotin, lipoate, quinones, adenosylmethionine and iron-sulphur clusters.
COFACTORS = frozenset(
    """HEM HEC HEA HEB HAS DHE SRM COH CLA BCL CHL BPH PHO B12 COB CNC FAD FMN FDA RBF NAD NAI NAP NDP NAH TPP TDP
    PLP PMP PLR LLP THF THG FOL DHF MTX H4B BH4 HBI COA ACO SCA MLC BTN BTI LPA LIP UQ1 UQ2 U10 PQQ SAM SAH ATP ADP
    AMP ANP ACP AGS GTP GDP GNP GSP GCP GMP UDP UTP CTP CDP CMP TTP SF4 FES F3S FS3 CLF CFN MGD PCD MTE MOS GSH
    TOP PEB CYC ASC F43 F42 CFM ICS WCO HDD ZNH HIF FEC""".split()
) - {"MTX", "BTI", "TOP"}

# Buffers, cryoprotectants, precipitants and reducing agents that crystallographers add.
ADDITIVES = frozenset(
    """GOL EDO PEG PGE PG4 1PE 2PE P6G PE4 PE5 PE8 7PE 12P 15P PEU XPE SO4 PO4 PI NO3 ACT ACY FMT CIT FLC TAR MLI MLA
    OXL CO3 BCT TRS EPE MES BTB IMD DMS DMF MPD MRD IPA POL EOH MOH BME DTT DTU TCE BOG BGL LDA LMT DAO C8E SDS
    TLA BEZ AZI SCN CAC UNX UNL DOD NH4 SIN PGO PDO BU1 BU3 HEZ GAI URE ACN CCN CYN CM5 OLC OLA PLM MYR D10 D12
    HTO HEX TBU EEE ETX 1BO BUD MXE P33 P3G 144 NHE CXS PIN SPD SPM""".split()
)
_ELEMENT_IONS = frozenset(
    """Li Na K Rb Cs Mg Ca Sr Ba Mn Fe Co Ni Cu Zn Cd Hg Al Ga In Tl Pb Pt Au Ag Pd Rh Ru Os Ir Re W Mo V Cr Y La Ce Pr
    Nd Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Th U Ti Zr Hf F Cl Br I Be Sc As Se""".split()
)
_GLYCANS = frozenset(
    """NAG NDG MAN BMA FUC FUL FCA FCB GAL GLA GLC BGC NGA A2G SIA SLB XYS XYP RIB ARA RAM GCU BDP IDR SGN
    IDS""".split()
)
# Groups that close the ends of chains and have no backbone of their own.
CAPS = frozenset({"ACE", "FOR", "NME", "NMA", "NH2"})
_CHAIN_BONDS = (("C", "N"), ("O3'", "P"), ("O3*", "P"))
_CHAIN_BOND_ANGSTROM = 2.2
# 1.33 Å, with what a poor model may be off.
_PEPTIDE_BOND_ANGSTROM = 1.6
_SOLVENT = frozenset({"HOH", "DOD", "WAT", "H2O", "TIP", "TIP3", "T3P", "SOL", "OH2"})
# Force fields and other programs write these names for standard residues.
PROTEIN_ALIASES = {
    "HID": "HIS", "HIE": "HIS", "HIP": "HIS", "HSD": "HIS", "HSE": "HIS", "HSP": "HIS", "CYX": "CYS", "CYM": "CYS",
    "ASH": "ASP", "GLH": "GLU", "LYN": "LYS", "CYS2": "CYS", "ARN": "ARG", "TYM": "TYR",
    "HISA": "HIS", "HISB": "HIS", "HISD": "HIS", "HISE": "HIS", "HISH": "HIS", "HIS1": "HIS", "HIS2": "HIS",
    "CYSH": "CYS", "CYS1": "CYS", "ASPH": "ASP", "ASPP": "ASP", "GLUH": "GLU", "GLUP": "GLU", "LYSH": "LYS",
    "ARGN": "ARG",
}  # fmt: skip
NUCLEIC_ALIASES = {
    "ADE": "A", "CYT": "C", "GUA": "G", "URA": "U", "THY": "DT", "RA": "A", "RC": "C", "RG": "G", "RU": "U",
    "A5": "A", "A3": "A", "C5": "C", "C3": "C", "G5": "G", "G3": "G", "U5": "U", "U3": "U",
    "RA5": "A", "RA3": "A", "RC5": "C", "RC3": "C", "RG5": "G", "RG3": "G", "RU5": "U", "RU3": "U",
    "DA5": "DA", "DA3": "DA", "DC5": "DC", "DC3": "DC", "DG5": "DG", "DG3": "DG", "DT5": "DT", "DT3": "DT",
}  # fmt: skip

# AMBER puts N or C before the names of residues at the ends of a chain.
_AMBER_ENDS = frozenset(
    """ALA ARG ASH ASN ASP CYS CYX GLH GLN GLU GLY HID HIE HIP HIS ILE LEU LYN LYS MET PHE PRO SER THR TRP TYR
    VAL""".split()
)


def standard_name(name: str) -> str:
    """Return the standard residue name for force-field variants such as ``HSD`` or ``CYX``."""
    known = PROTEIN_ALIASES.get(name) or NUCLEIC_ALIASES.get(name)
    if known is None and len(name) == 4 and name[0] in "NC" and name[1:] in _AMBER_ENDS:
        return PROTEIN_ALIASES.get(name[1:], name[1:])
    return known or name


def is_standard_residue(name: str) -> bool:
    """Whether the name is one of the 20 amino acids or 8 nucleotides, aliases included."""
    info = gemmi.find_tabulated_residue(standard_name(name))
    return bool(info.found() and info.is_standard() and (info.is_amino_acid() or info.is_nucleic_acid()))


def is_polymer_like(residue: gemmi.Residue) -> bool:
    """Whether the residue, looked at alone, is part of a chain; `classified` looks at its neighbours too."""
    if is_standard_residue(residue.name):
        return residue.entity_type is not gemmi.EntityType.NonPolymer
    return residue.entity_type is gemmi.EntityType.Polymer and _has_backbone(residue)


def classified(chain: gemmi.Chain) -> Iterator[tuple[gemmi.Residue, GroupKind]]:
    """Yield the residues of a chain with their kinds.

    A standard residue belongs to the chain unless the file says it is on its own; anything else with a backbone
    belongs to it only where it is bonded to a neighbour, so that a nucleotide or amino acid that is a ligand or a
    cofactor stays one.
    """
    residues = list(chain)
    for index, residue in enumerate(residues):
        neighbours = residues[max(index - 1, 0) : index] + residues[index + 1 : index + 2]
        yield residue, classify(residue, _in_polymer(residue, neighbours))


def _in_polymer(residue: gemmi.Residue, neighbours: Sequence[gemmi.Residue]) -> bool:
    if is_standard_residue(residue.name) and residue.entity_type is not gemmi.EntityType.NonPolymer:
        return True
    if _has_backbone(residue) or residue.name in CAPS:
        return any(_bonded(residue, other) or _bonded(other, residue) for other in neighbours)
    return residue.entity_type is gemmi.EntityType.Polymer and any(_grown_together(residue, o) for o in neighbours)


def _grown_together(residue: gemmi.Residue, neighbour: gemmi.Residue) -> bool:
    """Whether a residue with atom names of its own, such as a chromophore, has a peptide bond to its neighbour."""
    ends = [end for name in ("C", "N") if (end := _any_atom(neighbour, name)) is not None]
    return any(
        end.pos.dist(atom.pos) <= _PEPTIDE_BOND_ANGSTROM and {atom.element.name, end.element.name} == {"C", "N"}
        for end in ends
        for atom in residue
    )


def _bonded(first: gemmi.Residue, second: gemmi.Residue) -> bool:
    """Whether a peptide or phosphodiester bond leads from one residue to the next."""
    for tail, head in _CHAIN_BONDS:
        start, end = _any_atom(first, tail), _any_atom(second, head)
        if start is not None and end is not None and start.pos.dist(end.pos) <= _CHAIN_BOND_ANGSTROM:
            return True
    return False


def _any_atom(residue: gemmi.Residue, name: str) -> gemmi.Atom | None:
    return next((atom for atom in residue if atom.name == name), None)


def classify(residue: gemmi.Residue, in_polymer: bool) -> GroupKind:
    """Return the kind of a residue, given whether it belongs to a chain."""
    name = residue.name
    if in_polymer:
        return GroupKind.POLYMER if is_standard_residue(name) else GroupKind.MODIFIED_RESIDUE
    if name in _SOLVENT or residue.is_water():
        return GroupKind.WATER
    heavy = {atom.name: atom.element.name for atom in residue if not atom.is_hydrogen()}
    if len(heavy) == 1 and next(iter(heavy.values())) in _ELEMENT_IONS:
        return GroupKind.ION
    if len(heavy) == 1 and next(iter(heavy.values())) == "O":
        return GroupKind.WATER
    for kind, names in (
        (GroupKind.COFACTOR, COFACTORS),
        (GroupKind.ADDITIVE, ADDITIVES),
        (GroupKind.GLYCAN, _GLYCANS),
    ):
        if name in names:
            return kind
    return GroupKind.LIGAND


def _has_backbone(residue: gemmi.Residue) -> bool:
    names = {atom.name for atom in residue}
    return {"N", "CA", "C"} <= names or {"C3'", "C4'", "C5'"} <= names or {"C3*", "C4*", "C5*"} <= names
