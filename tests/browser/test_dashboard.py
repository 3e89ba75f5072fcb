"""The page in a real browser, over the real API, servers and workers; only the docking engine is a quick one."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from mad_test_engine import CRASHER
from playwright.sync_api import Locator, Page, expect
from tests.browser.running_api import RunningApi
from tests.support.ledger_stack import LedgerStack

from molecular_analysis_dashboard.domain.jobs import JobState

ACIDS = ("CC", "CCC", "CCCC", "CCCCC", "c1ccccc1", "C1CC1", "CC(C)", "C1CCC1")
AMINES = ("C", "CC", "C1CC1", "Cc1ccccc1", "CCC")
SERIES = {f"{acid}-{amine}": f"{acid}C(=O)N{amine}" for acid, amine in product(ACIDS, AMINES)}
CRASHING = {"crasher": f"{CRASHER}CCCCO"}
SOON_MS = 20_000
DONE_MS = 90_000


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
    expect(page.get_by_role("region", name="Selected hit")).to_contain_text(names[2])
    page.keyboard.press("End")
    expect(page.get_by_role("row", selected=True)).to_have_attribute("aria-rowindex", str(len(SERIES) + 1))


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
