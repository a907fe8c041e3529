"""Every channel, who hears it, and what may be said there."""

from accounts.briefs import online_member
from accounts.policies import hears_office, hears_user
from realtime.channels import presence, private
from tickets.briefs import writer_brief
from tickets.policies import hears_ticket, hears_tickets, staff_of_ticket

channelpatterns = [
    private("user.<uuid:user_id>", hears_user),
    private("tickets.<uuid:ticket_uuid>", hears_ticket, many=hears_tickets, whispers={"client-typing": writer_brief}),
    private("office.<int:office_id>", hears_office),
    presence(
        "tickets.<uuid:ticket_uuid>",
        staff_of_ticket,
        member=online_member,
        whispers=dict.fromkeys(("client-viewing", "client-replying", "client-noting"), writer_brief),
    ),
    presence("office.<int:office_id>", hears_office, member=online_member),
]
