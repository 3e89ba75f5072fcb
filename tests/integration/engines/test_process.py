import os
import signal
import threading
import time
from pathlib import Path

import psutil
import pytest
from mad_test_engine import CRASHER
from tests.integration.engines.conftest import MakeProcess, site
from tests.support.structure_text import complex_pdb
from tests.support.waiting import wait_until

from molecular_analysis_dashboard.adapters.engines.process import EngineProcess
from molecular_analysis_dashboard.domain.docking import DockedLigand, RejectedLigand
from molecular_analysis_dashboard.domain.errors import EngineFailed, InvalidInput
from molecular_analysis_dashboard.domain.ligands import LigandInput, LigandRecord, RejectedRecord, ValidatedLigand
from molecular_analysis_dashboard.domain.receptors import ReceptorOptions
from molecular_analysis_dashboard.domain.rejections import RejectionReason
from molecular_analysis_dashboard.ports.chemistry_process import ExitCause, ProcessEnded, SiteSpec

TEST_SITE = site("REMARK any receptor will do", engine="test")
HANG = "while True: pass"
# As an engine does while it searches: asleep in C with the interpreter's lock.
HOLD_THE_LOCK = "import ctypes\nctypes.PyDLL(None).sleep(1000)"


def ligand(smiles: str) -> LigandInput:
    return LigandInput("1", "one", smiles)


def ended(process: EngineProcess, spec: SiteSpec) -> ProcessEnded:
    with pytest.raises(ProcessEnded) as raised:
        process.open_site(spec)
    return raised.value


def said(process: EngineProcess, script: str) -> str:
    """Run a script in the engine process; return what it says."""
    with pytest.raises(EngineFailed) as raised:
        process.open_site(site(script))
    assert raised.value.error_code == "said"
    return raised.value.message


def wait_busy(scratch: Path) -> None:
    """Wait until the engine process has begun its script."""
    wait_until(lambda: list(scratch.glob("*/busy")), 30, "the engine process did not get busy")


def busily(script: str) -> SiteSpec:
    return site(f"open('busy', 'w').close()\n{script}")


def test_ligand_is_docked_and_repeats_exactly_whatever_came_between(process: EngineProcess) -> None:
    process.open_site(TEST_SITE)
    first = process.dock(TEST_SITE, ligand("CCO"))
    between = process.dock(TEST_SITE, ligand("c1ccccc1C(=O)O"))
    again = process.dock(TEST_SITE, ligand("CCO"))
    assert isinstance(first, DockedLigand)
    assert isinstance(again, DockedLigand)
    assert isinstance(between, DockedLigand)
    assert [pose.rank for pose in first.poses] == [1, 2]
    assert (first.poses, first.seed) == (again.poses, again.seed)
    assert first.poses != between.poses


def test_crash_is_told_and_a_fresh_process_goes_on(process: EngineProcess) -> None:
    with pytest.raises(ProcessEnded) as crash:
        process.dock(TEST_SITE, ligand(f"{CRASHER}CCCO"))
    assert (crash.value.cause, crash.value.details["status"]) == (ExitCause.CRASH, 3)
    assert "exited with status 3" in crash.value.message
    assert process.pid is None
    assert isinstance(process.dock(TEST_SITE, ligand("CCO")), DockedLigand)


def test_memory_limit_is_told_and_a_fresh_process_goes_on(make_process: MakeProcess) -> None:
    process = make_process(memory_bytes=2 << 30)
    eaten = ended(process, site("hoard = bytearray(3 << 30)"))
    assert eaten.cause is ExitCause.OUT_OF_MEMORY
    assert "2.0 GiB" in eaten.message
    process.open_site(site("hoard = bytearray(1 << 20)"))


def test_memory_that_runs_out_in_c_plus_plus_is_no_crash(process: EngineProcess) -> None:
    out = ended(process, site('os.write(2, b"terminate called: what(): std::bad_alloc")\nos.abort()'))
    assert out.cause is ExitCause.OUT_OF_MEMORY


@pytest.mark.parametrize("script", [HANG, HOLD_THE_LOCK])
def test_process_that_hangs_is_ended_in_time(make_process: MakeProcess, script: str) -> None:
    process = make_process(timeout_s=3.0)
    started = time.monotonic()
    hung = ended(process, site(script))
    assert hung.cause is ExitCause.TIMEOUT
    assert "within 3 s" in hung.message
    assert time.monotonic() - started < 6


