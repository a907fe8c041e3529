"""Models: users, offices, API tokens and site settings."""

import uuid
import zoneinfo
from time import monotonic
from typing import Any, ClassVar, Self, cast

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.core.validators import MaxValueValidator
from django.db import models, transaction
from django.db.models.functions import Coalesce, Lower
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from knox.models import AbstractAuthToken

from accounts.signals import access_changed
from accounts.text.folding import FoldedField, searchable
from accounts.text.lines import validate_line, validate_person_name
from realtime import reauthorize

# White letters have a contrast of at least 4.5 on each (WCAG 1.4.3).
AVATAR_COLORS = ("#1d4ed8", "#0f766e", "#7c3aed", "#be123c", "#a16207", "#0369a1", "#4d7c0f", "#a21caf")


class UserQuerySet(models.QuerySet["User"]):
    """A queryset whose `update` revokes access as `save` does."""

    @transaction.atomic
    def update(self, **fields: Any) -> int:
        """Update the rows, and reauthorize the sockets of these users: `update` sends no signals."""
        if isinstance(fields.get("name"), str):
            fields["folded_name"] = searchable(fields["name"])
        affects_access = not fields.keys().isdisjoint(("role", "is_active", "password"))
        users = list(self.values_list("pk", flat=True)) if affects_access else []
        changed = super().update(**fields)
        if users:
            reauthorize(users=users)
            access_changed.send(User, users=users)
        return changed


class UserManager(BaseUserManager["User"]):
    """Creates users by email address."""

    def get_queryset(self) -> UserQuerySet:
        return UserQuerySet(self.model, using=self._db)

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a user with a verified address; without a role, a customer."""
        from accounts import email_addresses  # imports this module

        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        email_addresses.mark_verified(user)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, **{**fields, "role": User.Role.ADMIN})

    def get_by_natural_key(self, username: str | None) -> "User":
        """Return a user by email address, ignoring case."""
        return self.get(email__iexact=username)


class User(AbstractBaseUser):  # type: ignore[django-manager-missing]
    """A user, who signs in by email address and is an admin, an agent or a customer."""

    class Role(models.TextChoices):
        ADMIN = "admin", _("Admin")
        AGENT = "agent", _("Agent")
        CUSTOMER = "customer", _("Customer")

    class AfterSending(models.TextChoices):
        STAY = "stay", _("Stay on the ticket")
        NEXT = "next", _("Open the next ticket")
        LIST = "list", _("Return to the list")

    class Density(models.TextChoices):
        COMFORTABLE = "comfortable", _("Comfortable")
        COMPACT = "compact", _("Compact")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(_("email address"), unique=True)
    name = models.CharField(_("name"), max_length=100, validators=[validate_person_name])
    folded_name = FoldedField(source="name", max_length=400)
    role = models.CharField(_("role"), max_length=8, choices=Role.choices, default=Role.CUSTOMER)
    is_active = models.BooleanField(
        _("active"),
        default=True,
        help_text=_("Deactivate people instead of deleting them: they can no longer sign in."),
    )
    date_joined = models.DateTimeField(_("joined"), auto_now_add=True)
    language = models.CharField(
        _("language"),
        max_length=10,
        choices=settings.LANGUAGES,
        blank=True,
        help_text=_("Leave empty to use the browser's setting."),
    )
    time_zone = models.CharField(
        _("time zone"), max_length=64, blank=True, help_text=_("Leave empty to use the browser's setting.")
    )
    hides_online = models.BooleanField(
        _("hide my online status"), default=False, help_text=_("Others can't see when you're online.")
    )
    hides_read_marks = models.BooleanField(
        _("hide read receipts"), default=False, help_text=_("Others can't see when you've read a message.")
    )
    after_sending = models.CharField(
        _("after sending a reply"), max_length=4, choices=AfterSending.choices, default=AfterSending.STAY
    )
    uses_single_keys = models.BooleanField(
        _("single-key shortcuts"),
        default=True,
        help_text=_("For example r to reply. Press ? on any page to see them all."),
    )
    splits_list = models.BooleanField(_("split view of the ticket list"), default=False, db_default=False)
    list_density = models.CharField(
        _("density of the ticket list"),
        max_length=11,
        choices=Density.choices,
        default=Density.COMFORTABLE,
        db_default=Density.COMFORTABLE,
    )
    # Older messages count as read: those of before the account, and of before the desk had read marks.
    unread_from = models.DateTimeField(default=timezone.now, editable=False)
    erased_at = models.DateTimeField(_("erased"), null=True, editable=False)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    objects = UserManager()

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        ordering = ["folded_name", "email"]
        indexes = [models.Index(fields=["folded_name", "email"], name="user_order")]
        constraints = [
            models.UniqueConstraint(Lower("email"), name="one_person_an_address"),
            models.CheckConstraint(condition=models.Q(role__in=["admin", "agent", "customer"]), name="known_role"),
            models.CheckConstraint(
                condition=models.Q(erased_at=None) | models.Q(is_active=False), name="erased_people_stay_inactive"
            ),
        ]

    def __str__(self) -> str:
        """Return the name; neutral words in the reader's language for an erased person."""
        return self.name if self.erased_at is None else gettext("Erased person")

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save in one transaction with the receivers that revoke access."""
        if "name" in (kwargs.get("update_fields") or ()):
            kwargs["update_fields"] = {*kwargs["update_fields"], "folded_name"}
        with transaction.atomic():
            super().save(*args, **kwargs)

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name

    @property
    def kind(self) -> tuple[str, bool]:
        """The values that channel authorization reads beside the primary key: role and is_active."""
        return self.role, self.is_active

    @classmethod
    def of_kind(cls, *kind: Any, pk: uuid.UUID) -> "User":
        """Return an unsaved user of a `kind`, to build a query for; other fields are not loaded."""
        return cls.from_db(None, ["id", "role", "is_active"], [pk, *kind])

    @property
    def is_admin(self) -> bool:
        return self.role == self.Role.ADMIN

    @property
    def is_agent(self) -> bool:
        return self.role == self.Role.AGENT

    @property
    def is_customer(self) -> bool:
        return self.role == self.Role.CUSTOMER

    @property
    def is_staff(self) -> bool:
        """Whether the user may enter Django's admin, where each page applies the policies."""
        return self.is_active and not self.is_customer

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Return True for admins; the pages of Django's admin decide what agents may do."""
        return self.is_active and self.is_admin

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_active and self.is_admin

    @property
    def avatar_color(self) -> str:
        """The background colour of the avatar, derived from the id."""
        return AVATAR_COLORS[self.id.int % len(AVATAR_COLORS)]

    @property
    def zone(self) -> zoneinfo.ZoneInfo | None:
        """The time zone that the user has chosen; None without one, and if the time zone database has lost it."""
        try:
            return zoneinfo.ZoneInfo(self.time_zone) if self.time_zone else None
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            return None

    @property
    def channel(self) -> str:
        """The channel of events that concern this user."""
        return f"private-user.{self.pk}"


