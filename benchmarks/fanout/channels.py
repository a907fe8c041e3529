"""Ours: the desk's channels, and some that anybody may hear."""

from realtime.channels import public
from tikm.channels import channelpatterns as of_the_desk

channelpatterns = [*of_the_desk, public("fanout-<int:number>")]
