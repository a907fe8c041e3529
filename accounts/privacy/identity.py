"""What identifies a person in texts: names, email addresses, and the network addresses of their sessions."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import User

QUOTES = re.compile(r'\\+"')


def neutral_name() -> str:
    """Return the name of an erased person, in the language of the site."""
    with translation.override(settings.LANGUAGE_CODE):
        return _("Erased person")


@dataclass(frozen=True)
class Identity:
    """What identified a person before the erasure, and the name that replaces it."""

    user_id: str
    name: str
    emails: tuple[str, ...]
    network_addresses: tuple[str, ...]
    replacement: str

    @classmethod
    def of(cls, person: User) -> Self:
        """Return the identity of a person who is not erased yet."""
        emails = {person.email, *EmailAddress.objects.filter(user=person).values_list("email", flat=True)}
        sessions = UserSession.objects.filter(user=person).values_list("ip", flat=True)
        addresses = tuple(sorted(set(sessions)))
        return cls(str(person.pk), person.name, tuple(sorted(emails)), addresses, neutral_name())

    @property
    def texts(self) -> tuple[str, ...]:
        """The name and the email addresses, none of them empty."""
        return tuple(text for text in (self.name, *self.emails) if text.strip())

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        # An address may be part of a longer one, a name of a longer word: both stay.
        either = "|".join(re.escape(text) for text in sorted(self.texts, key=len, reverse=True))
        return re.compile(rf"(?<![\w.+-])(?:{either})(?![\w-])", re.IGNORECASE)

    def is_in(self, text: str) -> bool:
        """Return whether the name or an address occurs in `text`, in any case."""
        return self._pattern.search(text) is not None

    def is_in_json(self, text: str) -> bool:
        """Return whether the name or an address occurs in JSON, also in JSON within JSON."""
        return self.is_in(QUOTES.sub('"', text))

    def removed(self, text: str) -> str:
        """Return `text` with the replacement in place of the name and of each address."""
        return self._pattern.sub(lambda _match: self.replacement, text)

    def removed_from(self, value: Any) -> Any:
        """Return a JSON value with `removed` applied to all texts in it."""
        if isinstance(value, str):
            return self.removed(value)
        if isinstance(value, list):
            return [self.removed_from(each) for each in value]
        if isinstance(value, dict):
            return {key: self.removed_from(each) for key, each in value.items()}
        return value
