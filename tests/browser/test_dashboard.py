"""The page in a real browser, over the real API, servers and workers; only the docking engine is a quick one."""

import re
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from mad_test_engine import CRASHER
from playwright.sync_api import Locator, Page, expect
from rdkit import Chem
from rdkit.Chem.rdDistGeom import EmbedMolecule
from tests.browser.running_api import RunningApi
from tests.support.ledger_stack import LedgerStack
from tests.support.waiting import wait_until

from molecular_analysis_dashboard.domain.jobs import JobState
from molecular_analysis_dashboard.domain.sites import SearchBox

ACIDS = ("CC", "CCC", "CCCC", "CCCCC", "c1ccccc1", "C1CC1", "CC(C)", "C1CCC1")
AMINES = ("C", "CC", "C1CC1", "Cc1ccccc1", "CCC")
SERIES = {f"{acid}-{amine}": f"{acid}C(=O)N{amine}" for acid, amine in product(ACIDS, AMINES)}
CRASHING = {"crasher": f"{CRASHER}CCCCO"}
VERDICT = re.compile(r"✓ pass|✗ \d+ failed")
SMALL = {"cresol": "Cc1ccccc1O", "toluene": "Cc1ccccc1", "ethanol": "CCO"}
# In the pocket of the 5-HT1B receptor that ProLIF ships (PDB 4IAQ).
POCKET = SearchBox((3.2, 0.4, 11.2), (20.0, 20.0, 20.0))
SOON_MS = 20_000
DONE_S = 90
DONE_MS = 1000 * DONE_S


@pytest.fixture(autouse=True)
def _no_worker_is_left(stack: LedgerStack) -> Iterator[None]:
    yield
    stack.stop_workers()


@pytest.fixture(scope="module")
def finished(stack: LedgerStack) -> UUID:
    """A completed screen with one rejected ligand."""
    stack.start_worker()
    job_id = stack.submit(SERIES | CRASHING)
    stack.wait_completed(job_id)
    return job_id


@pytest.fixture(scope="module")
def analysed(stack: LedgerStack) -> UUID:
    """A completed screen in a real pocket, with the poses of its best ligand analysed."""
    stack.start_worker(slots=1)
    job_id = stack.submit(SMALL, analyse_top=1, receptor_pdbqt=(pocket_folder() / "rec.pdb").read_text(), box=POCKET)
    stack.wait_completed(job_id)
    waiting = "SELECT count(*) FROM results WHERE job_id = :id AND analysed_at IS NOT NULL"
    wait_until(lambda: stack.scalar(waiting, id=job_id) == 1, DONE_S, lambda: stack.explain(job_id))
    return job_id


def pocket_folder() -> Path:
    spec = find_spec("prolif")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "data" / "vina"


def native_block() -> str:
    mol = Chem.AddHs(Chem.MolFromSmiles("CC(=O)Nc1ccccc1"))
    assert EmbedMolecule(mol, randomSeed=7) == 0
    return Chem.MolToMolBlock(mol)


def row_of(page: Page, job_id: UUID) -> Locator:
    link = page.locator(f"a[href='#/jobs/{job_id}']")
    return page.get_by_role("navigation", name="Jobs").get_by_role("listitem").filter(has=link)


def column(page: Page, number: int) -> list[str]:
    """Texts of the rows that are in the document, in the order of the list."""
    rows = page.get_by_role("grid").locator(".grid-body [role=row]")
    expect(rows.first).to_be_visible(timeout=SOON_MS)
    texts: list[tuple[int, str]] = [
        (int(row.get_attribute("aria-rowindex") or 0), row.get_by_role("gridcell").nth(number).inner_text())
        for row in rows.all()
    ]
    return [text for _, text in sorted(texts)]


def open_hits(page: Page, api: RunningApi, job_id: UUID, rest: str = "") -> None:
    page.goto(f"{api.url}#/jobs/{job_id}{rest}")
    expect(page.get_by_role("grid")).to_be_visible(timeout=SOON_MS)


def expect_live(page: Page) -> None:
    expect(page.get_by_text("Live", exact=True)).to_be_visible(timeout=SOON_MS)


