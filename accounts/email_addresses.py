"""E-mail addresses. Those set by an admin or a command are verified; those of a registration are not."""

from allauth.account.models import EmailAddress

from accounts.models import User


def mark_verified(user: User) -> None:
    """Make the user's address their primary one, and verified. For addresses set by an admin or a command."""
    EmailAddress.objects.filter(user=user).exclude(email__iexact=user.email).update(primary=False)
    EmailAddress.objects.update_or_create(
        user=user, email__iexact=user.email, defaults={"email": user.email, "verified": True, "primary": True}
    )
