"""The settings pages of organizations, and the same through the API."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from tests.support.api_client import ApiClient
from tests.support.cast import Cast
from tickets.models import Organization, OrganizationRemoval
from tickets.people.organizations import MAX_DOMAINS, save_organization

PAGE = "/settings/organizations/"


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def acme(cast: Cast) -> Organization:
    return save_organization(Organization(name="Acme"), by=cast.ada, domains=["example.com"])


def members(organization: Organization) -> set[str]:
    return set(organization.members.values_list("user__name", flat=True))


def test_admin_creates_and_edits_an_organization(cast: Cast) -> None:
    client = browser(cast.ada)
    assert client.post(f"{PAGE}new/", {"name": "Acme", "domains": "Example.com, acme.example"}).status_code == 302
    organization = Organization.objects.get()
    address = f"{PAGE}{organization.pk}/"
    assert "acme.example\nexample.com</textarea>" in client.get(address).text
    data = {"name": "Ajax", "domains": "example.com", "members_see_tickets": "on"}
    assert client.post(address, data).status_code == 302
    organization.refresh_from_db()
    assert (organization.name, organization.members_see_tickets) == ("Ajax", True)
    assert [row.domain for row in organization.domains.all()] == ["example.com"]
    assert client.post(f"{address}delete/").status_code == 302
    assert not Organization.objects.exists()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"name": "", "domains": "typed.example"}, "This field is required"),
        ({"name": "Acme", "domains": "typed.example"}, "already exists"),
        ({"name": "Ajax", "domains": "typed.example gmail.com"}, "gmail.com: Anyone can get an address"),
        ({"name": "Ajax", "domains": "typed.example example.com"}, "example.com: Domain with this Domain already"),
        ({"name": "Ajax", "domains": "typed.example " + " ".join(f"{n}.com" for n in range(60))}, "at most 50"),
    ],
)
def test_refused_organization_is_shown_as_typed(cast: Cast, data: dict[str, str], sentence: str) -> None:
    acme(cast)
    response = browser(cast.ada).post(f"{PAGE}new/", data)
    assert response.status_code == 422
    assert sentence in response.text
    assert "typed.example" in response.text
    assert Organization.objects.count() == 1
    assert MAX_DOMAINS == 50


def test_admin_adds_removes_and_restores_members_without_scripts(cast: Cast) -> None:
    organization, client = acme(cast), browser(cast.ada)
    address = f"{PAGE}{organization.pk}/"
    assert client.post(f"{address}members/{cast.greta.pk}/remove/").status_code == 302
    assert "Greta" not in str(members(organization))
    assert f"{address}members/{cast.greta.pk}/restore/" in client.get(address).text
    assert client.post(f"{address}members/{cast.greta.pk}/restore/").status_code == 302
    assert "Greta Lindqvist" in members(organization)
    assert not OrganizationRemoval.objects.exists()
    assert client.post(f"{address}members/", {"person": "Nora Neu <nora@other.example>"}).status_code == 302
    assert "Nora Neu" in members(organization)
    assert client.post(f"{address}members/{cast.bao.pk}/remove/").status_code == 404


REFUSED = [("Unknown Name", "No active person"), ("bao@example.com", "Only customers can be members")]


@pytest.mark.parametrize(("person", "sentence"), REFUSED)
def test_refused_member_is_shown_as_typed(cast: Cast, person: str, sentence: str) -> None:
    response = browser(cast.ada).post(f"{PAGE}{acme(cast).pk}/members/", {"person": person})
    assert response.status_code == 422
    assert sentence in response.text
    assert f'value="{person}"' in response.text


def test_only_admins_open_the_pages(cast: Cast) -> None:
    address = f"{PAGE}{acme(cast).pk}/"
    paths = (address, f"{address}members/", f"{address}delete/", f"{address}members/{cast.greta.pk}/remove/")
    for user in (cast.bao, cast.casey):
        client = browser(user)
        assert {client.get(path).status_code for path in (PAGE, address, f"{PAGE}new/")} == {403}
        assert {client.post(path, {"name": "X", "person": "Greta Lindqvist"}).status_code for path in paths} == {403}
    assert "Greta Lindqvist" in members(Organization.objects.get())


def test_list_finds_by_name_and_domain(cast: Cast) -> None:
    acme(cast)
    save_organization(Organization(name="Ajax"), by=cast.ada, domains=["ajax.example"])
    client = browser(cast.ada)

    def found(words: str) -> list[str]:
        rows: Any = client.get(PAGE, {"q": words}).context["rows"]
        return [row.name for row in rows]

    assert [found(words) for words in ("", "ajax.ex", "acm", "nothing")] == [["Acme", "Ajax"], ["Ajax"], ["Acme"], []]


def test_card_leads_admins_to_the_organization(cast: Cast) -> None:
    organization = acme(cast)
    link = f'href="{PAGE}{organization.pk}/"'
    assert link in browser(cast.ada).get(f"/people/{cast.casey.pk}/").text
    agents = browser(cast.bao).get(f"/people/{cast.casey.pk}/").text
    assert "Acme" in agents
    assert link not in agents


# API


def test_api_creates_changes_and_lists_organizations(cast: Cast) -> None:
    program = ApiClient(cast.ada)
    created = program.post("organizations/", {"name": "Acme", "domains": ["Example.com"]})
    assert created.status_code == 201
    path = f"organizations/{created.json()['id']}/"
    assert program.patch(path, {"members_see_tickets": True}).json() == {
        "id": created.json()["id"], "name": "Acme", "members_see_tickets": True, "domains": ["example.com"],
    }  # fmt: skip
    assert program.patch(path, {"domains": []}).json()["domains"] == []
    first = program.post("organizations/", {"name": "Ajax"}).json()
    page = program.get("organizations/?size=1").json()
    assert [row["name"] for row in page["results"]] == ["Acme"]
    following = program.get(page["next"].removeprefix("http://testserver")).json()
    assert following == {"next": None, "results": [first]}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "Acme"}, "name"),
        ({"name": "Ajax", "domains": ["example.com"]}, "domains"),
        ({"name": "Ajax", "domains": ["gmail.com"]}, "domains"),
        ({"name": "Ajax", "member_see_tickets": True}, "member_see_tickets"),
    ],
)
def test_api_refuses_by_field(cast: Cast, body: dict[str, Any], field: str) -> None:
    acme(cast)
    response = ApiClient(cast.ada).post("organizations/", body)
    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == [f"#/{field}"]
    assert Organization.objects.count() == 1


def test_api_removal_lasts_until_the_person_is_added_again(cast: Cast) -> None:
    organization, program = acme(cast), ApiClient(cast.ada)
    path = f"organizations/{organization.pk}/members/"
    assert {row["name"] for row in program.get(path).json()["results"]} == members(organization)
    assert program.ask("DELETE", f"{path}{cast.greta.pk}/").status_code == 204
    program.patch(f"organizations/{organization.pk}/", {"domains": []})
    program.patch(f"organizations/{organization.pk}/", {"domains": ["example.com"]})
    assert "Greta Lindqvist" not in members(organization)
    added = program.post(path, {"person": "greta@example.com"}).json()
    assert (added["name"], added["is_manual"]) == ("Greta Lindqvist", True)


def test_api_card_has_the_tickets_that_the_reader_may_see(cast: Cast) -> None:
    acme(cast)
    card = ApiClient(cast.bao).get(f"customers/{cast.casey.pk}/").json()
    assert (card["email"], card["is_verified"], card["organization"]) == ("casey@example.com", True, "Acme")
    assert [ticket["subject"] for ticket in card["tickets"]] == ["Charged twice"]
    note = ApiClient(cast.bao).post(f"customers/{cast.casey.pk}/notes/", {"text": "Pays late"}).json()
    (read,) = ApiClient(cast.dana).get(f"customers/{cast.casey.pk}/notes/").json()["results"]
    assert read == note | {"can_be_deleted": False}
    assert (note["text"], note["author"]["name"], note["can_be_deleted"]) == ("Pays late", "Bao Nguyen", True)


# Two admins at once


def seen_by(client: Any, address: str) -> dict[str, str]:
    form = client.get(address).context["form"]
    return {"name": form["name"].value(), "domains": form["domains"].value(), "seen": form["seen"].value()}


def test_domains_that_another_admin_has_changed_meanwhile_are_not_replaced_unasked(cast: Cast) -> None:
    address, client = f"{PAGE}{acme(cast).pk}/", browser(cast.ada)
    first, second = seen_by(client, address), seen_by(client, address)
    assert client.post(address, first | {"domains": "example.com theirs.example"}).status_code == 302
    response = client.post(address, second | {"domains": "mine.example"})
    assert response.status_code == 422
    assert "Another admin has changed this organization." in response.text
    assert "Changed while you were editing, to: example.com, theirs.example" in response.text
    assert "mine.example</textarea>" in response.text
    assert Organization.objects.get().domain_names == ["example.com", "theirs.example"]
    again = second | {"domains": "mine.example", "seen": response.context["form"]["seen"].value()}
    assert client.post(address, again).status_code == 302
    assert Organization.objects.get().domain_names == ["mine.example"]


def test_admin_who_does_not_save_the_same_as_another_is_asked_about_the_differing_field_only(cast: Cast) -> None:
    address, client = f"{PAGE}{acme(cast).pk}/", browser(cast.ada)
    seen = seen_by(client, address)
    assert client.post(address, seen | {"members_see_tickets": "on"}).status_code == 302
    response = client.post(address, seen | {"name": "Acme"})
    assert list(response.context["form"].errors) == ["members_see_tickets", "__all__"]
    assert "to: on" in response.text


def test_api_changes_only_the_version_that_if_match_names(cast: Cast) -> None:
    path, program = f"organizations/{acme(cast).pk}/", ApiClient(cast.ada)
    tag = program.get(path)["ETag"]
    changed = program.patch(path, {"domains": ["theirs.example"]}, **{"If-Match": tag})
    assert (changed.status_code, changed["ETag"] == tag) == (200, False)
    assert program.patch(path, {"domains": ["mine.example"]}, **{"If-Match": tag}).status_code == 412
    assert program.patch(path, {"name": "Ajax"}, **{"If-Match": "W/" + changed["ETag"]}).status_code == 412
    assert Organization.objects.get().domain_names == ["theirs.example"]
    for headers in ({"If-Match": f'"x", {changed["ETag"]}'}, {"If-Match": "*"}, {}):
        assert program.patch(path, {"domains": ["mine.example"]}, **headers).status_code == 200
