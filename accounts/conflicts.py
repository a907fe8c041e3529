"""Two requests write the same unique value at once: the later one gets a form error, not an internal error.

Validation does not see what another transaction has not committed, so the database refuses the row. The transaction
is rolled back; when the view runs again, its validation finds the other row and says which field is taken.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeVar, cast

from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

UNIQUE_VIOLATION: Final = "23505"  # PostgreSQL
UNIQUE_ERRORS: Final = ("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY")

View = TypeVar("View", bound=Callable[..., Any])


def is_conflict(error: BaseException) -> bool:
    """Return whether the database refused a value because another row has it."""
    if isinstance(error, ValidationError) and error.__cause__:  # of a service
        error = error.__cause__
    cause = error.__cause__ if isinstance(error, IntegrityError) else None
    is_sqlite = getattr(cause, "sqlite_errorname", "") in UNIQUE_ERRORS
    return is_sqlite or getattr(cause, "sqlstate", "") == UNIQUE_VIOLATION


def validate_again(view: View) -> View:
    """Decorate a view that writes in one transaction: run it again, once, after a conflict."""

    @wraps(view)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return view(*args, **kwargs)
        except (IntegrityError, ValidationError) as error:
            if not is_conflict(error):
                raise
        return view(*args, **kwargs)

    return cast(View, wrapped)


class ConflictMiddleware:
    """Answers 409 after a conflict in a view that does not validate again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return render(request, "409.html", status=409) if is_conflict(exception) else None