def test_process_that_reads_nothing_does_not_hang_its_slot(make_process: MakeProcess) -> None:
    process = make_process(timeout_s=10.0)
    process.open_site(site(""))
    assert process.pid
    os.kill(process.pid, signal.SIGSTOP)
    assert ended(process, site("#" * 2_000_000)).cause is ExitCause.TIMEOUT


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL, signal.SIGABRT])
def test_signal_that_ended_the_process_is_named(process: EngineProcess, number: signal.Signals) -> None:
    crash = ended(process, site(f"os.kill(os.getpid(), {int(number)})"))
    # Nothing kills itself with SIGKILL: somebody outside did.
    cause = ExitCause.KILLED if number is signal.SIGKILL else ExitCause.CRASH
    assert (crash.cause, crash.details["status"]) == (cause, -number)
    assert number.name in crash.message


def test_signal_without_a_name_is_numbered(process: EngineProcess) -> None:
    assert "signal 40" in ended(process, site("os.kill(os.getpid(), 40)")).message


def test_last_words_of_a_crash_are_kept_and_can_be_stored(process: EngineProcess) -> None:
    crash = ended(process, site("os.write(2, b'x' * 5000 + b'\\0 last words \\xff')\nos._exit(1)"))
    words = str(crash.details["stderr"])
    assert "last words" in words
    assert "\0" not in words
    assert len(words) <= 2000


def test_defect_inside_is_a_crash_with_its_traceback(process: EngineProcess) -> None:
    crash = ended(process, site("1 / 0"))
    assert crash.cause is ExitCause.CRASH
    assert "ZeroDivisionError" in str(crash.details["stderr"])


@pytest.mark.parametrize("script", [HANG, HOLD_THE_LOCK])
def test_stop_from_another_thread_ends_what_is_under_way(process: EngineProcess, scratch: Path, script: str) -> None:
    stopped_at: list[float] = []

    def stop() -> None:
        wait_busy(scratch)
        stopped_at.append(time.monotonic())
        process.stop()

    thread = threading.Thread(target=stop)
    thread.start()
    assert ended(process, busily(script)).cause is ExitCause.STOPPED
    thread.join()
    assert time.monotonic() - stopped_at[0] < 2


def test_stopped_process_stays_stopped_until_it_is_restarted(process: EngineProcess) -> None:
    process.open_site(site(""))
    process.stop()
    for _ in range(2):
        assert ended(process, site("")).cause is ExitCause.STOPPED
    process.restart()
    process.open_site(site(""))
    assert process.pid is not None


def test_stop_before_the_first_use_counts(process: EngineProcess) -> None:
    process.stop()
    assert ended(process, site("")).cause is ExitCause.STOPPED


def test_restarted_process_is_another_one_that_holds_nothing(process: EngineProcess) -> None:
    process.open_site(TEST_SITE)
    first = process.pid
    process.restart()
    assert process.pid is None
    process.open_site(site(""))
    assert process.pid != first
    with pytest.raises(EngineFailed) as refused:
        process.dock(TEST_SITE, ligand("CCO"))
    assert refused.value.error_code == "site_not_open"


def test_site_is_opened_once_while_it_is_warm(process: EngineProcess) -> None:
    count = "import builtins\nbuiltins.opened = getattr(builtins, 'opened', 0) + 1\n"
    sites = [site(f"{count}#{number}") for number in range(3)]
    for spec in (sites[0], sites[1], sites[0], sites[1]):
        process.open_site(spec)
    assert said(process, "import builtins\nsay(builtins.opened)") == "2"
    # The refused site took no place; a third one pushes the longest unused out.
    process.open_site(sites[2])
    assert said(process, "import builtins\nsay(builtins.opened)") == "3"


def test_errors_of_ours_come_back_as_they_were(process: EngineProcess) -> None:
    with pytest.raises(EngineFailed) as refused:
        process.open_site(site("REFUSE", engine="test"))
    assert (refused.value.error_code, refused.value.message) == (
        "receptor_refused",
        "The test engine refuses this receptor.",
    )
    with pytest.raises(EngineFailed) as unknown:
        process.open_site(site("", engine="nonsense"))
    assert unknown.value.error_code == "engine_not_installed"
    assert unknown.value.details["engine"] == "nonsense"
    with pytest.raises(InvalidInput):
        process.prepare_receptor(b"no structure at all", "x.pdb", ReceptorOptions())
    assert process.pid is not None


def test_pockets_are_found_in_the_process(process: EngineProcess) -> None:
    pockets = process.find_pockets(complex_pdb().decode())
    assert [pocket.rank for pocket in pockets] == list(range(1, len(pockets) + 1))
    assert pockets[0].residues
    assert process.find_pockets("END\n") == ()


