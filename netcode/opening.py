"""How a server opens: what it was given is checked, and its door is made, with what browsers and TLS need."""

from pathlib import PurePath
from typing import TYPE_CHECKING

from netcode.address import check_host, check_port
from netcode.admission import check_authenticate
from netcode.certificate import Certificate
from netcode.limits import Limits, check_name, check_number, check_seconds
from netcode.session.door import House
from netcode.site import Web
from netcode.transport import Doorway, Network, check_network
from netcode.wire import protocol

if TYPE_CHECKING:
    from ssl import SSLContext


def check_opening(
    house: House, *, host: str, port: int, grace: float, web: Web | bool | None, network: Network
) -> Web | None:
    """Raise for what cannot be; return what is shown to browsers, or None where they are not wanted."""
    check_network(network)
    check_host(host)
    check_port(port)
    check_name("game", house.game)
    check_name("version", house.version)
    if house.game == protocol.ASKING:
        raise ValueError(f"game {house.game!r} is what programs say that only ask what is played; choose another name")
    check_number("max_peers", house.max_peers, whole=True)
    check_number("max_peers_per_address", house.max_per_address, whole=True)
    check_number("max_pending", house.max_pending, whole=True)
    check_seconds("grace", grace, zero=True)
    check_authenticate(house.authenticate)
    if web is not None and not isinstance(web, bool | Web):
        hint = "; a page of yours is netcode.Web(page=Path(…))" if isinstance(web, str | PurePath) else ""
        raise TypeError(f"web must be True or a netcode.Web, not {type(web).__name__}{hint}")
    return Web() if web is True else web or None


def encrypted(network: Network, tls: "SSLContext | Certificate | None") -> Network:
    """Return `network`, with everything on it encrypted where `tls` is given."""
    if tls is None:
        return network
    from netcode.transport.tls import TlsNetwork

    return TlsNetwork(network, tls)


def open_to_browsers(doorway: Doorway, web: Web | None, limits: Limits, house: House) -> Doorway:
    """Return `doorway`, open to browsers, too, if they are wanted."""
    if web is None:
        return doorway
    from netcode.transport.web import WebDoorway

    return WebDoorway(doorway, web, limits.handshake_timeout, house.max_pending, house.max_per_address)
