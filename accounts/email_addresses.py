"""E-mail addresses: those that an admin or a command wrote count as verified; those of a sign-up do not."""

from allauth.account.models import EmailAddress

from accounts.models import User


def mark_verified(user: User) -> None:
    """Make the person's address his primary one, verified: somebody who may vouch for it has written it."""
    EmailAddress.objects.filter(user=user).exclude(email__iexact=user.email).update(primary=False)
    EmailAddress.objects.update_or_create(
        user=user, email__iexact=user.email, defaults={"email": user.email, "verified": True, "primary": True}
    )
