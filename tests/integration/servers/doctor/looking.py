"""Walk as `realtime_doctor` does, up to one step."""

from contextlib import contextmanager

from realtime.doctor import path, walk
from realtime.doctor.site import Site
from realtime.doctor.walk import State, Walk
from tikm import doctor


@contextmanager
def walking(url):
    found = Walk(Site.at(url), sockets_at=path.sockets_at(Site.at(url)), user=doctor.probe_user())
    found.channel = doctor.probe_channel(found.user)
    try:
        yield found
    finally:
        found.close()


def look(url, step):
    """Walk until `step`, and return what it found."""
    with walking(url) as found:
        for finding in walk.run(found, path.all_steps()):
            if finding.step == step:
                return finding
    raise LookupError(step)


def broken(url, step, fix, state=State.FAILED):
    """Assert that `step` is the first one to fail, and that its fix has these words."""
    finding = look(url, step)
    assert (finding.state, fix in finding.fix) == (state, True), finding


def mended(url, step):
    finding = look(url, step)
    assert finding.state is State.OK, finding
