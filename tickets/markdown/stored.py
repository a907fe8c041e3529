"""Messages stored as typed and as HTML: the HTML is rendered once, when the message is written."""

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, Self, TypeVar

from django.db import models, transaction
from django.utils.safestring import SafeString, mark_safe

from tickets.markdown.rendering import RENDERER_VERSION, render

BATCH_SIZE = 100  # messages, of up to 50 KB and 300 KB of HTML


Message = TypeVar("Message", bound=models.Model)


class MessageQuerySet(models.QuerySet[Message]):
    """A queryset that keeps the searchable texts of messages that are written without `save`."""

    SEARCHED_FIELDS = frozenset({"reference", "subject", "content", "message", "is_internal"})

    @transaction.atomic
    def bulk_create(self, objs: Iterable[Any], *args: Any, **options: Any) -> list[Any]:
        """Create the rows and their searchable texts."""
        created = super().bulk_create(objs, *args, **options)
        self._index(created)
        return created

    @transaction.atomic
    def update(self, **fields: Any) -> int:
        """Update the rows, and what search finds of them."""
        if self.SEARCHED_FIELDS.isdisjoint(fields):
            return super().update(**fields)
        keys = list(self.values_list("pk", flat=True))
        changed = super().update(**fields)
        self._index(self.model._default_manager.using(self.db).filter(pk__in=keys))
        return changed

    @staticmethod
    def _index(messages: Iterable[Any]) -> None:
        from tickets.search.indexing import index  # imports the models

        index(messages)


class RenderedMessage(models.Model):
    """A model with a message in `text_field`, rendered when it is written: `replace_text` changes it later."""

    text_field: ClassVar[str]

    # Empty with version 0: written by an older release, or without `save`.
    rendered = models.TextField(default="", db_default="", editable=False)
    renderer_version = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)

    objects: ClassVar[models.Manager[Self]] = MessageQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, **options: Any) -> None:
        """Render the message of a new row, then save."""
        if self._state.adding:
            self.rendered, self.renderer_version = render(self.text), RENDERER_VERSION
        super().save(**options)

    @property
    def text(self) -> str:
        """The message as typed."""
        text: str = getattr(self, self.text_field)
        return text

    @property
    def html(self) -> SafeString:
        """The message as sanitised HTML, by the renderer of its time."""
        if self.renderer_version == 0:
            return render(self.text)
        return mark_safe(self.rendered)  # noqa: S308  (sanitised when it was stored)


def replace_text(row: RenderedMessage, text: str, **fields: Any) -> None:
    """Overwrite the text of a stored message, and other fields: both forms together."""
    values = {type(row).text_field: text, "rendered": render(text), "renderer_version": RENDERER_VERSION, **fields}
    type(row)._default_manager.filter(pk=row.pk).update(**values)


def render_again(messages: models.QuerySet[Any], text_field: str) -> Iterator[int]:
    """Render `messages`, and yield the size of each batch.

    Goes through the table by primary key, and locks the rows of one batch for its update only.
    """
    ordered = messages.order_by("pk").only("pk", text_field)
    rows = list(ordered[:BATCH_SIZE])
    while rows:
        for row in rows:
            row.rendered, row.renderer_version = render(getattr(row, text_field)), RENDERER_VERSION
        messages.model._default_manager.using(messages.db).bulk_update(rows, ["rendered", "renderer_version"])
        yield len(rows)
        rows = list(ordered.filter(pk__gt=rows[-1].pk)[:BATCH_SIZE])
