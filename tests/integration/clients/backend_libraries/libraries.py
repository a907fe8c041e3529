"""Pusher's back-end libraries for Python and Node, behind one interface."""

import requests
from pusher import Pusher
from pusher.errors import PusherBadAuth, PusherBadRequest, PusherForbidden

from tests.support.clients.node_clients import NodeClient

STATUS = {PusherBadRequest: 400, PusherBadAuth: 401, PusherForbidden: 403}


class RequestRefused(Exception):
    """The server refused the request; the arguments are status and message."""


class PythonBackend:
    """PyPI's `pusher`."""

    def __init__(self, port, secret):
        options = {"app_id": "1", "key": "tikm", "host": "127.0.0.1", "ssl": False}
        self.pusher = Pusher(**options, secret=secret, port=port)

    def end(self):
        self.pusher._pusher_client.http.session.close()

    def trigger(self, channels, event, data, socket_id=None):
        return self._do(self.pusher.trigger, channels, event, data, socket_id)

    def batch(self, *events):
        return self._do(self.pusher.trigger_batch, list(events))

    def channels(self, prefix, *info):
        return self._do(self.pusher.channels_info, prefix, list(info))

    def channel(self, name, *info):
        return self._do(self.pusher.channel_info, name, list(info))

    def users(self, name):
        return self._do(self.pusher.users_info, name)

    def send_to_user(self, user, event, data):
        return self.trigger(f"#server-to-user-{user}", event, data)

    def terminate(self, user):
        return self._do(self.pusher.terminate_user_connections, user)

    def _do(self, method, *args):
        try:
            return method(*args)
        except tuple(STATUS) as error:
            raise RequestRefused(STATUS[type(error)], str(error)) from None


class NodeBackend:
    """npm's `pusher`."""

    def __init__(self, port, secret):
        self.node = NodeClient("backend.js", port=port, secret=secret)

    def end(self):
        self.node.end()

    def trigger(self, channels, event, data, socket_id=None):
        return self._do("trigger", channels, event, data, {"socket_id": socket_id} if socket_id else {})

    def batch(self, *events):
        return self._do("triggerBatch", list(events))

    def channels(self, prefix, *info):
        return self._get("/channels", filter_by_prefix=prefix, info=",".join(info))

    def channel(self, name, *info):
        return self._get(f"/channels/{name}", info=",".join(info))

    def users(self, name):
        return self._get(f"/channels/{name}/users")

    def send_to_user(self, user, event, data):
        return self._do("sendToUser", user, event, data)

    def terminate(self, user):
        return self._do("terminateUserConnections", user)

    def _get(self, path, **params):
        return self._do("get", {"path": path, "params": {name: value for name, value in params.items() if value}})

    def _do(self, method, *args):
        self.node.do(method, **{"with": args})
        answer = self.node.sees("answer")
        if answer["status"] != 200:
            raise RequestRefused(answer["status"], answer["body"])
        return answer["body"]


def send_twice(backend, *event):
    """Have PyPI's `pusher` send one signed request twice, as an attacker in between could; return both statuses."""
    request = backend.pusher._pusher_client.trigger.make_request(*event)
    ask = {"data": request.body, "headers": request.headers, "timeout": 5}
    return [requests.post(request.url, **ask).status_code for _ in range(2)]
