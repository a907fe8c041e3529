"""pusher-js's own integration specs, as they come with it, against our server in the place of Pusher's."""

import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.servers import instances

HERE = Path(__file__).parent / "specs"
KEYS = {"mt1": "c49a449b916bb4246729", "eu": "cb7d5e50f5669e5c9ae6"}  # by which the specs know Pusher's clusters
# Specs wait five seconds for each thing that is not to happen: these parts, which know nothing of each other, run at
# once. A part about a kind of channel opens and closes its connections.
KINDS = [
    f"Pusher .*(global config|forceTLS={is_tls} (setup|with a {kind} channel|teardown))"
    for is_tls in ("true", "false")
    for kind in ("public", "private", "presence")
]
PARTS = [*KINDS, "Cluster|Falling|Timeout|Transport"]


@pytest.fixture
def clusters(desk):
    settings = {"DJANGO_SETTINGS_MODULE": "tests.integration.clients.browser_libraries.specs.settings"}
    with (
        desk.serve("uvicorn", REALTIME_APP_KEY=KEYS["mt1"], **settings) as mt1,
        desk.serve("uvicorn", REALTIME_APP_KEY=KEYS["eu"], **settings) as eu,
    ):
        yield {"mt1": mt1.port, "eu": eu.port}


@pytest.fixture
def certificate(tmp_path):
    """A TLS key and certificate for Pusher's host names, trusted by the specs."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name.from_rfc4514_string("CN=pusher.com")
    now, tomorrow = datetime.now(UTC), datetime.now(UTC) + timedelta(days=1)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, tomorrow)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("*.pusher.com")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, formats = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    file = tmp_path / "certificate.pem"
    file.write_bytes(key.private_bytes(pem, formats, serialization.NoEncryption()) + signed.public_bytes(pem))
    return str(file)


@pytest.fixture
def run(tmp_path, clusters, certificate):
    """Run some of the specs; return Jasmine's reports."""
    bundle = tmp_path / "specs.cjs"
    subprocess.run(["node", HERE / "bundle.js", bundle], check=True)
    elsewhere = json.dumps({**clusters, "certificate": certificate})
    environment = {**os.environ, "NODE_EXTRA_CA_CERTS": certificate, "ELSEWHERE": elsewhere}
    jasmine = [instances.TOP / "node_modules/jasmine/bin/jasmine.js", bundle, "--random=false"]

    def run(part):
        options = [f"--reporter={HERE / 'reporter.cjs'}", f"--filter={part}"]
        command = ["node", "--import", HERE / "elsewhere.js", *jasmine, *options]
        ended = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False, timeout=120)
        return [json.loads(line) for line in ended.stdout.splitlines() if line.startswith("{")]

    return run


def test_pusher_js_specs_pass(run):
    with ThreadPoolExecutor(len(PARTS)) as threads:
        reports = [line for lines in threads.map(run, PARTS) for line in lines]
    assert [line for line in reports if line.get("status", "passed") != "passed"] == []
    passed = {line["name"] for line in reports if "name" in line}
    assert len(passed) == reports[0]["total"]
