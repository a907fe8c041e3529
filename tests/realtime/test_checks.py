"""settings.REALTIME: unknown, renamed and missing keys, and the system checks of its values."""

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured

from realtime.conf import config

VALID = {
    "WEBHOOKS": ["https://a.example/", ("https://b.example/", ["member_added"])],
    "WEBHOOK_NETWORKS": ["10.1.0.0/16", "fd00::/8"],
    "WEBHOOK_QUEUE": "newsroom.hooks.send",
    "TRUSTED_PROXIES": ["10.0.0.1", "10.1.0.0/16", "unix"],
}


def test_valid_settings_pass(settings):
    settings.REALTIME = settings.REALTIME | VALID
    assert run_checks() == []


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("WEBHOOKS", "a.example/hook", "'a.example/hook' is not a webhook URL; expected one like https://"),
        (
            "WEBHOOKS",
            ("https://a.example/", ["member_left"]),
            "'member_left' is not a webhook event; expected one of",
        ),
        ("WEBHOOK_NETWORKS", "10.1.0.1/16", "10.1.0.1/16 has host bits set; expected a network such as 10.1.0.0/16."),
        ("TRUSTED_PROXIES", "nginx", "'nginx' does not appear to be an IPv4 or IPv6 network; expected a network"),
        ("TRUSTED_PROXIES", "::/0", "::/0 trusts too many clients; expected the addresses of your proxies."),
        (
            "TRUSTED_PROXIES",
            "0.0.0.0/1",
            "0.0.0.0/1 trusts too many clients; expected the addresses of your proxies.",
        ),
    ],
)
def test_an_invalid_setting_is_an_error_that_names_it(settings, name, value, sentence):
    settings.REALTIME = settings.REALTIME | VALID | {name: [value]}
    (error,) = run_checks()
    assert error.id == "realtime.E001"
    assert error.msg.startswith(f'REALTIME["{name}"]: {sentence}')


def test_webhooks_without_a_queue_are_an_error(settings):
    settings.REALTIME = settings.REALTIME | VALID | {"WEBHOOK_QUEUE": ""}
    assert [error.msg.split(":")[0] for error in run_checks()] == ['REALTIME["WEBHOOK_QUEUE"] is missing']


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"MEMBERS_A_CHANNEL": 5},
            'REALTIME["MEMBERS_A_CHANNEL"] is now called "MAX_MEMBERS_PER_CHANNEL"; rename it.',
        ),
        (
            {"AUTHENTICATE_WITHIN": 5},
            'REALTIME["AUTHENTICATE_WITHIN"] is now called "AUTHENTICATION_TIMEOUT"; rename',
        ),
        ({"CHANNEL": "x"}, 'REALTIME["CHANNEL"] is not a setting; expected one of: CHANNELS, APP_ID,'),
    ],
)
def test_an_unknown_key_stops_the_start(settings, changes, sentence):
    settings.REALTIME = settings.REALTIME | changes
    with pytest.raises(ImproperlyConfigured) as error:
        config()
    assert str(error.value).startswith(sentence)


@pytest.mark.parametrize("value", [{}, None, {"CHANNELS": "x", "APP_ID": "1", "APP_KEY": "key"}])
def test_a_missing_key_stops_the_start(settings, value):
    settings.REALTIME = value
    with pytest.raises(
        ImproperlyConfigured, match=r"settings\.REALTIME has no .*APP_SECRETS; see realtime/README\.md"
    ):
        config()


REDIS_LAYER = {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": ["redis://cache"]}}


def test_a_redis_layer_without_a_prefix_is_a_warning_that_names_one(settings):
    settings.CHANNEL_LAYERS = {"default": REDIS_LAYER}
    (warning,) = run_checks()
    assert (warning.id, config().redis_prefix in warning.hint) == ("realtime.W001", True)
    settings.CHANNEL_LAYERS = {"default": REDIS_LAYER | {"CONFIG": {"prefix": config().redis_prefix}}}
    assert run_checks() == []


def test_the_default_prefix_differs_between_projects(settings):
    realtime = {key: value for key, value in settings.REALTIME.items() if key != "REDIS_PREFIX"}
    found = set()
    for secret, url in (("a" * 50, "redis://cache/0"), ("b" * 50, "redis://cache/0"), ("b" * 50, "redis://cache/1")):
        settings.SECRET_KEY, settings.REALTIME = secret, realtime | {"REDIS_URL": url}
        found.add(config().redis_prefix)
    assert len(found) == 3
    assert all(prefix.startswith("realtime-") for prefix in found)
