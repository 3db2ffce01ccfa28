"""The debug page shows frames without what their variables hold."""

from __future__ import annotations

import sys

from django.test import RequestFactory
from django.views.debug import ExceptionReporter


def test_v10_a_debug_page_shows_no_variable_of_any_frame(rf: RequestFactory, settings):
    settings.DEBUG = True
    token = "CNRY-" + "in-a-variable"
    try:
        len(int(token))  # type: ignore[arg-type]  # it fails on purpose
    except ValueError:
        reporter = ExceptionReporter(rf.get("/"), *sys.exc_info())
    frames = reporter.get_traceback_data()["frames"]
    assert frames
    assert all(frame["vars"] == [] for frame in frames)
