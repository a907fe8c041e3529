"""IP addresses and networks."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

from django.core.exceptions import ImproperlyConfigured

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def parse_network(text: str) -> Network:
    """Return the network that `text` names, such as 10.1.0.0/16. Raises ImproperlyConfigured."""
    try:
        return ip_network(text)
    except ValueError as error:
        raise ImproperlyConfigured(f"{error}; expected a network such as 10.1.0.0/16.") from None
