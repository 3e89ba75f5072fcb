import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Route, sync_playwright
from tests.browser.running_api import RunningApi
from tests.support.ledger_stack import LedgerStack, ledger_stack

from molecular_analysis_dashboard.presentation.api.routers.web import STATIC
from molecular_analysis_dashboard.use_cases.sign_in import ensure_local_principal

CHROMIUM = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
# The page must work under the strictest policy, whatever the server allows beside it.
STRICT = {"content-security-policy": "default-src 'self'"}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    if found is None:
        pytest.fail(f"no browser on PATH (looked for {', '.join(CHROMIUM)}); on Debian: apt-get install chromium")
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
    # Chromium's own sandbox refuses to start for root.
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=quiet + root)
        yield started
        started.close()


@pytest.fixture(scope="session")
def stack() -> Iterator[LedgerStack]:
    """A stack without workers, whose jobs belong to the user that the API takes every request for."""
    if not (STATIC / "index.html").is_file():
        pytest.fail("the front end is not built: run `python hatch_build.py`")
    with ledger_stack() as started:
        local = ensure_local_principal(started.database)
        started.org_id, started.user_id = local.org_id, local.user_id
        yield started


@pytest.fixture(scope="session")
def api(stack: LedgerStack) -> Iterator[RunningApi]:
    started = RunningApi(stack.environment, stack.folder / "api.log")
    started.start()
    yield started
    started.kill()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A new page; afterwards: no script failed, no policy was broken, and nothing came from another host."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, accept_downloads=True)
    opened = context.new_page()
    problems: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        # Refused and broken requests are part of some tests, and the browser logs each as an error.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            problems.append(message.text)

    def on_request(request: Request) -> None:
        if not request.url.startswith(("http://127.0.0.1:", "blob:http://127.0.0.1:")):
            problems.append(f"asked for {request.url}")

    def with_strict_policy(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, headers={**answer.headers, **STRICT})

    opened.on("console", on_console)
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("request", on_request)
    opened.route(lambda url: url.split("#")[0].endswith("/"), with_strict_policy)
    yield opened
    context.close()
    assert problems == []
