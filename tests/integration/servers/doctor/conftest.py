"""A server whose silent sockets are soon pinged, certificates, and the user whose page the doctor plays."""

import pytest

from accounts.models import User
from tests.support.servers import instances
from tests.support.servers.certificates import Authority
from tikm import doctor

SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "tests.integration.servers.doctor.quick_settings",
    "ALLOWED_HOSTS": "localhost",
    "TRUSTED_PROXIES": "127.0.0.1",
    "ATTACHMENT_ACCEL_LOCATION": "/tikm-files/",
}


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """An authority that this process trusts."""
    with pytest.MonkeyPatch.context() as patch:
        found = Authority(tmp_path_factory.mktemp("certificates"))
        patch.setenv("SSL_CERT_FILE", found.path)
        yield found


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The folder of the server's attachments."""
    return tmp_path_factory.mktemp("files")


@pytest.fixture(scope="module")
def server(environment, files):
    env = environment | SETTINGS | {"FILES_DIR": str(files)}
    with instances.server("uvicorn", database_url=environment["DATABASE_URL"], env=env) as found:
        yield found


@pytest.fixture(autouse=True)
def admin(transactional_db, settings, monkeypatch):
    """The user whose page is played; the project's own steps have tests of their own."""
    settings.REALTIME = settings.REALTIME | {"TAIL_INTERVAL": 0.2, "LEASE": 1}
    monkeypatch.setattr(doctor, "steps", [])
    return User.objects.create_user("ada@example.com", "password", name="Ada", role=User.Role.ADMIN)
