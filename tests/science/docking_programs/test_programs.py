"""Real programs of the Vina family, as `make test-engines` finds them in MAD_TEST_ENGINE_COMMANDS."""

import re
from dataclasses import replace

import pytest

from molecular_analysis_dashboard.adapters.chemistry.ligand_preparation import prepare_states
from molecular_analysis_dashboard.adapters.chemistry.poses import matches_state, pose_mol, symmetry_rmsd
from molecular_analysis_dashboard.adapters.engines.ligand_docking import dock_ligand
from molecular_analysis_dashboard.adapters.engines.vina import VinaEngine
from molecular_analysis_dashboard.adapters.engines.vina_command import VinaCommandEngine, VinaCommandSite
from molecular_analysis_dashboard.domain.docking import DockedLigand, DockingProtocol, SearchEffort
from molecular_analysis_dashboard.domain.errors import EngineFailed
from molecular_analysis_dashboard.domain.ligands import LigandInput, LigandOptions, LigandState
from molecular_analysis_dashboard.domain.receptors import PreparedReceptor
from molecular_analysis_dashboard.domain.rejections import LigandRejected, RejectionReason
from molecular_analysis_dashboard.domain.sites import SearchBox
from molecular_analysis_dashboard.ports.engine import RelaxingSite

QUICK = DockingProtocol(effort=SearchEffort(exhaustiveness=2), n_poses=3)
CHARGE = re.compile(r"[+-]\d\.\d{3} (?=[A-Z])")
ASPIRIN, MACROCYCLE = "CC(=O)Oc1ccccc1C(=O)O", "O=C1CCCCCCCCCCCN1"


@pytest.fixture(scope="module")
def small_box(box: SearchBox) -> SearchBox:
    return SearchBox(box.center, (16.0, 16.0, 16.0))


@pytest.fixture
def site(engine: VinaCommandEngine, receptor: PreparedReceptor, small_box: SearchBox) -> VinaCommandSite:
    return engine.open_site(receptor.pdbqt, small_box, replace(QUICK, engine=engine.build.engine))


def dock(site: VinaCommandSite, smiles: str) -> DockedLigand:
    outcome = dock_ligand(site, LigandInput("id", "name", smiles), QUICK, ["receptor", "box"])
    assert isinstance(outcome, DockedLigand)
    return replace(outcome, seconds_cpu=0)


def test_build_names_the_program(engine: VinaCommandEngine) -> None:
    build = engine.build
    print(f"\n{build.build_id}: {', '.join(build.scoring_functions)}; {', '.join(engine.parameter_schema)}")  # noqa: T201
    assert build.build_id.startswith(f"{build.engine}-{build.version}-")
    assert build.version != "0"
    assert build.scoring_functions[0] == "vina"


@pytest.mark.parametrize("smiles", [ASPIRIN, MACROCYCLE])
def test_poses_are_the_docked_molecule_and_repeat_exactly(site: VinaCommandSite, smiles: str) -> None:
    first = dock(site, smiles)
    dock(site, "CCO")

    assert dock(site, smiles) == first
    for pose in first.poses:
        assert matches_state(first.state_mol_block, pose.coordinates, first.state_smiles)


def test_score_is_near_that_of_the_bundled_vina(
    site: VinaCommandSite, receptor: PreparedReceptor, small_box: SearchBox
) -> None:
    bundled = dock_ligand(
        VinaEngine().open_site(receptor.pdbqt, small_box, QUICK), LigandInput("id", "n", ASPIRIN), QUICK, ["receptor"]
    )
    assert isinstance(bundled, DockedLigand)
    # Versions differ by tenths at equal seeds (1.2.3 against 1.2.7), and so do short searches.
    assert dock(site, ASPIRIN).score_kcal_mol == pytest.approx(bundled.score_kcal_mol, abs=1.0)


def test_every_scoring_function_scores_in_place(
    engine: VinaCommandEngine, receptor: PreparedReceptor, box: SearchBox, native_state: LigandState
) -> None:
    for scoring in engine.build.scoring_functions:
        protocol = replace(QUICK, scoring=scoring)
        score = engine.open_site(receptor.pdbqt, box, protocol).score(native_state)
        bundled = VinaEngine().open_site(receptor.pdbqt, box, protocol).score(native_state)
        assert score == pytest.approx(bundled, abs=1.5)


def test_relaxing_leads_where_the_bundled_vina_leads(
    engine: VinaCommandEngine, receptor: PreparedReceptor, box: SearchBox, native_state: LigandState
) -> None:
    protocol = replace(QUICK, scoring="vina")
    sites = (one.open_site(receptor.pdbqt, box, protocol) for one in (engine, VinaEngine()))
    own, bundled = (site.relax(native_state) for site in sites if isinstance(site, RelaxingSite))

    assert own.score_kcal_mol == pytest.approx(bundled.score_kcal_mol, abs=1.0)
    there, elsewhere = (pose_mol(native_state.mol_block, pose.coordinates) for pose in (own, bundled))
    assert symmetry_rmsd(there, elsewhere) < 1.0


def test_receptor_that_it_cannot_read_is_refused(
    engine: VinaCommandEngine, receptor: PreparedReceptor, small_box: SearchBox
) -> None:
    with pytest.raises(EngineFailed) as refused:
        engine.open_site(re.sub(CHARGE, "+x.xxx ", receptor.pdbqt, count=1), small_box, QUICK)
    assert refused.value.error_code == "receptor_refused"
    assert engine.build.engine in refused.value.message


def test_ligand_that_it_cannot_read_is_rejected_with_its_words(
    engine: VinaCommandEngine, site: VinaCommandSite
) -> None:
    state = prepare_states(LigandInput("id", "name", ASPIRIN), LigandOptions(), 7)[0]
    with pytest.raises(LigandRejected) as rejected:
        site.dock(replace(state, pdbqt=state.pdbqt.replace("ENDROOT", "ENDROT")), seed=1)
    assert rejected.value.reason in (RejectionReason.PREPARATION_FAILED, RejectionReason.NO_POSE)
    assert engine.build.engine in rejected.value.message
