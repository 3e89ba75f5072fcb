"""Reading macromolecular structures: PDB, mmCIF and PDBQT, gzip too, and what they hold."""

import re

import gemmi

from molecular_analysis_dashboard.adapters.chemistry.compressed_input import decode, decompress, plain_name
from molecular_analysis_dashboard.adapters.chemistry.coordinates import refuse_unplaced_atoms, refuse_unreadable_lines
from molecular_analysis_dashboard.adapters.chemistry.hetero_groups import IN_CHAIN, GroupKind, classified, standard_name
from molecular_analysis_dashboard.adapters.chemistry.pdbqt import element_of
from molecular_analysis_dashboard.domain.errors import InvalidInput
from molecular_analysis_dashboard.domain.receptors import HeteroGroup, StructureFormat, StructureSummary

MAX_STRUCTURE_BYTES = 500_000_000
_PDBQT_SUFFIX = ".pdbqt"
_LONG_NAME = 4
_ATOM_RECORD = re.compile(r"^(ATOM  |HETATM)", re.MULTILINE)
_CIF_BLOCK = re.compile(r"^\s*data_", re.MULTILINE)
# PDBQT writes the AutoDock atom type where PDB leaves columns 78-79 to element and charge.
_PDBQT_ATOM = re.compile(r"^(?:ATOM  |HETATM).{64}.{0,4}\s*[+-]?\d+\.\d+ +[A-Z][A-Za-z0-9]{0,2}\s*$", re.MULTILINE)


def read_structure(data: bytes, file_name: str) -> gemmi.Structure:
    """Read a structure file.

    Raises
    ------
    InvalidInput
        With code ``empty_file``, ``unknown_format``, ``truncated_gzip``, ``corrupt_gzip``, ``no_atoms``,
        ``coordinates_invalid`` or ``too_large_decompressed``.
    """
    return read_structure_and_format(data, file_name)[0]


def read_structure_and_format(data: bytes, file_name: str) -> tuple[gemmi.Structure, StructureFormat]:
    """Read a structure file and say which format its content has; see `read_structure`."""
    text = structure_text(data)
    found = detect_format(text, file_name)
    try:
        structure = _parse(text, found)
    except (ValueError, RuntimeError, IndexError) as cause:
        raise InvalidInput(
            f"The file was taken for {found.upper()} but cannot be read: {_first_line(cause)}",
            code="unknown_format",
            format=str(found),
        ) from cause
    if len(structure) == 0 or structure[0].count_atom_sites() == 0:
        raise InvalidInput(
            "The file holds no atoms. Give a PDB, mmCIF or PDBQT file with coordinates.", code="no_atoms"
        )
    if found is StructureFormat.MMCIF:
        refuse_unplaced_atoms(structure)
    else:
        refuse_unreadable_lines(text)
    structure.setup_entities()
    return structure, found


def structure_text(data: bytes) -> str:
    """Return the file's text, unpacked and decoded; see `read_structure` for errors."""
    return decode(decompress(data, max_bytes=MAX_STRUCTURE_BYTES)).replace("\r\n", "\n").replace("\r", "\n")


def detect_format(text: str, file_name: str) -> StructureFormat:
    """Tell the format by content; the name only settles PDB against PDBQT where both fit."""
    has_atoms = _ATOM_RECORD.search(text) is not None
    if _CIF_BLOCK.search(text) is not None and "_atom_site" in text:
        return StructureFormat.MMCIF
    if has_atoms and (plain_name(file_name).endswith(_PDBQT_SUFFIX) or _looks_like_pdbqt(text)):
        return StructureFormat.PDBQT
    if has_atoms:
        return StructureFormat.PDB
    if _CIF_BLOCK.search(text) is not None or re.search(r"^(HEADER|REMARK|CRYST1)", text, re.MULTILINE):
        raise InvalidInput(
            "The file holds no atoms. Give a PDB, mmCIF or PDBQT file with coordinates.", code="no_atoms"
        )
    raise InvalidInput(
        "The file is neither PDB, mmCIF nor PDBQT. Give a structure in one of these formats.",
        code="unknown_format",
    )


