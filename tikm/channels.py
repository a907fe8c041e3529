"""Channel patterns: authorization, presence members and client events of each channel."""

from accounts.payloads import online_member
from accounts.policies import authorize_office, authorize_user
from accounts.sign_in.required_second_step import second_step_required
from realtime.channels import presence, private
from tickets.payloads import activity_copies, activity_payload, writer_payload
from tickets.policies import authorize_customer, authorize_ticket, authorize_ticket_staff

ACTIVITIES = ("client-viewing", "client-replying", "client-noting", "client-leaving")

channelpatterns = [
    private("user.<uuid:user_id>", second_step_required(authorize_user)),
    private(
        "tickets.<uuid:ticket_uuid>",
        second_step_required(authorize_ticket),
        client_events={"client-typing": writer_payload},
    ),
    private("customers.<uuid:person_id>", second_step_required(authorize_customer)),
    private("office.<int:office_id>", second_step_required(authorize_office)),
    presence(
        "tickets.<uuid:ticket_uuid>",
        second_step_required(authorize_ticket_staff),
        member=online_member,
        client_events=dict.fromkeys(ACTIVITIES, activity_payload),
        client_event_copies=activity_copies,
    ),
    presence("office.<int:office_id>", second_step_required(authorize_office), member=online_member),
]