def test_a_screen_appears_and_ends_without_reloading(page: Page, api: RunningApi, stack: LedgerStack) -> None:
    page.goto(api.url)
    expect_live(page)
    stack.start_worker()
    job_id = stack.submit(SERIES | CRASHING, exhaustiveness=10)
    row = row_of(page, job_id)
    expect(row).to_be_visible(timeout=SOON_MS)
    expect(row.get_by_text("Completed", exact=True)).to_be_visible(timeout=DONE_MS)
    expect(row.get_by_role("progressbar")).to_have_attribute(
        "aria-valuetext", f"{len(SERIES)} scored, 1 rejected", timeout=SOON_MS
    )
    row.get_by_role("link").click()
    expect(page.get_by_role("grid")).to_have_attribute("aria-rowcount", str(len(SERIES) + 1), timeout=SOON_MS)


def test_the_best_score_comes_first(page: Page, api: RunningApi, finished: UUID) -> None:
    open_hits(page, api, finished)
    scores = [float(text) for text in column(page, 2)]
    assert len(scores) > 10
    assert scores == sorted(scores)
    assert column(page, 0)[:3] == ["1", "2", "3"]


def test_an_order_is_part_of_the_address(page: Page, api: RunningApi, finished: UUID) -> None:
    open_hits(page, api, finished)
    page.get_by_role("columnheader", name="Name").get_by_role("button").click()
    expect(page.get_by_role("columnheader", name="Name")).to_have_attribute("aria-sort", "ascending")
    assert page.url.endswith(f"#/jobs/{finished}?order=name")
    page.reload()
    assert column(page, 1)[:5] == sorted(SERIES)[:5]


def test_arrows_move_through_the_hits(page: Page, api: RunningApi, finished: UUID) -> None:
    open_hits(page, api, finished)
    names = column(page, 1)
    page.get_by_role("grid").focus()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    expect(page.get_by_role("row", selected=True)).to_have_attribute("aria-rowindex", "4")
    page.keyboard.press("End")
    expect(page.get_by_role("row", selected=True)).to_have_attribute("aria-rowindex", str(len(SERIES) + 1))
    expect(page.get_by_role("region", name="Selected hit")).to_have_count(0)
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Selected hit")).to_contain_text(names[0], timeout=SOON_MS)
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("region", name="Selected hit")).to_contain_text(names[1], timeout=SOON_MS)


def test_a_hit_opens_and_closes_by_key_and_is_part_of_the_address(page: Page, api: RunningApi, finished: UUID) -> None:
    open_hits(page, api, finished)
    names = column(page, 1)
    panel = page.get_by_role("region", name="Selected hit")
    page.get_by_role("grid").focus()
    for key in ("ArrowDown", "ArrowDown", "Enter", "Enter"):
        page.keyboard.press(key)
    expect(panel).to_be_focused()
    page.reload()
    expect(panel.get_by_role("heading", name=names[1])).to_be_visible(timeout=SOON_MS)
    expect(page.get_by_role("row", selected=True)).to_have_attribute("aria-rowindex", "3", timeout=SOON_MS)
    panel.get_by_role("button", name="Close the details").focus()
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    expect(page.get_by_role("grid")).to_be_focused()
    expect(page).to_have_url(f"{api.url}#/jobs/{finished}")


def test_a_hit_that_is_not_in_the_list_says_so(page: Page, api: RunningApi, finished: UUID) -> None:
    open_hits(page, api, finished, f"?hit={uuid4()}")
    alert = page.get_by_role("alert").filter(has_text="The hit could not be loaded.")
    expect(alert).to_contain_text("not_found", timeout=SOON_MS)


def test_a_job_without_analyses_shows_nothing_of_them(page: Page, api: RunningApi, finished: UUID) -> None:
    open_hits(page, api, finished)
    expect(page.get_by_role("status").filter(has_text=f"{len(SERIES)} hits")).to_be_visible(timeout=SOON_MS)
    expect(page.get_by_role("columnheader", name="Checks")).to_have_count(0)
    expect(page.get_by_label("Valid only")).to_have_count(0)


