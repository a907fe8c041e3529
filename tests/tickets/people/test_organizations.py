"""Organizations: who is a member, what members see of each other's tickets, and how it ends."""

import pytest
from allauth.account.models import EmailAddress
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client

from accounts.models import User
from realtime import Audience
from realtime.broadcasting.messages import REAUTHORIZE_CHANNEL
from realtime.models import Broadcast
from tests.support.cast import Cast
from tests.support.sockets import do, subscribe
from tests.test_admin import save
from tickets import policies, services
from tickets.models import Organization, OrganizationDomain, OrganizationMember, OrganizationRemoval, Ticket
from tickets.people import organizations
from tickets.people.organizations import add_member, remove_member, restore_member, save_organization
from tickets.people.participants import add_participant


def acme(*, domain: str = "", sees: bool = True, members: tuple[User, ...] = ()) -> Organization:
    organization = Organization.objects.create(name="Acme", members_see_tickets=sees)
    if domain:
        OrganizationDomain.objects.create(organization=organization, domain=domain)
    for person in members:
        OrganizationMember.objects.create(organization=organization, user=person)
    return organization


def members_of(organization: Organization) -> list[str]:
    return sorted(organization.members.values_list("user__email", flat=True))


def may_read(user: User, ticket: Ticket) -> Audience | None:
    fresh = Ticket.objects.get(pk=ticket.pk)
    assert policies.visible_tickets(user).filter(pk=ticket.pk).exists() == bool(policies.audience_of(user, fresh))
    return policies.audience_of(user, fresh)


def test_verified_addresses_at_a_domain_make_customers_members(cast: Cast) -> None:
    EmailAddress.objects.filter(user=cast.greta).update(verified=False)
    organization = acme(domain="Example.com")
    assert members_of(organization) == ["casey@example.com", "hiro@example.com"]  # no staff
    address = EmailAddress.objects.get(user=cast.greta)
    address.verified = True
    address.save()
    assert "greta@example.com" in members_of(organization)
    address.delete()
    assert "greta@example.com" not in members_of(organization)
    OrganizationDomain.objects.all().delete()
    assert members_of(organization) == []


@pytest.mark.parametrize(
    ("address", "is_verified", "is_member"),
    [
        ("greta@acme.example", True, True),
        ("GRETA@Acme.Example", True, True),
        ("greta@acme.example", False, False),
        ("greta@mail.acme.example", True, False),
        ("greta@notacme.example", True, False),
        ("greta@not-acme.example", True, False),
        ("greta@acme.example.com", True, False),
        ("greta@example", True, False),
        ("greta@acmeXexample", True, False),
        ("acme.example@other.example", True, False),
        ("greta@\u0430cme.example", True, False),  # a Cyrillic letter
    ],
)
@pytest.mark.parametrize("comes_last", ["address", "domain", "verification"])
def test_only_verified_addresses_at_the_very_domain_make_members(
    cast: Cast, address: str, is_verified: bool, is_member: bool, comes_last: str
) -> None:
    organization = acme(domain="acme.example" if comes_last != "domain" else "")
    row = EmailAddress(user=cast.greta, email=address, verified=is_verified and comes_last != "verification")
    row.save()
    if comes_last == "domain":
        save_organization(organization, by=cast.ada, domains=["acme.example"])
    elif comes_last == "verification":
        assert members_of(organization) == []
        row.verified = is_verified
        row.save()
    assert bool(members_of(organization)) == is_member


def test_what_an_admin_decided_stays(cast: Cast) -> None:
    organization = acme(members=(cast.greta,))
    other = Organization.objects.create(name="Other")
    OrganizationDomain.objects.create(organization=other, domain="example.com")
    assert members_of(organization) == ["greta@example.com"]
    assert "greta@example.com" not in members_of(other)


@pytest.mark.parametrize("domain", ["gmail.com", "GMX.de", "localhost", "a@b.com", "-x.com", "x y.com", "*.com", ""])
def test_public_and_malformed_domains_are_refused(cast: Cast, domain: str) -> None:
    with pytest.raises(ValidationError):
        OrganizationDomain(organization=acme(), domain=domain).full_clean()
    OrganizationDomain(organization=Organization.objects.get(), domain="acme.co.uk").full_clean()


