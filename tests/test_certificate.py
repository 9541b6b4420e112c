"""A certificate in files that somebody renews: real handshakes with what is there, and never half of it."""

import logging
import os
import shutil
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from certificates import Certificate as Pair
from certificates import make_certificate, make_signed, needs_openssl

import netcode
from netcode import Certificate
from netcode.certificate import LOOK
from netcode.diagnostics import log
from netcode.testing import FakeClock

pytestmark = needs_openssl


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pair, Pair]:
    """Two that have nothing to do with each other."""
    return make_certificate(tmp_path_factory.mktemp("old")), make_certificate(tmp_path_factory.mktemp("new"))


@pytest.fixture
def old(pairs: tuple[Pair, Pair]) -> Pair:
    return pairs[0]


@pytest.fixture
def new(pairs: tuple[Pair, Pair]) -> Pair:
    return pairs[1]


@pytest.fixture
def live(old: Pair, tmp_path: Path) -> Pair:
    """Files as a server has them, with the old one in them."""
    shutil.copy(old.cert, tmp_path / "chain.pem")
    shutil.copy(old.key, tmp_path / "privkey.pem")
    return Pair(tmp_path / "chain.pem", tmp_path / "privkey.pem")


@pytest.fixture(autouse=True)
def _as_often_as_it_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Log each warning of one cause, also within a second."""
    monkeypatch.setattr(log, "INTERVAL", 0.0)


def put(file: Path, data: bytes) -> None:
    """Write a file as a careful program does: beside, and then in its place."""
    beside = file.with_suffix(".beside")
    beside.write_bytes(data)
    beside.replace(file)


def renew(live: Pair, new: Pair) -> None:
    put(live.cert, new.cert.read_bytes())
    put(live.key, new.key.read_bytes())


def shakes_hands(server: ssl.SSLContext, client: ssl.SSLContext) -> bool:
    """Tell whether who trusts as `client` does would talk to who has the certificate in `server`."""
    ours, theirs, to_us, to_them = (ssl.MemoryBIO() for _ in range(4))
    one = client.wrap_bio(theirs, ours, server_hostname="localhost")
    other = server.wrap_bio(to_us, to_them, server_side=True)
    for _ in range(4):
        for end in (one, other):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLCertVerificationError:
                return False
        to_us.write(ours.read())
        theirs.write(to_them.read())
    return one.version() is not None and one.getpeercert() is not None


def test_whoever_connects_after_a_renewal_gets_the_new_one(
    live: Pair, old: Pair, new: Pair, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "netcode")
    certificate = Certificate(live.cert, live.key, clock=clock)
    before = certificate.context

    clock.advance(LOOK)
    unchanged = certificate.context
    renew(live, new)
    at_once = certificate.context
    clock.advance(LOOK)
    after = certificate.context

    assert unchanged is before
    assert at_once is before
    assert shakes_hands(before, old.client())
    assert (shakes_hands(after, new.client()), shakes_hands(after, old.client())) == (True, False)
    assert [record.levelname for record in caplog.records] == ["DEBUG"]


def test_a_link_of_before_stays_and_a_server_takes_the_next_with_the_new_one(live: Pair, old: Pair, new: Pair) -> None:
    ticks = FakeClock()
    with netcode.Server("127.0.0.1", 0, tls=Certificate(live.cert, live.key, clock=ticks)) as server:
        port, heard = server.address.port, list[netcode.Event]()

        def update(*clients: netcode.Client, until: Callable[[], object]) -> None:
            for _ in range(2000):
                server.update()
                for client in clients:
                    client.update()
                heard.extend(server.events())
                if until():
                    return
                netcode.wait(server, *clients, timeout=0.01)
            raise AssertionError("it does not come to that")

        first = netcode.Client("127.0.0.1", port, tls=old.client())
        update(first, until=lambda: first.peer)
        renew(live, new)
        ticks.advance(LOOK)
        distrusts = netcode.Client("127.0.0.1", port, tls=old.client())
        update(first, distrusts, until=lambda: distrusts.reason)
        second = netcode.Client("127.0.0.1", port, tls=new.client())
        update(first, second, until=lambda: second.peer)
        first.send("still here")
        update(first, second, until=lambda: any(isinstance(event, netcode.Received) for event in heard))

        assert distrusts.reason is not None
        assert distrusts.reason.code is netcode.ReasonCode.BROKEN_TLS
        assert [event.message for event in heard if isinstance(event, netcode.Received)] == ["still here"]
        for client in (first, second, distrusts):
            client.close()


NOT_WHOLE = "they are no whole certificate and key in PEM form ("
MISMATCH = "the key is that of another certificate"


def spoil(live: Pair, new: Pair, how: str) -> str:
    """Have there what may be there in the middle of a renewal, and return what is said of it."""
    whole = new.cert.read_bytes()
    match how:
        case "the chain alone":
            put(live.cert, whole)
            return MISMATCH
        case "the key alone":
            put(live.key, new.key.read_bytes())
            return MISMATCH
        case "half a chain":
            live.cert.write_bytes(whole[: len(whole) // 2])
        case "one and a half":
            live.cert.write_bytes(whole + whole[: len(whole) // 2])
        case "no chain in it":
            live.cert.write_bytes(b"")
        case "no key in it":
            live.key.write_bytes(b"")
        case "no key":
            live.key.unlink()
            return f"{live.key}: No such file or directory"
        case _:
            live.key.unlink()
            live.key.mkdir()
            return "that is no file any more"
    return NOT_WHOLE


WAYS = (
    "the chain alone",
    "the key alone",
    "half a chain",
    "one and a half",
    "no chain in it",
    "no key in it",
    "no key",
    "a folder",
)


@pytest.mark.parametrize("how", WAYS)
def test_what_cannot_be_used_is_not_taken_and_told_once(
    how: str, live: Pair, pairs: tuple[Pair, Pair], clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    old, new = pairs
    certificate = Certificate(live.cert, live.key, clock=clock)

    why = spoil(live, new, how)
    contexts: list[ssl.SSLContext] = []
    for _ in range(3):
        clock.advance(LOOK)
        contexts.append(certificate.context)
    said = [record.getMessage() for record in caplog.records]
    if live.key.is_dir():
        live.key.rmdir()
    renew(live, new)
    clock.advance(LOOK)
    last = certificate.context

    assert [shakes_hands(context, old.client()) for context in contexts] == [True] * 3
    about = f"the certificate in {live.cert}, with the key in {live.key},"
    assert len(said) == 1
    assert said[0].startswith(f"{about} cannot be used: {why}")
    assert said[0].endswith("; the one from before stays in use")
    assert shakes_hands(last, new.client())
    assert [record.getMessage() for record in caplog.records][1:] == [f"{about} can be used again, and is in use"]


def test_the_old_files_back_in_their_place_are_as_good(
    live: Pair, old: Pair, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    certificate, before = Certificate(live.cert, live.key, clock=clock), live.cert.read_bytes()

    for data in (b"nonsense", before):
        live.cert.write_bytes(data)
        clock.advance(LOOK)
        assert shakes_hands(certificate.context, old.client())

    assert len(caplog.records) == 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_pipe_is_read_at_the_start_alone(live: Pair, old: Pair, new: Pair, clock: FakeClock) -> None:
    certificate = Certificate(live.cert, live.key, clock=clock)

    live.key.unlink()
    os.mkfifo(live.key)
    clock.advance(LOOK)

    assert shakes_hands(certificate.context, old.client())  # and did not wait for who writes


def test_links_as_of_certbot_are_followed(live: Pair, new: Pair, tmp_path: Path, clock: FakeClock) -> None:
    links = Pair(tmp_path / "live-chain.pem", tmp_path / "live-key.pem")
    for link, file in zip(links, live, strict=True):
        try:
            link.symlink_to(file)
        except OSError:
            pytest.skip("this system lets nobody make links")
    certificate = Certificate(*links, clock=clock)

    for link, file in zip(links, new, strict=True):
        link.unlink()
        link.symlink_to(file)
    clock.advance(LOOK)

    assert shakes_hands(certificate.context, new.client())


def test_one_file_may_have_both(live: Pair, old: Pair, new: Pair, clock: FakeClock) -> None:
    both = live.cert.with_name("both.pem")
    both.write_bytes(old.key.read_bytes() + old.cert.read_bytes())
    certificate = Certificate(both, clock=clock)
    first = certificate.context

    put(both, new.key.read_bytes() + new.cert.read_bytes())
    clock.advance(LOOK)

    assert repr(certificate) == f"<Certificate in {both}>"
    assert shakes_hands(first, old.client())
    assert shakes_hands(certificate.context, new.client())


def test_a_path_is_what_it_was_when_it_was_given(
    live: Pair, new: Pair, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    certificate = Certificate("chain.pem", "privkey.pem", clock=clock)

    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    renew(live, new)
    clock.advance(LOOK)

    assert shakes_hands(certificate.context, new.client())


def test_what_cannot_be_used_at_the_start_is_told_there(live: Pair, new: Pair, tmp_path: Path) -> None:
    about = f"the certificate in {live.cert}, with the key in {new.key}, cannot be used: "

    with pytest.raises(ValueError) as mixed:
        Certificate(live.cert, new.key)
    with pytest.raises(ValueError) as key_as_chain:
        Certificate(live.key, live.key)
    with pytest.raises(FileNotFoundError) as missing:
        Certificate(live.cert, tmp_path / "nowhere.pem")
    with pytest.raises(OSError) as folder:
        Certificate(tmp_path, live.key)
    with pytest.raises(ValueError, match=r"the certificate in a\\x00b, with .*, cannot be used: .*null"):
        Certificate("a\0b", live.key)
    with pytest.raises(TypeError, match=r"^chain must be the path of a file, not SSLContext$"):
        Certificate(ssl.create_default_context())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match=r"^key must be the path of a file, not bytes$"):
        Certificate(live.cert, b"key.pem")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    assert str(mixed.value) == f"{about}the key is that of another certificate"
    assert "they are no whole certificate and key in PEM form" in str(key_as_chain.value)
    assert missing.value.strerror is not None
    assert missing.value.strerror.endswith("nowhere.pem: No such file or directory")
    assert "cannot be used: " in str(folder.value)


@pytest.fixture
def with_phrase(live: Pair, tmp_path: Path) -> Path:
    secret = tmp_path / "secret.pem"
    command = ["openssl", "pkey", "-in", f"{live.key}", "-aes128", "-passout", "pass:hello", "-out", f"{secret}"]
    subprocess.run(command, check=True, capture_output=True)
    return secret


def test_nobody_is_asked_for_a_pass_phrase_in_the_middle_of_a_frame(
    live: Pair, old: Pair, with_phrase: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    certificate = Certificate(live.cert, live.key, clock=clock)

    with_phrase.replace(live.key)
    clock.advance(LOOK)

    assert shakes_hands(certificate.context, old.client())
    [said] = [record.getMessage() for record in caplog.records]
    assert "cannot be used: the key has a pass phrase, which is asked for at the start alone" in said


def test_a_pass_phrase_that_nobody_types_is_told(
    live: Pair, with_phrase: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def types_nothing(*_: object) -> None:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", types_nothing)

    with pytest.raises(ValueError, match=r"cannot be used: the key has a pass phrase, and none was typed$"):
        Certificate(live.cert, with_phrase)


def test_what_may_not_be_read_is_told(live: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbids(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    def may_be_read(path: Path, _mode: int) -> bool:
        return path not in secrets

    secrets = {live.key}
    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", forbids)
    monkeypatch.setattr(os, "access", may_be_read)
    with pytest.raises(PermissionError) as key:
        Certificate(live.cert, live.key)
    secrets.clear()
    with pytest.raises(PermissionError) as neither:
        Certificate(live.cert, live.key)

    assert str(key.value).endswith(f"cannot be used: {live.key}: Permission denied")
    assert str(neither.value).endswith("cannot be used: Permission denied")


def test_it_is_told_that_files_are_back_as_they_were(
    live: Pair, old: Pair, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    folder, away = live.cert.parent, live.cert.parent.with_name("away")  # a disk that is gone for a moment, say
    certificate = Certificate(live.cert, live.key, clock=clock)

    for _ in range(2):
        folder.rename(away)
        clock.advance(LOOK)
        assert shakes_hands(certificate.context, old.client())
        away.rename(folder)
        clock.advance(LOOK)
        assert shakes_hands(certificate.context, old.client())

    heard = ["in use" if message.endswith("is in use") else "gone" for message in caplog.messages]
    assert heard == ["gone", "in use", "gone", "in use"]


def test_a_key_that_is_too_short_is_told_as_that(tmp_path: Path) -> None:
    short = make_certificate(
        tmp_path, "openssl req -x509 -newkey rsa:512 -nodes -keyout key.pem -out cert.pem -subj /CN=x"
    )

    with pytest.raises(ValueError, match=r"they are too weak for the OpenSSL of this computer; make or order new ones"):
        Certificate(short.cert, short.key)


def test_a_signature_that_anybody_may_forge_is_told_as_too_weak(tmp_path: Path) -> None:
    weak = make_signed(tmp_path, "sha1")

    with pytest.raises(ValueError, match=r"they are too weak for .*_MD_TOO_WEAK"):
        Certificate(weak.cert, weak.key)
