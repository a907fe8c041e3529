"""Signatures of the HTTP API: Pusher's own example fits, and nothing that was touched or is old."""

import pytest

from realtime.protocol import http_signatures

# Pusher: "HTTP API reference", worked authentication example.
KEY, SECRET, SIGNED_AT = "278d425bdf160c739803", "7ad3773142a6692b25b8", 1353088179
BODY = b'{"name":"foo","channels":["project-3"],"data":"{\\"some\\":\\"data\\"}"}'
PATH = "/apps/3/events"
QUERY = {
    "auth_key": KEY,
    "auth_timestamp": str(SIGNED_AT),
    "auth_version": "1.0",
    "body_md5": "ec365a775a4cd0599faeb73354201b6f",
    "auth_signature": "da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c",
}


def check(method="POST", path=PATH, query=QUERY, *, secrets=(SECRET,), now=SIGNED_AT):
    http_signatures.check(method, path, query, key=KEY, secrets=secrets, now=now)


def signed(**query):
    return {**query, "auth_signature": http_signatures.signature(SECRET, "GET", "/apps/3/channels", query)}


def test_signature_matches_pushers_example():
    assert http_signatures.string_to_sign("POST", PATH, QUERY) == (
        "POST\n/apps/3/events\nauth_key=278d425bdf160c739803&auth_timestamp=1353088179&auth_version=1.0"
        "&body_md5=ec365a775a4cd0599faeb73354201b6f"
    )
    assert http_signatures.signature(SECRET, "POST", PATH, QUERY) == QUERY["auth_signature"]
    check()
    http_signatures.check_body(QUERY, BODY)


def test_signed_names_are_lower_case_and_sorted():
    query = {"Info": "user_count,subscription_count", "auth_key": "k", "filter_by_prefix": "presence-a b"}
    assert http_signatures.string_to_sign("get", "/x", query) == (
        "GET\n/x\nauth_key=k&filter_by_prefix=presence-a b&info=user_count,subscription_count"
    )


@pytest.mark.parametrize("secrets", [("new", SECRET), (SECRET, "old")])
def test_request_is_accepted_with_either_rotated_secret(secrets):
    check(secrets=secrets)
    with pytest.raises(http_signatures.BadSignature, match="auth_signature"):
        check(secrets=("new", "old"))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"auth_signature": QUERY["auth_signature"][:-1] + "d"}, "auth_signature"),
        ({"auth_signature": QUERY["auth_signature"].upper()}, "auth_signature"),
        ({"auth_signature": ""}, "auth_signature"),
        ({"auth_signature": "ü\ud800"}, "auth_signature"),
        ({"body_md5": "d41d8cd98f00b204e9800998ecf8427e"}, "auth_signature"),
        ({"info": "user_count"}, "auth_signature"),
        ({"auth_timestamp": str(SIGNED_AT + 1)}, "auth_signature"),
        ({"auth_timestamp": ""}, "auth_timestamp is a number"),
        ({"auth_timestamp": "-1"}, "auth_timestamp is a number"),
        ({"auth_timestamp": "1" * 5000}, "auth_timestamp is a number"),
        ({"auth_timestamp": "١٢٣"}, "auth_timestamp is a number"),
        ({"auth_key": "another-key"}, "auth_key"),
        ({"auth_version": "2.0"}, "auth_version"),
    ],
)
def test_changed_parameter_is_refused(change, complaint):
    check()
    with pytest.raises(http_signatures.BadSignature, match=complaint):
        check(query=QUERY | change)


def test_other_path_or_method_is_refused():
    for request in ({"path": "/apps/3/batch_events"}, {"path": "/apps/4/events"}, {"method": "PUT"}):
        with pytest.raises(http_signatures.BadSignature):
            check(**request)


@pytest.mark.parametrize("missing", sorted(QUERY.keys() - {"body_md5"}))
def test_missing_parameter_is_refused(missing):
    with pytest.raises(http_signatures.BadSignature, match=missing):
        check(query={name: value for name, value in QUERY.items() if name != missing})


@pytest.mark.parametrize("off", [-600, 0, 600])
def test_timestamp_may_differ_by_ten_minutes(off):
    check(now=SIGNED_AT + off)
    with pytest.raises(http_signatures.BadSignature, match="more than 600 seconds off"):
        check(now=SIGNED_AT + (off + 1 if off > 0 else off - 601))


def test_changed_body_is_refused():
    with pytest.raises(http_signatures.BadSignature, match="is not the digest"):
        http_signatures.check_body(QUERY, BODY + b" ")
    with pytest.raises(http_signatures.BadSignature, match="is missing"):
        http_signatures.check_body(signed(), BODY)


def test_empty_body_needs_no_digest():
    http_signatures.check_body(signed(), b"")
    http_signatures.check_body(signed(body_md5="d41d8cd98f00b204e9800998ecf8427e"), b"")
    with pytest.raises(http_signatures.BadSignature, match="is not the digest"):
        http_signatures.check_body(QUERY, b"")
