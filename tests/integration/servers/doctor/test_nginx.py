"""The configurations of deploy/nginx are valid, and the doctor finds nothing to mend behind one."""

import pytest

from realtime.doctor import path, walk
from realtime.doctor.walk import State
from tests.integration.servers.deploy.nginx import Nginx, upstreams_of
from tests.integration.servers.deploy.people import Person
from tests.integration.servers.doctor.looking import walking
from tests.support.servers import instances
from tests.support.servers.instances import TOP
from tests.support.sockets import session_cookie

ONE_PORT = "tikm.conf"


@pytest.fixture
def nginx(server, authority, tmp_path):
    """nginx in front of the server, on one port."""
    static = TOP / "realtime/static"
    upstreams = {"127.0.0.1:8080": server.port}
    with Nginx(
        tmp_path, ONE_PORT, certificate=authority.issue("localhost"), upstreams=upstreams, static=static
    ) as found:
        yield found


@pytest.mark.parametrize("name", [ONE_PORT, "tikm-two-ports.conf"])
def test_configuration_is_valid(authority, tmp_path, name):
    upstreams = {upstream: instances.free_port() for upstream in upstreams_of(name)}
    found = Nginx(tmp_path, name, certificate=authority.issue("localhost"), upstreams=upstreams, static=tmp_path)
    assert "test is successful" in found.check()
    assert "[warn]" not in found.check()


def test_doctor_finds_nothing_behind_nginx_which_hides_metrics(admin, nginx):
    with walking(nginx.url) as found:
        findings = list(walk.run(found, path.all_steps()))
    assert {each.state for each in findings} == {State.OK}, findings
    metrics = Person(nginx.url, session_cookie(admin)).request("/metrics")
    assert (metrics.status, b"realtime_" in metrics.body) == (404, False)
