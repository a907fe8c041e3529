"""Channel patterns: authorization, presence members and client events of each channel."""

from accounts.payloads import online_member
from accounts.policies import authorize_office, authorize_user
from realtime.channels import presence, private
from tickets.payloads import activity_copies, activity_payload, writer_payload
from tickets.policies import authorize_ticket, authorize_ticket_staff

ACTIVITIES = ("client-viewing", "client-replying", "client-noting", "client-leaving")

channelpatterns = [
    private("user.<uuid:user_id>", authorize_user),
    private("tickets.<uuid:ticket_uuid>", authorize_ticket, client_events={"client-typing": writer_payload}),
    private("office.<int:office_id>", authorize_office),
    presence(
        "tickets.<uuid:ticket_uuid>",
        authorize_ticket_staff,
        member=online_member,
        client_events=dict.fromkeys(ACTIVITIES, activity_payload),
        client_event_copies=activity_copies,
    ),
    presence("office.<int:office_id>", authorize_office, member=online_member),
]
