"""Start conformers of ligands: embedded by distance geometry, relaxed with a force field."""

from collections.abc import Iterator

from rdkit import Chem
from rdkit.Chem import rdDistGeom, rdForceFieldHelpers

from molecular_analysis_dashboard.adapters.chemistry.rdkit_messages import take_messages
from molecular_analysis_dashboard.domain.hashing import derive_seed
from molecular_analysis_dashboard.domain.rejections import LigandRejected, RejectionReason

# Of a whole molecule, not per atom. From the distance matrix one try in twenty to a hundred succeeds for crowded
# macrolides and taxanes, nearly each for other drugs. From random coordinates tries succeed far more often but cost
# up to half a second each, and a series of them stays with the shape it began with: hence several seeds.
_LEAST_TRIES = 50
_HASTY_TRIES = 5
_TRIES_FROM_RANDOM = 20
_SEEDS_FROM_RANDOM = 4
_FORCE_FIELD_STEPS = 1000


def embed(mol: Chem.Mol, seed: int, *, patiently: bool = True) -> str:
    """Give a molecule with hydrogens a conformer in place and say how.

    How long it tries is counted, never timed: the outcome must not depend on the load of the machine. What takes too
    long all the same is ended with its engine process.

    Parameters
    ----------
    patiently : bool
        Whether it goes on after a few tries, to hundreds of them and to random coordinates.

    Raises
    ------
    LigandRejected
        ``embedding_failed`` after every try.
    """
    for parameters, step in _ways(mol, seed, patiently=patiently):
        if _try_embedding(mol, parameters):
            return step
    tried = Chem.MolToSmiles(Chem.RemoveHs(mol))
    how = f"with {_SEEDS_FROM_RANDOM} random seeds" if patiently else "a few times"
    raise LigandRejected(RejectionReason.EMBEDDING_FAILED, f"Tried for {tried} {how}.")


def relax(mol: Chem.Mol) -> str:
    """Relax the conformer in place; MMFF94s where it has parameters, else UFF, and say which."""
    if rdForceFieldHelpers.MMFFHasAllMoleculeParams(mol):
        name, minimize = "MMFF94s", _minimize_mmff
    elif rdForceFieldHelpers.UFFHasAllMoleculeParams(mol):
        name, minimize = "UFF (MMFF94s lacks parameters)", _minimize_uff
    else:
        take_messages()
        return "not relaxed: no force field has its parameters"
    before = mol.GetConformer().GetPositions()
    try:
        status = minimize(mol)
    except (RuntimeError, ValueError):
        mol.GetConformer().SetPositions(before)
        return f"not relaxed: {name} failed"
    finally:
        take_messages()
    return f"relaxed with {name}" + (f", not converged in {_FORCE_FIELD_STEPS} steps" if status == 1 else "")


def embedding_parameters(seed: int, tries: int, **more: bool) -> rdDistGeom.EmbedParameters:
    """Return ETKDGv3 parameters (Wang 2020, doi:10.1021/acs.jcim.0c00025)."""
    parameters = rdDistGeom.ETKDGv3()
    for name, value in {"randomSeed": seed, "maxIterations": tries, "useSmallRingTorsions": True, **more}.items():
        # RDKit's stubs give every field the type of the whole.
        setattr(parameters, name, value)
    return parameters


def _ways(mol: Chem.Mol, seed: int, *, patiently: bool) -> Iterator[tuple[rdDistGeom.EmbedParameters, str]]:
    tries = max(_LEAST_TRIES, mol.GetNumAtoms()) if patiently else _HASTY_TRIES
    yield embedding_parameters(seed, tries), "conformer by ETKDGv3"
    # RDKit 2026.9 can minimize no all-carbon ring of five with its small-ring torsions: methylcyclopentane fails.
    yield (
        embedding_parameters(seed, _HASTY_TRIES, useSmallRingTorsions=False),
        "conformer by ETKDGv3 without small-ring torsions",
    )
    for number in range(_SEEDS_FROM_RANDOM if patiently else 0):
        own = seed if number == 0 else derive_seed(seed, "embedding", number)
        yield (
            embedding_parameters(own, _TRIES_FROM_RANDOM, useRandomCoords=True),
            "conformer by ETKDGv3 from random coordinates" + (f" with seed {own}" if number else ""),
        )


def _try_embedding(mol: Chem.Mol, parameters: rdDistGeom.EmbedParameters) -> bool:
    try:
        return bool(rdDistGeom.EmbedMolecule(mol, parameters) == 0)
    except (RuntimeError, ValueError):
        # RDKit's minimizer gives up on some strained systems with a violated invariant.
        return False
    finally:
        take_messages()


def _minimize_mmff(mol: Chem.Mol) -> int:
    return int(rdForceFieldHelpers.MMFFOptimizeMolecule(mol, mmffVariant="MMFF94s", maxIters=_FORCE_FIELD_STEPS))


def _minimize_uff(mol: Chem.Mol) -> int:
    return int(rdForceFieldHelpers.UFFOptimizeMolecule(mol, maxIters=_FORCE_FIELD_STEPS))
