"""Whoever meets a sentence of netcode finds it in the documentation: each one that the source can say is there."""

import re

import pytest
from programs import ROOT
from sentences import PACKAGE, Sentence, all_sentences, sentences_of

PAGES = [*sorted((ROOT / "docs" / "troubleshooting").glob("*.md"))]
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES).replace("\\|", "|")


def test_each_sentence_of_the_source_is_on_a_page() -> None:
    said = all_sentences()

    missing = [sentence for sentence in said if not sentence.pattern().search(TEXT)]

    assert len(said) > 300
    assert missing == [], "add a line to a page of docs/troubleshooting/"


def test_each_sentence_of_a_page_is_in_the_source() -> None:
    patterns = [sentence.pattern() for sentence in all_sentences()]
    lines = [line for page in PAGES for line in page.read_text(encoding="utf-8").splitlines()]
    rows = [re.split(r"(?<!\\) \| ", line[2:])[0].replace("\\|", "|") for line in lines if line.startswith("| ")]
    said = [row for row in rows if row != "it says"] + [line[2:] for line in lines if line.startswith("- ")]

    old = [text for text in said if not any(pattern.search(text) for pattern in patterns)]

    assert len(said) > 300
    assert old == []


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ('raise ValueError(f"port is {port}, which cannot be")', "port is …, which cannot be"),
        ('text = "the server sleeps at night"', "the server sleeps at night"),
        ('log.warn("key", "%s did not get in: %s", a, b)', "… did not get in: …"),
        ('return Reason(CODE, "nobody is here")', "nobody is here"),
    ],
)
def test_a_sentence_is_found_however_it_is_said(code: str, text: str) -> None:
    found = [sentence.text for sentence in sentences_of(PACKAGE / "new.py", code)]

    assert text in found
    assert not Sentence("new.py", 1, "a text that is on no page").pattern().search(TEXT)


@pytest.mark.parametrize("code", ['"""What a module is for, in words."""', 'execute("SELECT id FROM move WHERE 1")'])
def test_what_nobody_is_told_is_no_sentence(code: str) -> None:
    assert [*sentences_of(PACKAGE / "new.py", code)] == []