def test_members_see_each_others_public_conversation_if_the_switch_is_on(cast: Cast) -> None:
    organization = acme(sees=False, members=(cast.casey, cast.greta))
    assert may_read(cast.greta, cast.ticket) is None
    organization.members_see_tickets = True
    organization.save()
    cast.reply(cast.bao, "A note", internal=True)
    cast.reply(cast.bao, "An answer")
    assert may_read(cast.greta, cast.ticket) is Audience.PUBLIC
    assert [reply.message for reply in policies.visible_replies(cast.greta, cast.ticket)] == ["An answer"]
    assert all("A note" not in each.text for texts in policies.searchable_texts(cast.greta) for each in texts)


def test_staff_gain_and_show_nothing_by_a_membership(cast: Cast) -> None:
    acme(members=(cast.casey, cast.greta, cast.fatima))
    theirs = services.open_ticket(by=cast.fatima, subject="Chair", content="Broken", office=cast.orders)
    assert may_read(cast.fatima, cast.ticket) is None
    assert may_read(cast.greta, theirs) is None
    assert may_read(cast.greta, cast.ticket) is Audience.PUBLIC


def test_members_of_another_organization_see_nothing(cast: Cast) -> None:
    acme(members=(cast.casey,))
    other = Organization.objects.create(name="Other", members_see_tickets=True)
    OrganizationMember.objects.create(organization=other, user=cast.greta)
    assert may_read(cast.greta, cast.ticket) is None


def test_member_can_take_part_as_well(cast: Cast) -> None:
    acme(members=(cast.casey, cast.greta))
    assert add_participant(cast.ticket, by=cast.bao, person=cast.greta)


@pytest.mark.parametrize("ends", ["switch", "member", "creator", "move", "deletion", "role", "domain", "new domain"])
async def test_access_ends_at_once_on_an_open_page(live_cast: Cast, ends: str) -> None:
    cast = live_cast
    members = () if "domain" in ends else (cast.casey, cast.greta)
    organization = await do(acme, domain="" if members else "example.com", members=members)
    page, own = await subscribe(cast.greta, cast.ticket.channel), await subscribe(cast.greta, cast.greta.channel)
    await do(cast.reply, cast.bao, "An answer")
    assert (await page.event("ticket.reply.created"))["reply"]["message"] == "An answer"
    await do(end, organization, cast, ends)
    await do(cast.reply, cast.bao, "Not for Greta")
    assert (await page.event("pusher:subscription_error"))["status"] == 403
    assert (await own.event("ticket.access.reduced")).keys() == {"event_id", "timestamp"}
    assert await own.receives_nothing(cast.greta.channel)
    for socket in (page, own):
        assert "Not for Greta" not in str(socket.received)
        await socket.close()


def end(organization: Organization, cast: Cast, how: str) -> None:
    if how == "switch":
        organization.members_see_tickets = False
        organization.save()
    elif how == "deletion":
        organization.delete()
    elif how == "move":
        add_member(Organization.objects.create(name="Other"), by=cast.ada, person=cast.casey)
    elif how == "domain":
        OrganizationDomain.objects.get().delete()
    elif how == "new domain":
        domain = OrganizationDomain.objects.get()
        domain.domain = "acme.example"
        domain.save()
    elif how == "role":
        User.objects.filter(pk=cast.casey.pk).update(role=User.Role.AGENT)
    else:
        person = cast.greta if how == "member" else cast.casey
        OrganizationMember.objects.get(user=person).delete()


def test_admin_adds_an_organization_with_domain_and_member(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.ada)
    form: dict[str, object] = {"name": "Acme", "members_see_tickets": "on"}
    form |= {"removals-TOTAL_FORMS": 0, "removals-INITIAL_FORMS": 0}
    for prefix, fields in (("domains", {"domain": "acme.example"}), ("members", {"user": str(cast.greta.pk)})):
        form |= {f"{prefix}-TOTAL_FORMS": 1, f"{prefix}-INITIAL_FORMS": 0}
        form |= {f"{prefix}-0-{name}": value for name, value in fields.items()}
    assert (
        client.post("/admin/tickets/organization/add/", form | {"members-0-user": str(cast.bao.pk)}).status_code
        == 200
    )
    assert client.post("/admin/tickets/organization/add/", form).status_code == 302
    assert members_of(Organization.objects.get()) == ["greta@example.com"]
    client.force_login(cast.bao)
    assert client.get("/admin/tickets/organization/").status_code == 403


def revocations() -> list[str]:
    """Return the names of the events that end access, in their order."""
    names = list(Broadcast.objects.order_by("pk").values_list("event", flat=True))
    return [name for name in names if name in (REAUTHORIZE_CHANNEL, "ticket.access.reduced")]