class MailSender(models.Model):
    """How mails introduce their sender."""

    sender_name = models.CharField(
        _("sender name"), max_length=80, blank=True, validators=[validate_line], help_text=_("Shown as “From”.")
    )
    sender_address = models.EmailField(
        _("sender address"),
        blank=True,
        help_text=_("Your mail provider must allow sending from it. Customers may write to it."),
    )
    signature = models.TextField(
        _("signature"), max_length=1000, blank=True, help_text=_("At the end of mails to customers. Plain text.")
    )

    class Meta:
        abstract = True


class Office(MailSender):
    """An office with its agents. What it leaves empty of a mail's sender is the site's."""

    name = models.CharField(_("name"), max_length=80, unique=True, validators=[validate_line])
    description = models.TextField(_("description"), blank=True)
    is_internal = models.BooleanField(
        _("internal"), default=False, help_text=_("Customers can't see or contact this office.")
    )
    agents = models.ManyToManyField(
        User,
        related_name="offices",
        blank=True,
        verbose_name=_("agents"),
        limit_choices_to={"role": User.Role.AGENT},
    )

    class Meta(MailSender.Meta):
        abstract = False
        verbose_name = _("office")
        verbose_name_plural = _("offices")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def channel(self) -> str:
        """The channel of this office's tickets."""
        return f"private-office.{self.pk}"

    @property
    def presence_channel(self) -> str:
        """The channel that shows which agents of this office are online."""
        return f"presence-office.{self.pk}"

    @property
    def channels(self) -> list[str]:
        """All channels of this office: a revocation that concerns the office reauthorizes each."""
        return [self.channel, self.presence_channel]


class MailLogo(models.Model):
    """The logo at the head of mails: of an office, or of the site. A table of its own: offices are read often."""

    office = models.ForeignKey(Office, models.CASCADE, null=True, related_name="+")
    image = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(Coalesce("office", 0), name="one_logo_an_office")]

    def __str__(self) -> str:
        return str(_("Logo")) if self.office is None else str(self.office)


