"""The audit log. Entries are added, never changed."""

from datetime import datetime
from typing import Any, NoReturn

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    """A queryset that changes nothing, except that old entries go, and the network addresses of erased people."""

    def update(self, **_fields: Any) -> NoReturn:
        """Refuse."""
        raise TypeError("Entries of the audit log do not change.")

    def delete(self) -> NoReturn:
        """Refuse."""
        raise TypeError("Entries of the audit log are not deleted; see prune_audit_log.")

    def prune(self, before: datetime) -> int:
        """Delete the entries of before this time. Return their number."""
        return super().filter(at__lt=before)._raw_delete(self.db)

    def forget_addresses(self, person_id: Any) -> None:
        """Remove the network addresses from what a person did, and from what others did about them."""
        about = models.Q(subject_type="accounts.user", subject_id=str(person_id))
        super(AuditQuerySet, self.filter(models.Q(actor=person_id) | about)).update(address=None)


class AuditEntry(models.Model):
    """What a user did. It names people by their keys only: who is erased is not named here either."""

    class Action(models.TextChoices):
        SIGNED_IN = "signed_in", _("Signed in")
        SIGN_IN_FAILED = "sign_in_failed", _("Sign-in failed")
        SIGNED_OUT = "signed_out", _("Signed out")
        PASSWORD_CHANGED = "password_changed", _("Password changed")
        SECOND_STEP_ADDED = "second_step_added", _("Two-factor authentication set up")
        SECOND_STEP_REMOVED = "second_step_removed", _("Two-factor authentication removed")
        TOKEN_CREATED = "token_created", _("API token created")
        TOKEN_REVOKED = "token_revoked", _("API token revoked")
        CREATED = "created", _("Created")
        CHANGED = "changed", _("Changed")
        DELETED = "deleted", _("Deleted")
        EXPORTED = "exported", _("Data exported")
        ERASED = "erased", _("Erased")

    at = models.DateTimeField(_("time"), default=timezone.now, db_index=True)
    action = models.CharField(_("action"), max_length=20, choices=Action.choices)
    # No user: a command, a job, or an unknown person before sign-in.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("who")
    )
    subject_type = models.CharField(max_length=60, blank=True)  # as in "accounts.user"
    subject_id = models.CharField(max_length=40, blank=True)
    subject_name = models.CharField(max_length=200, blank=True)  # at that time; empty for people
    # {field: [before, after]}; [] where the values are personal or secret.
    changes = models.JSONField(_("changes"), default=dict)
    address = models.GenericIPAddressField(_("network address"), null=True)
    request_id = models.CharField(_("request"), max_length=64, blank=True)

    objects = AuditQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit log")
        indexes = [models.Index(fields=["subject_type", "subject_id"], name="audit_subject")]

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.subject_name}".strip()

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add the entry. Raises TypeError for one that was added before."""
        if not self._state.adding:
            raise TypeError("Entries of the audit log do not change.")
        super().save(*args, **kwargs)

    def delete(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Refuse."""
        raise TypeError("Entries of the audit log are not deleted.")