def test_a_hit_says_what_its_checks_came_to(page: Page, api: RunningApi, analysed: UUID) -> None:
    open_hits(page, api, analysed)
    best = page.get_by_role("row").filter(has_text="cresol")
    expect(best.get_by_role("gridcell").nth(3)).to_have_text(VERDICT, timeout=SOON_MS)
    best.click()
    panel = page.get_by_role("region", name="Selected hit")
    poses = panel.get_by_role("region", name="Poses").get_by_role("row")
    expect(poses).to_have_count(1 + 2, timeout=SOON_MS)
    expect(poses.nth(1)).to_contain_text(VERDICT)
    expect(panel.get_by_role("columnheader", name="Pose 1 Å")).to_be_visible()
    expect(panel.get_by_text("QED")).to_be_visible()
    expect(panel.get_by_text("No similar molecule among the 1 analysed hit.")).to_be_visible(timeout=SOON_MS)


def test_filters_are_the_server_s_and_part_of_the_address(page: Page, api: RunningApi, analysed: UUID) -> None:
    page.goto(f"{api.url}#/jobs/{analysed}?interactions=Hydrophobic@A:GLU80&interactions=HBond@80")
    alert = page.get_by_role("alert").filter(has_text="The hits cannot be filtered by this.")
    expect(alert).to_contain_text("A residue is CHAIN:NAMENUMBER", timeout=SOON_MS)
    page.get_by_role("button", name="No longer require HBond@80").click()
    expect(page.get_by_text("No hit passes these filters. Hits that are not analysed")).to_be_visible(timeout=SOON_MS)
    expect(page.get_by_role("status").filter(has_text="0 of 3 hits")).to_be_visible()
    page.get_by_role("button", name="Show all").click()
    assert len(column(page, 1)) == len(SMALL)
    page.get_by_role("row").filter(has_text="cresol").click()
    found = page.get_by_role("region", name="Interactions").get_by_role("link").first
    residue = found.inner_text()
    found.click()
    expect(page.get_by_role("status").filter(has_text="1 of 3 hits")).to_be_visible(timeout=SOON_MS)
    assert f"@{residue}" in page.url


def test_an_analysis_is_asked_for_and_comes_in(page: Page, api: RunningApi, stack: LedgerStack) -> None:
    stack.start_worker(slots=1)
    job_id = stack.submit({"ethanol": "CCO"}, receptor_pdbqt=(pocket_folder() / "rec.pdb").read_text(), box=POCKET)
    stack.wait_completed(job_id)
    stack.stop_workers()
    open_hits(page, api, job_id)
    expect_live(page)
    row = page.get_by_role("grid").get_by_role("row").filter(has_text="ethanol")
    row.click()
    panel = page.get_by_role("region", name="Selected hit")
    expect(panel).to_contain_text("The poses of this ligand are not analysed.", timeout=SOON_MS)
    panel.get_by_role("button", name="Analyse this ligand").click()
    expect(panel).to_contain_text("Asked for: 0 of 1 ligand analysed.", timeout=SOON_MS)
    expect(panel).to_contain_text("No worker is running.", timeout=SOON_MS)
    expect(panel.get_by_role("button", name="Analyse this ligand")).to_be_disabled()
    stack.start_worker(slots=1)
    expect(panel.get_by_role("region", name="Poses")).to_contain_text(VERDICT, timeout=DONE_MS)
    expect(row).to_contain_text(VERDICT, timeout=SOON_MS)


def test_a_redocking_says_its_verdict(page: Page, api: RunningApi, stack: LedgerStack) -> None:
    job_id = stack.submit_redocking(native_block(), runs=2)
    stack.start_worker()
    stack.wait_completed(job_id)
    page.goto(f"{api.url}#/jobs/{job_id}")
    verdict = page.get_by_text(re.compile("^(✓ Green|! Amber|✗ Red): "))
    expect(verdict).to_have_count(2, timeout=SOON_MS)  # in the list of jobs, and over the runs
    expect(page.get_by_role("table", name="Runs").get_by_role("row")).to_have_count(1 + 2)


def test_a_rejected_ligand_says_why(page: Page, api: RunningApi, finished: UUID) -> None:
    open_hits(page, api, finished)
    page.get_by_role("link", name="Rejected 1").click()
    expect(page.get_by_role("gridcell", name="The docking engine ended on this ligand")).to_be_visible(timeout=SOON_MS)
    expect(page.get_by_role("gridcell", name="engine_crash")).to_be_visible()


