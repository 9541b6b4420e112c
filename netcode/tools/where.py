"""The arguments that name a server: where it is, and whether it speaks TLS."""

import argparse
import ssl

from netcode.address import Address, read_address, read_listening

PORT = 7777
"""Where a server is looked for that is named without a port."""
HERE = "127.0.0.1"
"""Where what is for this computer alone listens."""


def server_address(text: str, otherwise: int = PORT) -> Address:
    """Return the address that HOST, HOST:PORT, [IPv6]:PORT or IPv6 means.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    try:
        return read_address(text, otherwise)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def listening_address(text: str) -> Address:
    """Return where to listen: PORT, at this computer alone, or HOST:PORT, or [IPv6]:PORT; port 0 is any free one.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    try:
        return read_listening(text, HERE)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def add_server(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments that name a server."""
    parser.add_argument(
        "server", metavar="HOST[:PORT]", type=server_address, help=f"where the server is; port {PORT} if none is given"
    )
    parser.add_argument("--tls", action="store_true", help="the server speaks TLS, with a certificate for HOST")
    parser.add_argument("--insecure", action="store_true", help="the server speaks TLS, with whatever certificate")


def tls_of(arguments: argparse.Namespace) -> ssl.SSLContext | bool:
    """Return what a client takes as `tls`."""
    return unchecked() if arguments.insecure else bool(arguments.tls)


def unchecked() -> ssl.SSLContext:
    """Return a context that takes any certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def positive(text: str) -> float:
    """Return a number above 0.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return number


def whole(text: str) -> int:
    """Return a whole number, 1 or more.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    if not text.isascii() or not text.isdecimal() or len(text) > 9 or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)
