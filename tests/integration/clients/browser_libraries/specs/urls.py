"""Endpoints for pusher-js's integration specs: signatures for any client, and broadcasting."""

import base64

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from realtime import protocol
from realtime.broadcasting import ephemeral
from realtime.conf import config


@csrf_exempt
def authorize(request: HttpRequest) -> JsonResponse:
    """Sign for a user made from the socket id."""
    socket_id = request.POST["socket_id"]
    info = {"name": f"Integration {socket_id}", "email": f"integration-{socket_id}@example.com"}
    data = protocol.encode({"user_id": socket_id, "user_info": info})
    secret, channel = config().app_secrets[0], request.POST["channel_name"]
    auth = protocol.channel_auth(config().app_key, secret, socket_id, channel, data)
    return JsonResponse({"auth": auth, "channel_data": data})


def send(request: HttpRequest, number: int) -> HttpResponse:
    """Broadcast the event described by the query."""
    channel, event, data = (base64.b64decode(request.GET[name]).decode() for name in ("channel", "event", "data"))
    ephemeral.broadcast_now([channel], event, data)
    return HttpResponse()


urlpatterns = [
    path("auth", authorize),
    path("v2/send/<int:number>", send),
    path("healthz", lambda request: HttpResponse()),
    path("csp-reports/", lambda request: HttpResponse(), name="csp-reports"),
]
