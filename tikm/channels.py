"""Every channel, and who hears it."""

from accounts.policies import hears_office, hears_user
from realtime.channels import private
from tickets.policies import hears_ticket, hears_tickets

channelpatterns = [
    private("user.<uuid:user_id>", hears_user),
    private("tickets.<uuid:ticket_uuid>", hears_ticket, many=hears_tickets),
    private("office.<int:office_id>", hears_office),
]