def summarize_structure(data: bytes, file_name: str) -> StructureSummary:
    """Say what a structure file holds, before any preparation; see `read_structure` for errors."""
    structure, found = read_structure_and_format(data, file_name)
    model = structure[0]
    residues = [(chain, residue, kind) for chain in model for residue, kind in classified(chain)]
    n_in_chains = sum(1 for _, _, kind in residues if kind in IN_CHAIN)
    groups = tuple(
        _hetero_group(residue, chain.name, kind) for chain, residue, kind in residues if kind is not GroupKind.POLYMER
    )
    return StructureSummary(
        format=found,
        n_models=len(structure),
        chains=tuple(dict.fromkeys(chain.name for chain in model)),
        n_residues=n_in_chains,
        n_atoms=model.count_atom_sites(),
        hetero_groups=groups,
        warnings=_warnings(structure, groups, n_in_chains),
    )


def residue_number(residue: gemmi.Residue) -> str:
    """Return the author's residue number with its insertion code, for example ``52A``."""
    return f"{residue.seqid.num}{residue.seqid.icode.strip()}"


def _parse(text: str, found: StructureFormat) -> gemmi.Structure:
    # Columns are bytes to gemmi: one character must stay one byte, and names are ASCII in all three formats.
    text = text.encode("ascii", errors="replace").decode()
    if found is StructureFormat.MMCIF:
        document = gemmi.cif.read_string(text)
        block = next((block for block in document if block.find_loop("_atom_site.id")), document[0])
        return gemmi.make_structure_from_block(block)
    if found is StructureFormat.PDB:
        text = "\n".join(_with_short_name(line) for line in text.splitlines())
    if found is StructureFormat.PDBQT:
        text = "\n".join(_pdb_line(line) for line in text.splitlines() if _is_structure_record(line))
    return gemmi.read_pdb_string(text)


def _with_short_name(line: str) -> str:
    """Return an atom line in which a force field's name of four letters gives way to the standard one of three."""
    if not line.startswith(("ATOM", "HETATM")) or line[20:21] in ("", " "):
        return line
    name = line[17:21].strip()
    known = standard_name(name)
    return line if known == name or len(name) != _LONG_NAME else f"{line[:17]}{known:>3} {line[21:]}"


def _is_structure_record(line: str) -> bool:
    return line.startswith(("ATOM", "HETATM", "MODEL", "ENDMDL", "TER"))


def _pdb_line(line: str) -> str:
    """Turn a PDBQT atom line into a PDB line with the element in its own columns."""
    if not line.startswith(("ATOM", "HETATM")):
        return line
    element = element_of(line[77:].strip() or line.split()[-1])
    return f"{line[:66]:<76}{element:>2}"


def _looks_like_pdbqt(text: str) -> bool:
    if re.search(r"^(ROOT|BRANCH|TORSDOF)\b", text, re.MULTILINE):
        return True
    lines = [line for line in text.splitlines()[:2000] if line.startswith(("ATOM", "HETATM"))][:50]
    return bool(lines) and all(_PDBQT_ATOM.match(line) for line in lines)


def _hetero_group(residue: gemmi.Residue, chain: str, kind: GroupKind) -> HeteroGroup:
    heavy = [atom for atom in residue if not atom.is_hydrogen()] or list(residue)
    unique = {atom.name for atom in heavy}
    mean = [sum(values) / len(heavy) for values in zip(*(atom.pos.tolist() for atom in heavy), strict=True)]
    return HeteroGroup(
        name=residue.name,
        chain=chain,
        number=residue_number(residue),
        kind=kind.value,
        n_heavy_atoms=len(unique),
        center=(round(mean[0], 3), round(mean[1], 3), round(mean[2], 3)),
    )


def _warnings(structure: gemmi.Structure, groups: tuple[HeteroGroup, ...], n_in_chains: int) -> tuple[str, ...]:
    model = structure[0]
    warnings = []
    if len(structure) > 1:
        warnings.append(f"The file holds {len(structure)} models; preparation uses one of them.")
    altlocs = sum(1 for chain in model for residue in chain if any(atom.altloc != "\0" for atom in residue))
    if altlocs:
        warnings.append(f"{altlocs} residues have alternative locations; the one of highest occupancy is used.")
    if n_in_chains == 0:
        warnings.append("The file holds no protein or nucleic acid.")
    if any(group.kind == GroupKind.MODIFIED_RESIDUE for group in groups):
        warnings.append("The file holds modified residues; the preparation report says how each is treated.")
    return tuple(warnings)


def _first_line(cause: Exception) -> str:
    return str(cause).strip().splitlines()[0][:200] if str(cause).strip() else "no reason was given"
