from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import ProtectedError
from django.utils import timezone

from confluence_link.models import OAuthApp, OAuthAppHealth
from tests import factories

WIKI = "https://wiki.example.com/confluence"


def offered_to(organization):
    apps = OAuthApp.objects.for_organization(organization)
    return {app.name for app in apps}


def test_an_organization_is_offered_everyones_apps_and_its_own(
    organization, other_organization
):
    factories.make_oauth_app(name="everyone's")
    factories.make_oauth_app(name="ours", organization=organization)
    factories.make_oauth_app(name="theirs", organization=other_organization)
    factories.make_oauth_app(name="off", enabled=False)
    factories.make_oauth_app(name="ours, off", organization=organization, enabled=False)

    assert offered_to(organization) == {"everyone's", "ours"}
    assert offered_to(other_organization) == {"everyone's", "theirs"}


@pytest.mark.parametrize(
    ("deployment", "base_url"), [("cloud", WIKI), ("data_center", "")]
)
def test_data_center_has_a_base_url_and_cloud_has_none(db, deployment, base_url):
    with pytest.raises(IntegrityError):
        OAuthApp.objects.create(
            provider_id="x", deployment=deployment, base_url=base_url
        )


def test_t12_two_apps_may_have_one_base_url(db):
    apps = [factories.make_oauth_app(base_url=WIKI) for _ in range(2)]

    assert apps[0].redirect_uri != apps[1].redirect_uri


def test_a_provider_id_is_one_apps(db):
    factories.make_oauth_app(provider_id="wiki")

    with pytest.raises(IntegrityError):
        factories.make_oauth_app(provider_id="wiki")


@pytest.mark.parametrize("provider_id", ["wiki", "7", "a-b-2", "a" * 40])
def test_a_provider_id_is_fit_for_a_url(provider_id):
    app = OAuthApp(provider_id=provider_id)

    app.clean_fields(exclude={f.name for f in app._meta.fields} - {"provider_id"})


@pytest.mark.parametrize(
    "provider_id", ["", "Wiki", "-wiki", "wiki/x", "wi ki", "wiki\n", "ü", "a" * 41]
)
def test_another_provider_id_is_refused(provider_id):
    app = OAuthApp(provider_id=provider_id)

    with pytest.raises(ValidationError):
        app.clean_fields(exclude={f.name for f in app._meta.fields} - {"provider_id"})


def test_l41_the_redirect_uri_comes_from_the_public_url(settings):
    settings.PUBLIC_URL = "https://link.example.com"

    uri = OAuthApp(provider_id="wiki").redirect_uri

    assert uri == ("https://link.example.com/accounts/confluence/wiki/login/callback/")


def test_an_app_with_grants_cannot_be_deleted(cloud_grant):
    with pytest.raises(ProtectedError):
        cloud_grant.oauth_app.delete()


def test_an_app_is_called_by_its_name():
    assert str(OAuthApp(name="Company wiki")) == "Company wiki"


# --- its breaker ----------------------------------------------------------------


def test_an_app_without_health_is_healthy(db):
    assert factories.make_oauth_app().has_trouble is False


@pytest.mark.parametrize(("openings", "trouble"), [(0, False), (1, True)])
def test_an_app_has_trouble_while_its_breaker_is_open(db, openings, trouble):
    app = factories.make_oauth_app()
    OAuthAppHealth.objects.create(oauth_app=app, openings=openings)

    assert OAuthApp.objects.get().has_trouble is trouble


def test_an_app_pauses_until_a_moment():
    now = timezone.now()
    second = timedelta(seconds=1)

    assert OAuthAppHealth(paused_until=None).is_paused(now) is False
    assert OAuthAppHealth(paused_until=now + second).is_paused(now) is True
    assert OAuthAppHealth(paused_until=now).is_paused(now) is False


def test_health_names_its_app():
    assert str(OAuthAppHealth(oauth_app_id=7)) == "health of 7"
