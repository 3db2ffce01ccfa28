"""V10: tokens in memory show nothing and travel nowhere."""

from __future__ import annotations

import copy
import dataclasses
import io
import json
import logging
import pickle
import sys
import traceback
from datetime import UTC, datetime

import pytest
from django.core.cache import cache
from django.views.debug import ExceptionReporter

from confluence_link.tokens import AccessToken, TokenSet

TOKEN_SET = TokenSet("CNRY-access", "CNRY-refresh", 3600, ("read:page",))
ACCESS_TOKEN = AccessToken("CNRY-access", datetime(2026, 1, 1, tzinfo=UTC), 3)
BOTH = pytest.mark.parametrize("tokens", [TOKEN_SET, ACCESS_TOKEN], ids=["set", "one"])


@BOTH
@pytest.mark.parametrize("show", [repr, str, format, ascii, "{0!r} {0}".format])
def test_v10_showing_tokens_shows_none(tokens, show):
    assert "CNRY" not in show(tokens)


@BOTH
def test_v10_tokens_do_not_travel(tokens):
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(tokens, protocol)
    with pytest.raises(TypeError, match="cannot be pickled"):
        tokens.__reduce__()
    with pytest.raises(TypeError, match="cannot be pickled"):
        copy.deepcopy(tokens)
    with pytest.raises(TypeError, match="not JSON serializable"):
        json.dumps(tokens)
    with pytest.raises(TypeError, match="cannot be pickled"):
        cache.set("tokens", tokens)


@BOTH
def test_tokens_are_frozen(tokens):
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(tokens, dataclasses.fields(tokens)[0].name, "another")


def failing_with(tokens):
    """An error whose frames hold tokens, as any caller of ours may have them."""
    held = {"in a dictionary": tokens, "in a list": [tokens]}
    try:
        raise RuntimeError(f"no luck with {tokens} and {held}")
    except RuntimeError:
        return sys.exc_info()


@BOTH
def test_v10_a_logged_traceback_shows_no_token(tokens):
    error = failing_with(tokens)
    written = io.StringIO()
    logger = logging.Logger("a logger of its own")
    logger.addHandler(logging.StreamHandler(written))

    logger.error("it failed for %s", tokens, exc_info=error)

    assert "no luck with" in written.getvalue()
    assert "CNRY" not in written.getvalue()


@BOTH
def test_v10_a_traceback_with_local_variables_shows_no_token(tokens):
    error = traceback.TracebackException(*failing_with(tokens), capture_locals=True)

    text = "".join(error.format())

    assert "held = " in text
    assert "CNRY" not in text


@BOTH
@pytest.mark.parametrize("debug", [True, False])
def test_v10_djangos_error_page_and_mail_show_no_token(settings, tokens, debug):
    settings.DEBUG = debug
    report = ExceptionReporter(None, *failing_with(tokens))

    for text in (report.get_traceback_html(), report.get_traceback_text()):
        assert "no luck with" in text
        assert "CNRY" not in text
