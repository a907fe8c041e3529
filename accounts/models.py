"""Users with their roles, offices, API tokens and the site's settings."""

import uuid
from time import monotonic
from typing import Any, ClassVar, Self, cast

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models, transaction
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from knox.models import AbstractAuthToken

from realtime import reauthorize

# Backgrounds of avatars: white letters have a contrast of 4.5 on each (WCAG 1.4.3).
AVATAR_COLORS = ("#1d4ed8", "#0f766e", "#7c3aed", "#be123c", "#a16207", "#0369a1", "#4d7c0f", "#a21caf")


class UserQuerySet(models.QuerySet["User"]):
    """Users. Bulk updates revoke access like single ones."""

    @transaction.atomic
    def update(self, **fields: Any) -> int:
        """Update, and reauthorize the users: `update` sends no signals."""
        decides = not fields.keys().isdisjoint(("role", "is_active", "password"))
        people = list(self.values_list("pk", flat=True)) if decides else []
        changed = super().update(**fields)
        if people:
            reauthorize(users=people)
        return changed


class UserManager(BaseUserManager["User"]):
    """Creates users by e-mail address."""

    def get_queryset(self) -> UserQuerySet:
        """Return all users."""
        return UserQuerySet(self.model, using=self._db)

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a user with a verified e-mail address; a customer by default."""
        from accounts import email_addresses  # which needs this model

        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        email_addresses.mark_verified(user)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create an admin."""
        return self.create_user(email, password, **{**fields, "role": User.Role.ADMIN})

    def get_by_natural_key(self, username: str | None) -> "User":
        """Return the user with an e-mail address, ignoring case."""
        return self.get(email__iexact=username)


class User(AbstractBaseUser):  # type: ignore[django-manager-missing]
    """A user: signs in by e-mail address, and is an admin, an agent or a customer."""

    class Role(models.TextChoices):
        ADMIN = "admin", _("Admin")
        AGENT = "agent", _("Agent")
        CUSTOMER = "customer", _("Customer")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(_("email address"), unique=True)
    name = models.CharField(_("name"), max_length=100)
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

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    objects = UserManager()

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        ordering = ["name", "email"]
        constraints = [
            models.UniqueConstraint(Lower("email"), name="one_person_an_address"),
            models.CheckConstraint(condition=models.Q(role__in=["admin", "agent", "customer"]), name="known_role"),
        ]

    def __str__(self) -> str:
        """Return the name."""
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save and write the revocation in one transaction."""
        with transaction.atomic():
            super().save(*args, **kwargs)

    def get_full_name(self) -> str:
        """Return the name."""
        return self.name

    def get_short_name(self) -> str:
        """Return the name."""
        return self.name

    @property
    def kind(self) -> tuple[str, bool]:
        """What rules use besides the key: role and activity."""
        return self.role, self.is_active

    @classmethod
    def of_kind(cls, *kind: Any, pk: uuid.UUID) -> "User":
        """Return a stand-in of a `kind` to compile queries for; other fields raise an error."""
        return cls.from_db(None, ["id", "role", "is_active"], [pk, *kind])

    @property
    def is_admin(self) -> bool:
        """Whether the user manages the site."""
        return self.role == self.Role.ADMIN

    @property
    def is_agent(self) -> bool:
        """Whether the user answers tickets."""
        return self.role == self.Role.AGENT

    @property
    def is_customer(self) -> bool:
        """Whether the user opens tickets only."""
        return self.role == self.Role.CUSTOMER

    @property
    def is_staff(self) -> bool:
        """Whether the user may open Django's admin, where policies limit each page."""
        return self.is_active and not self.is_customer

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Allow admins everything in Django's admin; each page decides about agents."""
        return self.is_active and self.is_admin

    def has_module_perms(self, app_label: str) -> bool:
        """Allow admins every application of Django's admin."""
        return self.is_active and self.is_admin

    @property
    def avatar_color(self) -> str:
        """The background colour of the avatar; it never changes."""
        return AVATAR_COLORS[self.id.int % len(AVATAR_COLORS)]

    @property
    def channel(self) -> str:
        """The channel of all events for this user."""
        return f"private-user.{self.pk}"


class Office(models.Model):
    """A department with its agents."""

    name = models.CharField(_("name"), max_length=80, unique=True)
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

    class Meta:
        verbose_name = _("office")
        verbose_name_plural = _("offices")
        ordering = ["name"]

    def __str__(self) -> str:
        """Return the name."""
        return self.name

    @property
    def channel(self) -> str:
        """The channel of this office's tickets."""
        return f"private-office.{self.pk}"

    @property
    def presence_channel(self) -> str:
        """The presence channel of this office's staff."""
        return f"presence-office.{self.pk}"


class ApiToken(AbstractAuthToken):  # type: ignore[misc]
    """A bearer token for programs: stored as a hash, shown once, identified by its name."""

    # The public id: the digest is never shown.
    id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=80)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ["-created"]

    def __str__(self) -> str:
        """Return the name."""
        return self.name


SETTINGS_CACHE_SECONDS = 5.0
_settings_cache: list[tuple[float, "DeskSettings"]] = []


def clear_settings_cache() -> None:
    """Read the settings again on next use."""
    _settings_cache.clear()


class DeskSettings(models.Model):
    """Settings of the site: one row, changed in the admin."""

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

    class Meta:
        verbose_name = _("desk settings")
        verbose_name_plural = _("desk settings")
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_desk")]

    def __str__(self) -> str:
        """Return the name of the only row."""
        return str(_("Desk settings"))

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the row. This process uses it at once, the others within SETTINGS_CACHE_SECONDS."""
        self.pk = 1
        super().save(*args, **kwargs)
        clear_settings_cache()

    @classmethod
    def current(cls) -> Self:
        """Return the settings, cached for seconds because every name needs them."""
        now = monotonic()
        if not _settings_cache or now - _settings_cache[0][0] > SETTINGS_CACHE_SECONDS:
            _settings_cache[:] = [(now, cls._default_manager.first() or cls())]
        return cast(Self, _settings_cache[0][1])
