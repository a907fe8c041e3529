"""Fields look as Django renders them, at a fraction of the work."""

from typing import Any

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates
from django.template import Template

from tikm.forms import FormRenderer

CHOICES = [
    ("", "---"),
    ('"><b>', "<i>A & B</i>"),
    ("Group <1>", [("1", "One"), (2, "Two 'quoted'")]),
]
FIELDS: dict[str, tuple[forms.Field, Any]] = {
    "choice": (forms.ChoiceField(choices=CHOICES), "2"),
    "nothing chosen": (forms.ChoiceField(choices=CHOICES, required=False, disabled=True), None),
    "no choices": (forms.ChoiceField(choices=[]), ""),
    "text": (forms.CharField(max_length=20, help_text="Help"), '"quoted" & <b>'),
    "empty": (forms.CharField(required=False), ""),
    "number": (forms.IntegerField(min_value=1, max_value=9), 1234),
    "email": (forms.EmailField(), "a@example.com"),
    "url": (forms.URLField(assume_scheme="https"), "https://example.com/?a=1&b=2"),
    "date": (forms.DateField(widget=forms.DateInput(attrs={"type": "date", "data-x": '"'})), "2026-01-02"),
    "hidden": (forms.UUIDField(widget=forms.HiddenInput), None),
    "attributes": (
        forms.CharField(widget=forms.TextInput(attrs={"autofocus": True, "hidden": False, "step": 0})),
        "x",
    ),
}


@pytest.mark.parametrize("name", FIELDS)
def test_field_is_the_same_html_as_django_renders(name: str) -> None:
    field, value = FIELDS[name]
    shown = [
        form_with(field, value, renderer)["field"].as_widget() for renderer in (FormRenderer(), DjangoTemplates())
    ]
    assert shown[0].split() == shown[1].split()
    assert "<" in shown[0]


def test_select_renders_no_template(monkeypatch: pytest.MonkeyPatch) -> None:
    rendered = []
    monkeypatch.setattr(Template, "render", lambda self, _context: rendered.append(self.name) or "")
    field, value = FIELDS["choice"]
    form_with(field, value, FormRenderer())["field"].as_widget()
    assert rendered == []
    form_with(forms.BooleanField(), value, FormRenderer())["field"].as_widget()
    assert rendered == ["django/forms/widgets/checkbox.html"]


def form_with(field: forms.Field, value: Any, renderer: Any) -> forms.Form:
    form = forms.Form(initial={"field": value}, renderer=renderer)
    form.fields["field"] = field
    return form
