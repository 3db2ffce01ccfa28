from __future__ import annotations

from sandbox.cloud.people import NORTHWIND


def test_profile_names_the_account(cloud):
    profile = cloud.get("/me", cloud.linked()).json()

    assert profile["account_id"] == "5be24ad8b1653240376955d2"
    assert profile["email"] == "alice@example.com"
    assert "email_verified" not in profile


def test_profile_needs_read_me(cloud):
    answer = cloud.linked(scope="read:page:confluence")

    assert cloud.get("/me", answer).status_code == 403


def test_same_cloud_id_stands_twice_once_per_product(cloud):
    answer = cloud.linked()

    resources = cloud.get("/oauth/token/accessible-resources", answer).json()

    assert [one["id"] for one in resources] == [NORTHWIND.id] * 2
    kinds = {"confluence" in " ".join(one["scopes"]) for one in resources}
    assert kinds == {True, False}


def test_site_that_the_person_lost_disappears(cloud):
    answer = cloud.linked()
    cloud.part.leave_site("alice", "northwind")

    assert cloud.get("/oauth/token/accessible-resources", answer).json() == []
    assert cloud.call("/api/v2/spaces", answer).status_code == 404


def test_pictures_are_served(cloud):
    answer = cloud.linked()
    resource = cloud.get("/oauth/token/accessible-resources", answer).json()[0]

    picture = cloud.http.get(resource["avatarUrl"])

    assert picture.headers["Content-Type"].startswith("image/svg+xml")


def test_a_new_name_is_in_the_profile(cloud):
    answer = cloud.linked()

    cloud.part.rename("alice", "Alice Brown")

    assert cloud.get("/me", answer).json()["name"] == "Alice Brown"
