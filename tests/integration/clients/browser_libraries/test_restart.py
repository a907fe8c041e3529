"""Test that clients reconnect to a restarted server."""

from tests.support.servers.http_client import HttpClient

REPLY = ".ticket.reply.created"
COMES_BACK = 30  # seconds; pusher-js waits 15 when its first new attempt fails


def test_client_receives_events_again_after_the_server_was_killed(desk, echo):
    with desk.serve("daphne") as server:
        casey = echo("casey", server)
        casey.do("listen", channel=desk.channel, event=REPLY)
        casey.sees("subscribed", channel=desk.channel)
        server.kill()
        casey.sees("state", state="connecting")
        server.start()
        casey.sees("state", state="connected", within=COMES_BACK)
        casey.sees("subscribed", channel=desk.channel)
        HttpClient(server.url, desk.sessions["bao"]).reply(desk.ticket, "Here I am again")
        assert casey.sees("event", channel=desk.channel)["data"]["reply"]["message"] == "Here I am again"