class ApiToken(AbstractAuthToken):  # type: ignore[misc]
    """An API token of a user: stored as a hash, shown once."""

    class Scope(models.TextChoices):
        READ = "read", _("Read only")
        WRITE = "write", _("Read and write")

    # The public id; the digest is never shown.
    id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=80, validators=[validate_line])
    scope = models.CharField(_("access"), max_length=5, choices=Scope.choices, default=Scope.WRITE)
    # To the minute; null until it is used.
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ["-created"]

    def __str__(self) -> str:
        return self.name


class Invitation(models.Model):
    """An invitation to create an account with a role, by a link that was mailed: see `accounts.invitations`."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        EXPIRED = "expired", _("Expired")
        ACCEPTED = "accepted", _("Accepted")
        REVOKED = "revoked", _("Revoked")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(_("email address"))
    name = models.CharField(_("name"), max_length=100, blank=True, validators=[validate_person_name])
    role = models.CharField(_("role"), max_length=8, choices=User.Role.choices, default=User.Role.AGENT)
    offices = models.ManyToManyField(
        Office, related_name="+", blank=True, verbose_name=_("offices"), help_text=_("Of an agent.")
    )
    invited_by = models.ForeignKey(
        User, models.SET_NULL, null=True, editable=False, related_name="+", verbose_name=_("invited by")
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires"), editable=False)
    accepted_at = models.DateTimeField(_("accepted"), null=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, editable=False)

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["email"],
                condition=models.Q(accepted_at=None, revoked_at=None),
                name="one_open_invitation_an_address",
            )
        ]

    def __str__(self) -> str:
        """Return the role: the audit log and that of the admin keep it, and name no person."""
        return str(self.get_role_display())

    @property
    def has_expired(self) -> bool:
        """Whether its time is over, or the admin who answers for it may invite no more: another may renew it then."""
        from accounts import policies

        inviter = self.invited_by
        may_invite = inviter is not None and policies.can_manage_users(inviter)
        return self.expires_at <= timezone.now() or not may_invite

    @property
    def state(self) -> State:
        """What became of it."""
        if self.accepted_at is not None:
            return self.State.ACCEPTED
        if self.revoked_at is not None:
            return self.State.REVOKED
        return self.State.EXPIRED if self.has_expired else self.State.OPEN


class AddressConfirmation(models.Model):
    """When an address was confirmed from a link. Addresses that an admin sets have none, nor have those of before."""

    address = models.OneToOneField(
        "account.EmailAddress", models.CASCADE, primary_key=True, related_name="confirmation"
    )
    confirmed_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.confirmed_at)


SETTINGS_CACHE_SECONDS = 5.0
_settings_cache: list[tuple[float, "DeskSettings"]] = []


def clear_settings_cache() -> None:
    """Clear the cached settings."""
    _settings_cache.clear()


class DeskSettings(MailSender):
    """The settings of the site: one row, edited in Django's admin."""

    class StaffNames(models.TextChoices):
        FULL = "full", _("Full name")
        FIRST = "first", _("First name")
        OFFICE = "office", _("Office name")

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    staff_names = models.CharField(
        _("how customers see staff"),
        max_length=6,
        choices=StaffNames.choices,
        default=StaffNames.FULL,
        help_text=_("The name customers see when staff reply. Staff always see full names."),
    )

    site_name = models.CharField(
        _("name of the desk"),
        max_length=80,
        default="TIKM",
        validators=[validate_line],
        help_text=_("Shown in mails."),
    )

    mails_closing = models.BooleanField(
        _("mail customers when their ticket is closed"),
        default=True,
    )

    unseen_minutes = models.PositiveSmallIntegerField(
        _("minutes before a mail"),
        default=2,
        validators=[MaxValueValidator(1440)],
        help_text=_("A message that was seen on the page by then isn't mailed."),
    )

    digest_hour = models.PositiveSmallIntegerField(
        _("hour of the daily summary"),
        default=8,
        validators=[MaxValueValidator(23)],
        help_text=_("0 to 23, in the time zone of each person. For those who chose one email a day."),
    )

    class Meta(MailSender.Meta):
        abstract = False
        verbose_name = _("desk settings")
        verbose_name_plural = _("desk settings")
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_desk")]

    def __str__(self) -> str:
        return str(_("Desk settings"))

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the row; other processes read it within SETTINGS_CACHE_SECONDS."""
        self.pk = 1
        super().save(*args, **kwargs)
        clear_settings_cache()

    @classmethod
    def current(cls) -> Self:
        """Return the settings, cached for SETTINGS_CACHE_SECONDS: every displayed name needs them."""
        now = monotonic()
        if not _settings_cache or now - _settings_cache[0][0] > SETTINGS_CACHE_SECONDS:
            _settings_cache[:] = [(now, cls._default_manager.first() or cls())]
        return cast(Self, _settings_cache[0][1])
