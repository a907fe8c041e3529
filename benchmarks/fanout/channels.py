"""The site's channels, and public ones for the benchmark."""

from realtime.channels import public
from tikm.channels import channelpatterns as site_patterns

channelpatterns = [*site_patterns, public("fanout-<int:number>")]