def test_loss_of_many_members_is_one_revocation(cast: Cast) -> None:
    organization = acme(domain="example.com")
    before = len(revocations())
    save_organization(organization, by=cast.ada, domains=["acme.example"])
    assert members_of(organization) == []
    assert revocations()[before:] == [REAUTHORIZE_CHANNEL, *["ticket.access.reduced"] * 3]


def test_what_takes_nothing_away_withdraws_nothing(cast: Cast) -> None:
    organization = acme(sees=False, members=(cast.casey, cast.greta))
    before = len(revocations())
    organization.members_see_tickets = True
    organization.save()
    add_member(organization, by=cast.ada, person=cast.hiro)
    organization.save()
    assert revocations()[before:] == []
    remove_member(organization, by=cast.ada, person=cast.hiro)
    assert len(revocations()) > before


def test_removal_by_hand_lasts(cast: Cast) -> None:
    organization = acme(domain="example.com")
    assert remove_member(organization, by=cast.ada, person=cast.greta)
    assert not remove_member(organization, by=cast.ada, person=cast.greta)
    address = EmailAddress.objects.get(user=cast.greta)
    address.save()
    EmailAddress.objects.create(user=cast.greta, email="greta@acme.example", verified=True)
    for domains in (["acme.example"], ["acme.example", "example.com"]):
        save_organization(organization, by=cast.ada, domains=domains)
    assert members_of(organization) == ["casey@example.com", "hiro@example.com"]
    assert may_read(cast.greta, cast.ticket) is None


def test_adding_by_hand_and_restoring_undo_a_removal(cast: Cast) -> None:
    organization = acme(domain="example.com")
    for undo, is_manual in ((restore_member, False), (add_member, True)):
        remove_member(organization, by=cast.ada, person=cast.greta)
        assert undo(organization, by=cast.ada, person=cast.greta)
        assert OrganizationMember.objects.get(user=cast.greta).is_manual == is_manual
        assert not OrganizationRemoval.objects.exists()
    remove_member(organization, by=cast.ada, person=cast.greta)
    OrganizationDomain.objects.all().delete()
    assert not restore_member(organization, by=cast.ada, person=cast.greta)


def test_person_who_is_moved_by_hand_does_not_return_by_domain(cast: Cast) -> None:
    first, second = acme(domain="example.com"), Organization.objects.create(name="Other")
    add_member(second, by=cast.ada, person=cast.greta)
    remove_member(second, by=cast.ada, person=cast.greta)
    EmailAddress.objects.get(user=cast.greta).save()
    assert "greta@example.com" not in members_of(first)
    assert not OrganizationMember.objects.filter(user=cast.greta).exists()


@pytest.mark.parametrize(
    "service", ["save_organization", "delete_organization", "add_member", "remove_member", "restore_member"]
)
def test_only_admins_change_organizations(cast: Cast, service: str) -> None:
    organization = acme(domain="example.com", members=())
    person = {} if service.endswith("organization") else {"person": cast.greta}
    for by in (cast.bao, cast.casey, cast.hiro):
        with pytest.raises(PermissionDenied):
            getattr(organizations, service)(organization, by=by, **person)
        with pytest.raises(PermissionDenied):
            organizations.add_named_member(organization, "new@example.com", by=by)
    assert len(members_of(organization)) == 3


def test_domain_of_another_organization_is_refused_and_nothing_saved(cast: Cast) -> None:
    acme(domain="example.com")
    other = Organization(name="Other")
    with pytest.raises(ValidationError) as refused:
        save_organization(other, by=cast.ada, domains=["other.example", "example.com"])
    assert refused.value.message_dict["domains"]
    assert not Organization.objects.filter(name="Other").exists()
    with pytest.raises(ValidationError):
        add_member(Organization.objects.get(), by=cast.ada, person=cast.bao)


def test_admin_page_removes_by_hand_and_restores(cast: Cast) -> None:
    organization = acme(domain="example.com")
    client = Client()
    client.force_login(cast.ada)
    page = f"/admin/tickets/organization/{organization.pk}/change/"
    place = list(organization.members.values_list("user", flat=True)).index(cast.greta.pk)
    domain = {"domains-0-domain": "example.com"}
    assert save(client, page, **domain, **{f"members-{place}-DELETE": "on"}).status_code == 302
    assert OrganizationRemoval.objects.get().user == cast.greta
    assert save(client, page, **domain, **{"removals-0-DELETE": "on"}).status_code == 302
    assert "greta@example.com" in members_of(organization)
