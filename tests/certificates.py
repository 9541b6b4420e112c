"""Certificates for tests of TLS, made by the line of docs/tls.md."""

import base64
import hashlib
import shlex
import shutil
import ssl
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
from docs_blocks import code_of

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl command")


class Certificate(NamedTuple):
    """A self-signed certificate and its key."""

    cert: Path
    key: Path

    def server(self) -> ssl.SSLContext:
        """Make the context of a server that has it."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.cert, self.key)
        return context

    def client(self) -> ssl.SSLContext:
        """Make the context of a client that trusts it."""
        return ssl.create_default_context(cafile=str(self.cert))


def documented_line() -> str:
    """Return the one line of docs/tls.md that makes a certificate."""
    block, _ = code_of("tls.md", "sh")
    (line,) = block.splitlines()
    return line


def make_certificate(folder: Path, line: str | None = None) -> Certificate:
    """Run `line`, by default the documented one, in `folder`."""
    subprocess.run(shlex.split(line or documented_line()), cwd=folder, check=True, capture_output=True)
    return Certificate(folder / "cert.pem", folder / "key.pem")


def make_expired(folder: Path) -> Certificate:
    """Make a certificate that has expired."""
    (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n", encoding="utf-8")
    request = "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=old -keyout key.pem"
    sign = "openssl x509 -req -in request.pem -signkey key.pem -days -1 -extfile names -out cert.pem"
    for line in (f"{request} -out request.pem", sign):
        subprocess.run(shlex.split(line), cwd=folder, check=True, capture_output=True)
    return Certificate(folder / "cert.pem", folder / "key.pem")


def make_signed(folder: Path, digest: str = "sha256") -> Certificate:
    """Make a certificate that an authority of its own has signed; with it comes that of the authority."""
    (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n", encoding="utf-8")
    sign = f"openssl x509 -req -in request.pem -{digest}"
    curve = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    for line in (
        f"openssl req -x509 {curve} -days 30 -subj /CN=authority -keyout authority.key -out authority.pem",
        f"openssl req -new {curve} -subj /CN=localhost -keyout key.pem -out request.pem",
        f"{sign} -CA authority.pem -CAkey authority.key -CAcreateserial -days 30 -extfile names -out cert.pem",
    ):
        subprocess.run(shlex.split(line), cwd=folder, check=True, capture_output=True)
    with (folder / "cert.pem").open("ab") as chain:
        chain.write((folder / "authority.pem").read_bytes())
    return Certificate(folder / "cert.pem", folder / "key.pem")


def key_hash(certificate: Path) -> str:
    """Return how a browser is told whose certificates to trust: the hash of the public key."""
    named = subprocess.run(
        ["openssl", "x509", "-in", certificate, "-pubkey", "-noout"], check=True, capture_output=True
    ).stdout
    key = subprocess.run(
        ["openssl", "pkey", "-pubin", "-outform", "der"], input=named, check=True, capture_output=True
    ).stdout
    return base64.b64encode(hashlib.sha256(key).digest()).decode()
