import io
import os
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from molecular_analysis_dashboard.adapters.engines import messages
from molecular_analysis_dashboard.domain.analyses import (
    AnalysisSite,
    Interaction,
    InteractionType,
    PoseAnalysis,
    PosedLigand,
)
from molecular_analysis_dashboard.domain.docking import DockedLigand, DockingProtocol, Pose, RejectedLigand, StateScore
from molecular_analysis_dashboard.domain.ligands import LigandInput, LigandRecord, RejectedRecord, ValidatedLigand
from molecular_analysis_dashboard.domain.pockets import Pocket
from molecular_analysis_dashboard.domain.receptors import (
    PreparationReport,
    PreparedReceptor,
    ReceptorOptions,
    ResidueNote,
    Severity,
    WaterPolicy,
)
from molecular_analysis_dashboard.domain.rejections import RejectionReason
from molecular_analysis_dashboard.domain.rescoring import RescoredPose
from molecular_analysis_dashboard.domain.sites import SearchBox
from molecular_analysis_dashboard.ports.chemistry_process import SiteSpec

texts = st.text(max_size=20)
numbers = st.floats(allow_nan=False)
coordinates = st.floats(-1e3, 1e3)
points = st.tuples(coordinates, coordinates, coordinates)
edges = st.floats(4, 126)
reasons = st.sampled_from(RejectionReason)
boxes = st.builds(SearchBox, points, st.tuples(edges, edges, edges))
options = st.builds(
    ReceptorOptions,
    chains=st.lists(texts, max_size=3).map(tuple),
    waters=st.sampled_from(WaterPolicy),
    site_center=st.none() | points,
)
pockets = st.builds(
    Pocket,
    st.integers(1, 20),
    points,
    st.floats(0, 1e5),
    coordinates,
    st.lists(texts, max_size=3).map(tuple),
    boxes,
)
records = st.builds(LigandRecord, st.integers(1), texts, st.sampled_from(("smiles", "sdf")), texts)
rejected_records = st.builds(RejectedRecord, st.integers(1), texts, texts, reasons, texts)
validated = st.builds(
    ValidatedLigand,
    st.integers(1),
    texts,
    texts,
    texts,
    st.integers(0, 200),
    st.integers(0, 50),
    st.floats(0, 2000),
    st.none() | texts,
    st.lists(texts, max_size=2).map(tuple),
)
protocols = st.builds(DockingProtocol, flexible_residues=st.lists(texts, max_size=2).map(tuple))
poses = st.builds(Pose, st.integers(1, 20), numbers, st.binary(max_size=60), st.none() | numbers, texts)
docked = st.builds(
    DockedLigand,
    texts,
    texts,
    st.lists(poses, min_size=1, max_size=3).map(tuple),
    st.integers(1, 100),
    st.lists(st.builds(StateScore, texts, st.none() | numbers, texts), max_size=3).map(tuple),
    st.lists(texts, max_size=2).map(tuple),
    st.integers(1, 2**31 - 1),
    numbers,
)
notes = st.builds(ResidueNote, texts, texts, texts, st.sampled_from(Severity), st.none() | numbers)
reports = st.builds(
    PreparationReport,
    st.lists(notes, max_size=2).map(tuple),
    st.lists(texts, max_size=2).map(tuple),
    st.integers(0),
    st.integers(0),
    st.dictionaries(texts, texts, max_size=2),
)

analyses = st.builds(
    PoseAnalysis,
    st.dictionaries(texts, st.none() | st.booleans(), max_size=3),
    st.lists(st.builds(Interaction, st.sampled_from(InteractionType), texts, numbers), max_size=3).map(tuple),
    st.none() | numbers,
    texts,
    st.lists(numbers, max_size=2).map(tuple),
    st.dictionaries(texts, texts, max_size=2),
    numbers,
)

