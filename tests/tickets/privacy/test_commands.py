"""The commands of an operator who erases a person."""

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from tests.support.cast import Cast


@pytest.mark.parametrize("typed", ["", "casey", "greta@example.com"])
def test_person_is_not_erased_unless_the_address_is_typed_again(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    monkeypatch.setattr("builtins.input", lambda _: typed)
    with pytest.raises(CommandError, match="Nothing was erased"):
        call_command("erase_person", "casey@example.com")
    assert User.objects.get(pk=cast.casey.pk).name == "Casey Rivers"


@pytest.mark.parametrize(("typed", "options"), [(" Casey@example.com", {}), ("", {"interactive": False})])
def test_person_is_erased_once_the_address_is_typed_again(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, typed: str, options: dict[str, bool]
) -> None:
    monkeypatch.setattr("builtins.input", lambda _: typed)
    call_command("erase_person", "casey@example.com", **options)
    assert User.objects.get(pk=cast.casey.pk).erased_at is not None
