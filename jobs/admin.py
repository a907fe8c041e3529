"""The admin page of background jobs replaces those of django-q2, whose tables are not installed."""

from django.contrib import admin
from django_q.models import Failure, Schedule, Success

for model in (Failure, Schedule, Success):
    admin.site.unregister(model)
