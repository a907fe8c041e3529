"""A form renderer that writes fields in Python: Django's renders a template for each option and its attributes."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.forms.renderers import DjangoTemplates
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

Widget = Mapping[str, Any]


class FormRenderer(DjangoTemplates):
    """Renders inputs and selects in Python, with the same HTML as Django's templates, and all others by templates."""

    def render(self, template_name: str, context: dict[str, Any], request: Any = None) -> str:
        """Return the HTML of a widget, a field or a form."""
        draw = _DRAWN.get(template_name)
        return super().render(template_name, context, request) if draw is None else draw(context["widget"])


def _input(widget: Widget) -> SafeString:
    value = "" if widget["value"] is None else format_html(' value="{}"', str(widget["value"]))
    return format_html('<input type="{}" name="{}"{}{}>', widget["type"], widget["name"], value, _attributes(widget))


def _select(widget: Widget) -> SafeString:
    lines = mark_safe("\n".join(_groups(widget)))  # noqa: S308  (parts that are escaped)
    return format_html('<select name="{}"{}>\n{}\n</select>', widget["name"], _attributes(widget), lines)


def _groups(widget: Widget) -> Iterator[SafeString]:
    for name, options, _index in widget["optgroups"]:
        if name:
            yield format_html('  <optgroup label="{}">', name)
        for option in options:
            yield format_html(
                '  <option value="{}"{}>{}</option>', str(option["value"]), _attributes(option), option["label"]
            )
        if name:
            yield mark_safe("  </optgroup>")


def _attributes(widget: Widget) -> SafeString:
    """Return attributes as HTML, each after a space: True has no value, False is left out."""
    shown = [(name, value) for name, value in widget["attrs"].items() if value is not False]
    return format_html_join("", " {}{}", ((name, _value(value)) for name, value in shown))


def _value(value: Any) -> SafeString:
    return mark_safe("") if value is True else format_html('="{}"', str(value))


_DRAWN: dict[str, Callable[[Widget], SafeString]] = {
    "django/forms/widgets/select.html": _select,
    **{
        f"django/forms/widgets/{kind}.html": _input
        for kind in ("text", "number", "email", "url", "color", "search", "tel", "date", "hidden", "input")
    },
}
