"""Find the customer that staff or a message names, or create their account, without a password."""

from collections.abc import Sequence
from email.utils import parseaddr
from uuid import UUID

from allauth.account.models import EmailAddress
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts import policies
from accounts.models import User
from accounts.text.folding import searchable
from accounts.text.lines import validate_person_name

MAX_FOUND = 10


def find_by_address(email: str) -> User | None:
    """Return the user whose address this is: a verified one, or that of the account."""
    owners = EmailAddress.objects.filter(email=email.lower(), verified=True).values("user")
    return User.objects.filter(Q(pk__in=owners) | Q(email__iexact=email), erased_at=None).first()


def customer_for_address(email: str, name: str = "") -> User:
    """Return the user with this address, or a new customer without a password, whose address is not verified.

    They sign in after they have chosen a password by the mail for a forgotten one, which proves the address.
    """
    found = find_by_address(email)
    if found is not None:
        return found
    user = User(email=email.lower(), name=valid_name(name, email))
    user.set_unusable_password()
    try:
        with transaction.atomic():
            user.save()
            EmailAddress.objects.create(user=user, email=user.email, primary=True)
    except IntegrityError:  # created by another process meanwhile
        found = find_by_address(email)
        if found is None:
            raise
        return found
    return user


def found_people(by: User, text: str) -> QuerySet[User]:
    """Return the people that `by` may name, with `text` in their name or address."""
    return people_named(policies.findable_people(by), text)


def managed_people(by: User, text: str) -> QuerySet[User]:
    """Return the staff that `by` manages or, with `text`, everyone who has it in their name or address."""
    people = policies.managed_users(by)
    return people_named(people, text) if text else people.exclude(role=User.Role.CUSTOMER)


def people_named(people: QuerySet[User], text: str) -> QuerySet[User]:
    """Return those of the people whose name or address has all words of `text`."""
    if "\0" in text:  # PostgreSQL would refuse the query
        return people.none()
    for word in searchable(text).split():
        people = people.filter(Q(folded_name__contains=word) | Q(email__icontains=word))
    return people


def named_customer(text: str, *, by: User) -> User:
    """Return the person that `by` names: by id, by address, as `Name <address>`, or by the whole name.

    An unknown address gets an account. Raises PermissionDenied, ValidationError.
    """
    if not policies.can_name_customers(by):
        raise PermissionDenied(_("Only staff can open tickets for others."))
    people = policies.findable_people(by)
    if "@" in text:
        name, email = parseaddr(text)
        validate_email(email)
        person = customer_for_address(email, name)
        return _single([person] if person.is_active else [])
    try:
        return _single(people.filter(pk=UUID(text)))
    except ValueError:
        return _single(people.filter(folded_name=searchable(text))[:MAX_FOUND])


def _single(people: Sequence[User] | QuerySet[User]) -> User:
    found = list(people)
    if len(found) == 1:
        return found[0]
    if not found:
        raise ValidationError(_("No active person found. For a new customer, enter an email address."))
    addresses = ", ".join(person.email for person in found)
    raise ValidationError(
        _("Several people have this name. Enter an email address: %(addresses)s") % {"addresses": addresses}
    )


def valid_name(*names: str) -> str:
    """Return the first text that may be a name, of an address its beginning."""
    for text in names:
        name = " ".join(text.partition("@")[0].split())[:100]
        try:
            validate_person_name(name)
        except ValidationError:
            continue
        return name
    return _("Customer")