posed = st.builds(PosedLigand, texts, texts, st.binary(), st.lists(st.binary(), max_size=2).map(tuple))
rescored = st.builds(RescoredPose, numbers, numbers, st.none() | numbers, st.none() | st.binary(max_size=60))
ids = st.dictionaries(texts, texts | st.integers(), max_size=3)
requests = st.one_of(
    st.builds(messages.OpenSite, st.builds(SiteSpec, texts, texts, boxes, protocols), ids=ids),
    st.builds(messages.Dock, texts, st.builds(LigandInput, texts, texts, texts), ids=ids),
    st.builds(messages.PrepareReceptor, st.binary(), texts, options, ids=ids),
    st.builds(messages.FindPockets, texts, ids=ids),
    st.builds(messages.Validate, st.lists(records, max_size=4).map(tuple), ids=ids),
    st.builds(messages.OpenAnalysis, st.builds(AnalysisSite, texts, texts, boxes), ids=ids),
    st.builds(messages.Analyse, texts, posed, ids=ids),
    st.builds(messages.Rescore, texts, posed, st.booleans(), ids=ids),
)
responses = st.one_of(
    st.just(messages.Done()),
    st.just(messages.OutOfMemory()),
    st.builds(messages.Docked, docked | st.builds(RejectedLigand, reasons, texts, numbers)),
    st.builds(messages.ReceptorPrepared, st.builds(PreparedReceptor, texts, texts, reports)),
    st.builds(messages.PocketsFound, st.lists(pockets, max_size=2).map(tuple)),
    st.builds(messages.Validated, st.lists(validated | rejected_records, max_size=4).map(tuple)),
    st.builds(messages.Analysed, analyses),
    st.builds(messages.Rescored, rescored | st.builds(RejectedLigand, reasons, texts, numbers)),
    st.builds(messages.Failed, texts, texts, texts, st.dictionaries(texts, st.integers() | texts, max_size=3)),
)


@given(requests)
def test_request_arrives_as_it_was_sent(request_: Any) -> None:
    stream = io.BytesIO()
    messages.write_message(stream, request_)
    stream.seek(0)
    assert messages.read_request(stream) == request_
    assert messages.read_request(stream) is None


@given(responses)
def test_response_arrives_as_it_was_sent(response: Any) -> None:
    stream = io.BytesIO()
    messages.write_message(stream, response)
    stream.seek(0)
    assert messages.read_response(stream) == response
    assert messages.read_response(stream) is None


@given(responses, st.data())
def test_message_cut_off_anywhere_is_the_end(response: Any, data: st.DataObject) -> None:
    stream = io.BytesIO()
    messages.write_message(stream, response)
    whole = stream.getvalue()
    cut = data.draw(st.integers(0, len(whole) - 1))
    assert messages.read_response(io.BytesIO(whole[:cut])) is None


@given(st.binary(max_size=40))
def test_bytes_that_are_no_message_are_refused(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of json, of unicode or of pydantic
        messages.read_response(io.BytesIO(len(body).to_bytes(4, "big") + body))


def test_length_beyond_the_limit_is_not_believed() -> None:
    assert messages.read_response(io.BytesIO(b"\xff\xff\xff\xff" + b"x" * 100)) is None


def test_megabytes_pass_through_an_unbuffered_pipe() -> None:
    reading, writing = os.pipe()
    data = os.urandom(3_000_000)
    request_ = messages.PrepareReceptor(data, "x.pdb", ReceptorOptions())
    with os.fdopen(reading, "rb", buffering=0) as source, os.fdopen(writing, "wb", buffering=0) as sink:
        writer = threading.Thread(target=messages.write_message, args=(sink, request_))
        writer.start()
        assert messages.read_request(source) == request_
        writer.join()


def test_value_that_is_no_message_is_not_sent() -> None:
    stream = io.BytesIO()
    with pytest.raises(TypeError, match="not part of a message"):
        messages.write_message(stream, messages.Failed("", "", "", {"id": object()}))
    assert stream.getvalue() == b""
