"""The page «Write a client that runs in a browser»: its server, its page and its script run, in a real browser."""

import re
from pathlib import Path

from docs_blocks import blocks_of
from javascript import browser
from programs import ROOT, Start

PAGE = ROOT / "docs" / "how-to" / "browser-clients.md"


def test_the_page_plays_and_a_reload_is_back_in_its_seat(tmp_path: Path, start: Start) -> None:
    for language, name in (("html", "page.html"), ("js", "play.js"), ("python", "server.py")):
        [code, *_] = [block.code for block in blocks_of(PAGE) if block.language == language]
        code = code.replace('("", 7777,', '("127.0.0.1", 0,')
        (tmp_path / name).write_text(code, encoding="utf-8")
    server = start("server.py", folder=tmp_path)
    port = server.until(r"open http://localhost:(\d+)/")[1]

    with browser(tmp_path) as chromium:
        ann = chromium.page(f"http://127.0.0.1:{port}/")
        ann.reads("you are player 1")
        bob = chromium.page(f"http://127.0.0.1:{port}/")
        bob.reads("you are player 2")
        ann.value("document.querySelector('input').value = 'ahoy'; document.querySelector('form').requestSubmit()")
        bob.reads("player 1: ahoy")
        ann.reload()
        ann.reads("you are player 1")
        bob.value("document.querySelector('input').value = 'hello'; document.querySelector('form').requestSubmit()")
        ann.reads("player 2: hello")
        assert ann.problems == bob.problems == []

        server.stop()
        ann.reads("the network broke")
        code = (tmp_path / "server.py").read_text(encoding="utf-8")
        (tmp_path / "again.py").write_text(code.replace('"127.0.0.1", 0,', f'"127.0.0.1", {port},'), encoding="utf-8")
        again = start("again.py", folder=tmp_path)
        again.until("open http")
        ann.reads("does not know this session any more")
        for page in (ann, bob):
            page.until("/does not know[^]*you are player [12]/.test(document.querySelector('ul').innerText)")
        ann.value("document.querySelector('input').value = 'here'; document.querySelector('form').requestSubmit()")
        bob.reads(": here")


def test_each_sentence_of_the_script_is_explained() -> None:
    script = (ROOT / "netcode" / "web" / "netcode.js").read_text(encoding="utf-8")
    quoted = re.findall(r"""["`]([a-z…][^"`\n]*)["`]""", re.sub(r"\$\{[^{}]*\}", "…", script))
    said = {text for text in quoted if " " in text and "; and then: " not in text}  # that is two others
    rows = {
        line[2:].partition(" | ")[0] for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")
    }

    assert len(said) > 12
    assert said - rows == set()
