"""What a callback may look like, and what its answer gives away."""

from __future__ import annotations

import logging
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from celery.signals import before_task_publish
from django.core import mail

from config.logs import HideCallbackQuery
from confluence_link.models import Event, PendingLink
from tests import factories, link_steps


def _refusals():
    events = Event.objects.filter(kind=Event.Kind.LINK_REFUSED)
    return [(event.actor.first_name, event.facts["reason"]) for event in events]


@pytest.mark.parametrize("extra", ["&code=again", "&state=again", "&x=" + "a" * 5000])
def test_l18_a_doubled_or_endless_parameter_is_refused(
    alice_client, back, sandbox, extra
):
    answer = link_steps.come_back(alice_client, back + extra)
    assert link_steps.reason_of(answer) == "bad_request"
    assert link_steps.token_calls(sandbox) == 0


def test_l18_an_array_is_no_code(alice_client, back, sandbox):
    answer = link_steps.come_back(alice_client, back.replace("code=", "code[]="))
    assert link_steps.reason_of(answer) == "refused_by_provider"
    assert link_steps.token_calls(sandbox) == 0


@pytest.mark.parametrize("method", ["post", "head", "put", "options"])
def test_l19_only_a_get_comes_back(alice_client, back, sandbox, method):
    assert getattr(alice_client, method)(back).status_code == 405
    assert link_steps.token_calls(sandbox) == 0
    assert link_steps.come_back(alice_client, back).status_code == 303


def test_l19_a_browser_that_looks_ahead_uses_nothing_up(alice_client, back, sandbox):
    ahead = alice_client.get(back, headers={"Sec-Purpose": "prefetch;prerender"})
    assert ahead.status_code == 204
    assert link_steps.token_calls(sandbox) == 0
    assert link_steps.come_back(alice_client, back).status_code == 303


def test_l24_the_answer_leads_to_a_clean_address_and_tells_no_referrer(
    alice_client, back, organization
):
    answer = link_steps.come_back(alice_client, back)
    assert answer.status_code == 303
    assert answer["Location"].startswith(f"/o/{organization.slug}/link/pending/")
    assert "?" not in answer["Location"]
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "no-store" in answer["Cache-Control"]


def test_l24_a_refusals_address_is_told_to_no_other_site(alice_client, back):
    link_steps.come_back(alice_client, back)
    again = link_steps.come_back(alice_client, back)
    assert again["Referrer-Policy"] == "same-origin"


def test_l24_no_page_at_the_callbacks_address_loads_anything_from_elsewhere(
    alice_client, back
):
    assert not link_steps.come_back(alice_client, back).content
    refusal = link_steps.come_back(alice_client, back)
    loaded = re.findall(r'(?:src|<link[^>]*href)="([^"]+)"', refusal.content.decode())
    assert loaded
    assert not [address for address in loaded if not address.startswith("/")]
    policy = refusal["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "script-src" not in policy


def test_l24_no_log_of_ours_keeps_a_code(alice_client, back, caplog, capsys):
    """As the servers of development and demo log a request, and Django a refusal."""
    link_steps.come_back(alice_client, back)
    link_steps.come_back(alice_client, back)
    handler = logging.StreamHandler()
    handler.addFilter(HideCallbackQuery())
    logger = logging.getLogger("django.server")
    logger.addHandler(handler)
    logger.info('"GET %s HTTP/1.1" %s', back, 303)
    logger.removeHandler(handler)
    told = capsys.readouterr().err
    assert "/login/callback/?***" in told
    for name in ("code", "state"):
        assert parse_qs(urlsplit(back).query)[name][0] not in told


def test_l24_an_access_log_keeps_no_code(back):
    line = logging.LogRecord(
        "access", logging.INFO, "", 0, '"GET %s" 303', (back,), None
    )
    assert HideCallbackQuery().filter(line)
    assert line.getMessage().endswith('/login/callback/?***" 303')


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("access_denied", "declined"),
        ("server_error", "refused_by_provider"),
        ("temporarily_unavailable", "refused_by_provider"),
    ],
)
def test_l26_an_error_ends_the_attempt_even_beside_a_code(
    alice_client, started, sandbox, error, reason
):
    url = link_steps.callback_url(started, error=error, code="any")
    answer = link_steps.come_back(alice_client, url)
    assert link_steps.reason_of(answer) == reason
    assert f'href="{link_steps.start_url("cloud")}?organization=' in (
        answer.content.decode()
    )
    assert link_steps.reason_of(link_steps.come_back(alice_client, url)) == "used"
    assert link_steps.token_calls(sandbox) == 0


@pytest.mark.parametrize(
    "text", ['"><script>alert(1)</script>', "\x00\x07\x1b[31m", "\u202egro.live"]
)
def test_l27_no_word_of_a_remote_error_is_shown_or_kept(
    alice_client, admin_client, started, text
):
    url = link_steps.callback_url(
        started, error=text, error_description=text, error_uri=f"https://evil/{text}"
    )
    answer = link_steps.come_back(alice_client, url)
    assert link_steps.reason_of(answer) == "refused_by_provider"
    page = answer.content.decode()
    assert text not in page
    assert "evil" not in page
    assert "unsafe-inline" not in answer["Content-Security-Policy"]
    assert _refusals() == [("Alice", "refused_by_provider")]
    later = alice_client.get("/", follow=True).content.decode()
    audit = admin_client.get("/admin/confluence_link/event/").content.decode()
    assert "Link refused" in audit
    for told in (later, audit, str(list(Event.objects.values())), *mail.outbox):
        assert text not in str(told)
        assert "https://evil" not in str(told)


@pytest.mark.parametrize("name", ["error", "error_description", "error_uri"])
def test_l27_an_endless_error_is_refused_as_a_whole(
    alice_client, started, sandbox, name
):
    texts = {"error": "access_denied", name: "a" * 100_000}
    url = link_steps.callback_url(started, **texts)
    answer = link_steps.come_back(alice_client, url)
    assert link_steps.reason_of(answer) == "bad_request"
    assert "a" * 201 not in answer.content.decode()
    assert link_steps.token_calls(sandbox) == 0


def test_l40_the_code_is_exchanged_before_the_answer_and_by_no_worker(
    alice_client, back, sandbox
):
    queued = []

    def note(**told):
        queued.append(told)

    before_task_publish.connect(note)
    answer = link_steps.come_back(alice_client, back)
    before_task_publish.disconnect(note)
    assert answer.status_code == 303
    assert link_steps.token_calls(sandbox) == 1
    assert PendingLink.objects.exists()
    assert not queued


def test_the_callback_of_no_app_is_not_there(alice_client, cloud_app):
    assert alice_client.get(link_steps.callback_path("nowhere")).status_code == 404


def test_trying_again_leads_to_the_organization_that_it_was_for(
    carol, carol_client, cloud_app, organization
):
    factories.make_organization("First", owner=carol)
    started = link_steps.start(carol_client, "cloud", organization=organization)
    answer = link_steps.come_back(
        carol_client, link_steps.callback_url(started, error="server_error")
    )
    start = link_steps.start_url("cloud")
    assert f'href="{start}?organization={organization.slug}"' in answer.content.decode()
