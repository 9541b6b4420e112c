"""Certificates for tests of TLS, made by the line of docs/tls.md."""

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
