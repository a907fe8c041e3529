"""What each person has read."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.models.tickets import Ticket

MAX_MOVES = 100


class ReadMark(models.Model):
    """How far a person has read a ticket: the number of the last message that was on their screen.

    Without a mark a person has read nothing of a ticket, apart from what is older than `User.unread_from`.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="read_marks")
    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="read_marks")
    # `Reply.number`; 0 is the ticket's first message. Below 0: nothing, the person marked it unread.
    number = models.IntegerField()
    # When the mark reached this number.
    seen_at = models.DateTimeField(default=timezone.now)
    # What was on the screen stays seen when the mark moves back: [[number, ISO 8601 or null], ...] of the latest
    # MAX_MOVES times that a page showed later messages, oldest first. Null: the time is not known.
    moves = models.JSONField(default=list)

    class Meta:
        verbose_name = _("read mark")
        verbose_name_plural = _("read marks")
        constraints = [models.UniqueConstraint(fields=["user", "ticket"], name="one_read_mark_a_person")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.number}"

    @property
    def seen_number(self) -> int:
        """The number of the last message that was ever on the person's screen."""
        moves: list[tuple[int, str | None]] = self.moves
        return max(self.number, moves[-1][0]) if moves else self.number

    def seen_time(self, number: int) -> datetime | None:
        """Return when the message `number` was first on the screen; None if it was not, or if the time is unknown."""
        times = (at for reached, at in self.moves if reached >= number)
        at = next(times, None)
        return None if at is None else datetime.fromisoformat(at)

    def record_move(self, number: int, at: datetime) -> None:
        """Add that the messages up to `number` were on the screen at a time."""
        known: list[list[Any]] = self.moves or ([[self.number, None]] if self.number >= 0 else [])
        if known and known[-1][0] >= number:
            return
        kept = [*known, [number, at.isoformat()]][-MAX_MOVES:]
        if len(known) >= MAX_MOVES:
            kept[0] = [kept[0][0], None]  # messages before it were seen earlier
        self.moves = kept


class DeliveryMark(models.Model):
    """How far a ticket's messages have reached a device of a customer: the number of the last one a page received."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="delivery_marks")
    # `Reply.number`
    number = models.PositiveIntegerField()
    delivered_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("delivery mark")
        verbose_name_plural = _("delivery marks")
        constraints = [models.UniqueConstraint(fields=["user", "ticket"], name="one_delivery_mark_a_person")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.number}"