def test_what_the_receptor_s_preparation_found_is_shown(page: Page, api: RunningApi, finished: UUID) -> None:
    open_hits(page, api, finished)
    page.get_by_role("link", name="Receptor 1 warning").click()
    expect(page).to_have_url(f"{api.url}#/jobs/{finished}/receptor")
    expect(page.get_by_role("gridcell", name="Two atoms were missing.")).to_be_visible(timeout=SOON_MS)
    assert column(page, 1) == ["A:HIS 57", "A:SER 9"]


def test_a_job_far_down_the_list_is_scrolled_to(page: Page, api: RunningApi, stack: LedgerStack) -> None:
    jobs = [stack.submit({"a": "CCO"}) for _ in range(15)]
    page.goto(f"{api.url}#/jobs/{jobs[0]}")
    row = row_of(page, jobs[0])
    expect(row).to_be_visible(timeout=SOON_MS)
    expect(row).to_be_in_viewport()
    stack.cancel_open_jobs()


def test_the_hits_download_as_csv(page: Page, api: RunningApi, finished: UUID) -> None:
    open_hits(page, api, finished)
    with page.expect_download() as download:
        page.get_by_role("link", name="Hits (CSV)").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert len(lines) == len(SERIES) + 1


def test_a_waiting_job_says_why_and_can_be_cancelled(page: Page, api: RunningApi, stack: LedgerStack) -> None:
    job_id = stack.submit({"a": "CCO", "b": "CCN", "c": "CCC"})
    page.goto(api.url)
    row = row_of(page, job_id)
    # The newest job is in view, so its reason stands beside its name and not a second time in the list.
    expect(page.get_by_text("No worker is running.")).to_have_count(1, timeout=SOON_MS)
    expect(row.get_by_text("Waiting", exact=True)).to_be_visible()
    row.get_by_role("button", name="Cancel").click()
    row.get_by_role("button", name="Keep").click()
    assert stack.job(job_id).state is JobState.PLANNING
    row.get_by_role("button", name="Cancel").click()
    row.get_by_role("button", name="Cancel job").click()
    expect(row.get_by_text("Cancelling", exact=True)).to_be_visible(timeout=SOON_MS)
    stack.start_worker()
    expect(row.get_by_text("Cancelled", exact=True)).to_be_visible(timeout=SOON_MS)
    expect(row.get_by_text("3 cancelled")).to_be_visible()


def test_the_page_goes_on_after_the_server_was_lost(page: Page, api: RunningApi, stack: LedgerStack) -> None:
    job_id = stack.submit({"a": "CCO"})
    page.goto(api.url)
    expect_live(page)
    api.kill()
    expect(page.get_by_text("Reconnecting")).to_be_visible(timeout=SOON_MS)
    stack.change(job_id, JobState.PAUSED)
    api.start()
    expect_live(page)
    expect(row_of(page, job_id).get_by_text("Paused", exact=True)).to_be_visible(timeout=SOON_MS)


def test_an_unknown_job_is_answered_with_code_and_request_id(page: Page, api: RunningApi) -> None:
    page.goto(f"{api.url}#/jobs/{uuid4()}")
    alert = page.get_by_role("alert").filter(has_text="The job could not be loaded.")
    expect(alert).to_contain_text("not_found", timeout=SOON_MS)
    expect(alert).to_contain_text("Request")


def test_a_token_is_asked_for_and_kept(page: Page, stack: LedgerStack, finished: UUID) -> None:
    token = "zT4x9Qm1-browser-test-3vKp7Lw2"
    guarded = RunningApi({**stack.environment, "MAD_STATIC_TOKEN": token}, stack.folder / "guarded-api.log")
    guarded.start()
    try:
        page.goto(f"{guarded.url}#/jobs/{finished}")
        for entered in ("wrong", token):
            page.get_by_label("Access token").fill(entered, timeout=SOON_MS)
            page.get_by_role("button", name="Continue").click()
            if entered == "wrong":
                expect(page.get_by_role("alert")).to_contain_text("does not accept this token", timeout=SOON_MS)
        expect_live(page)
        page.reload()
        expect(page.get_by_role("grid")).to_be_visible(timeout=SOON_MS)
        with page.expect_download() as download:
            page.get_by_role("link", name="Rejected (CSV)").click()
        assert "engine_crash" in Path(download.value.path()).read_text()
    finally:
        guarded.kill()
