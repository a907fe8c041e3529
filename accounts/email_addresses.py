"""Email addresses. Those set by an admin or a command count as verified; those of a sign-up do not."""

from allauth.account.models import EmailAddress

from accounts.models import User


def mark_verified(user: User) -> None:
    """Make the user's address their primary, verified one."""
    EmailAddress.objects.filter(user=user).exclude(email__iexact=user.email).update(primary=False)
    EmailAddress.objects.update_or_create(
        user=user, email__iexact=user.email, defaults={"email": user.email, "verified": True, "primary": True}
    )