def test_records_are_validated_in_their_order(process: EngineProcess) -> None:
    records = [LigandRecord(line, text, "smiles", f"n{line}") for line, text in enumerate(("CCO", "C(", "c1ccccc1"), 1)]
    good, bad, other = process.validate(records)
    assert isinstance(good, ValidatedLigand)
    assert isinstance(bad, RejectedRecord)
    assert isinstance(other, ValidatedLigand)
    assert [good.line, bad.line, other.line] == [1, 2, 3]
    assert bad.reason is RejectionReason.UNREADABLE_RECORD
    process.open_site(TEST_SITE)
    assert isinstance(process.dock(TEST_SITE, ligand("C(")), RejectedLigand)


def test_megabytes_go_both_ways(process: EngineProcess) -> None:
    megabytes = "#" + "é" * 3_000_000
    assert len(said(process, f"{megabytes}\nsay('x' * 5_000_000)")) == 5_000_000
    process.open_site(site(""))


def test_library_that_prints_does_not_disturb(process: EngineProcess) -> None:
    print_in_c = "import ctypes\nlibc = ctypes.CDLL(None)\nlibc.puts(b'chatter')\nlibc.fflush(None)"
    process.open_site(site(f"os.write(1, b'chatter' * 1000)\nprint('chatter')\n{print_in_c}"))
    assert said(process, "say('understood')") == "understood"


@pytest.mark.parametrize(
    "data",
    [
        "b'\\xff\\xff\\xff\\xff'",
        "b'\\0\\0\\0\\x04junk'",
        "b'\\0\\0\\0\\x02{}'",
        "b'\\0\\0\\0\\x02\\xff\\xfe'",
        'b\'\\0\\0\\0\\x0f{"op":"nothing"}\'[:19]',
        "b'\\0\\0\\xff\\xff' + b'[' * 65535",
    ],
)
def test_garbage_instead_of_an_answer_ends_the_process(process: EngineProcess, data: str) -> None:
    crash = ended(process, site(f"answer({data})\nwhile True: pass"))
    assert crash.cause is ExitCause.CRASH
    process.open_site(site(""))


def test_answer_to_another_question_ends_the_process(process: EngineProcess) -> None:
    body = b'{"op":"validated","ligands":[]}'
    crash = ended(process, site(f"answer({len(body).to_bytes(4, 'big')!r} + {body!r})\nwhile True: pass"))
    assert crash.cause is ExitCause.CRASH
    assert "something else" in crash.message


@pytest.mark.parametrize("part", ["b'\\0\\0'", "b'\\0\\0\\0\\x10{\"op\"'"])
def test_half_an_answer_is_a_crash_when_the_process_ends(process: EngineProcess, part: str) -> None:
    crash = ended(process, site(f"answer({part})\nos._exit(7)"))
    assert (crash.cause, crash.details["status"]) == (ExitCause.CRASH, 7)


def test_half_an_answer_does_not_hang_the_slot(make_process: MakeProcess) -> None:
    process = make_process(timeout_s=3.0)
    assert ended(process, site(f"answer(b'\\0\\0\\1\\0half')\n{HANG}")).cause is ExitCause.TIMEOUT


def test_children_of_a_crashed_engine_end_with_it(process: EngineProcess) -> None:
    spawn = "import subprocess\nchild = subprocess.Popen(['sleep', '1000'])\nos.write(2, b'child %d.' % child.pid)"
    crash = ended(process, site(f"{spawn}\nos._exit(3)"))
    number = int(str(crash.details["stderr"]).partition("child ")[2].partition(".")[0])
    wait_until(lambda: gone(number), 2, "the engine's own child is still there")


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_process_sees_nothing_of_the_slots_environment(
    process: EngineProcess, monkeypatch: pytest.MonkeyPatch, scratch: Path
) -> None:
    monkeypatch.setenv("SECRET_KEY", "a secret")
    seen = said(process, "say(' '.join(sorted(os.environ)))").split()
    assert "SECRET_KEY" not in seen
    assert "OMP_NUM_THREADS" in seen
    assert Path(said(process, "say(os.getcwd())")).parent == scratch


def test_process_leads_a_group_of_its_own_and_leaves_no_core(process: EngineProcess) -> None:
    assert said(process, "say(os.getpgid(0) == os.getsid(0) == os.getpid())") == "True"
    assert said(process, "import resource\nsay(resource.getrlimit(resource.RLIMIT_CORE))") == "(0, 0)"
