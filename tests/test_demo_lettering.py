"""Text in the demo's window: what pygame's own font lacks is drawn in a font of the system, and costs no screen its layout."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from quiet_pygame import pygame

from demo_game.window.lettering import LETTERS, Lettering, folders, in_order, installed

SIZE, INK = 40, (240, 240, 240)
NOBODY_HAS = "\uffff"


@pytest.fixture(autouse=True)
def fonts() -> Iterator[None]:
    pygame.font.init()
    yield
    pygame.font.quit()


def with_stars() -> Path:
    """Return a font of this system that has a letter which pygame's lacks."""
    for path in installed():
        if path.name in ("DejaVuSans.ttf", "FreeSans.ttf", "seguisym.ttf", "Apple Symbols.ttf"):
            return path
    pytest.skip("NOT TESTED: no font of this system is known to have letters that pygame's lacks")


def pixels(picture: pygame.Surface) -> bytes:
    return pygame.image.tobytes(picture, "RGBA")


def test_what_pygames_font_has_is_written_in_it_and_nobody_looks_for_another() -> None:
    def nothing() -> list[Path]:
        raise AssertionError("looked for fonts")

    lettering = Lettering(nothing)
    for words in ("", "Ready?", "Zoë Łódź Привет"):
        plain = pygame.font.Font(None, SIZE).render(words, True, INK)
        assert pixels(lettering.write(words, SIZE, INK)) == pixels(plain)
        assert lettering.width(words, SIZE) == plain.get_width()


def test_what_it_lacks_comes_from_the_first_that_has_it(tmp_path: Path) -> None:
    other = with_stars()
    boxes, lettering = Lettering(list), Lettering(lambda: [tmp_path / "uninstalled.ttf", other])
    for words in ("★", "a ★ b", "★★"):
        line = lettering.write(words, SIZE, INK)
        assert pixels(line) != pixels(boxes.write(words, SIZE, INK))
        assert line.get_width() == lettering.width(words, SIZE) > 0
    assert lettering.write("a ★ b", SIZE, INK).get_height() == boxes.write("ab", SIZE, INK).get_height()
    assert lettering.write("Zoë ★", SIZE, INK).subsurface((0, 0, 20, 20)).get_bounding_rect().width > 0


@pytest.mark.parametrize("kept", [0, 100, 20_000])
def test_a_damaged_font_is_none(tmp_path: Path, kept: int) -> None:
    whole, damaged = with_stars(), tmp_path / "damaged.ttf"
    damaged.write_bytes(whole.read_bytes()[:kept])

    boxes, lettering = Lettering(list), Lettering(lambda: [damaged])
    assert pixels(lettering.write("a ★", SIZE, INK)) == pixels(boxes.write("a ★", SIZE, INK))
    other = Lettering(lambda: [damaged, whole])
    assert pixels(other.write("★", SIZE, INK)) == pixels(Lettering(lambda: [whole]).write("★", SIZE, INK))


@pytest.mark.parametrize("kept", [None, 0, 100])
def test_a_font_that_is_damaged_or_uninstalled_later_is_replaced(tmp_path: Path, kept: int | None) -> None:
    font = tmp_path / "font.ttf"
    font.write_bytes(with_stars().read_bytes())
    boxes, lettering = Lettering(list), Lettering(lambda: [font])
    assert pixels(lettering.write("★", SIZE, INK)) != pixels(boxes.write("★", SIZE, INK))
    lettering.forget()

    font.unlink()
    if kept is not None:
        font.write_bytes(with_stars().read_bytes()[:kept])

    for _ in range(2):
        assert lettering.width("★", SIZE) == boxes.width("★", SIZE)
        assert pixels(lettering.write("★", SIZE, INK)) == pixels(boxes.write("★", SIZE, INK))


def test_what_has_no_width_of_its_own_is_drawn_with_the_letter_before_it() -> None:
    other = with_stars()
    lettering = Lettering(lambda: [other])
    for words in ("★\ufe0f", "★\u200d★", "\ufe0f★", "a\u200d", "★a\u0301"):
        assert lettering.write(words, SIZE, INK).get_width() == lettering.width(words, SIZE) > 0
    assert lettering.write("\ufe0f", SIZE, INK).get_width() == lettering.width("\u200b", SIZE) == 0


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("Zoë 12", "Zoë 12"),
        ("שלום", "םולש"),
        ("Anne and שלום עולם won", "Anne and םלוע םולש won"),
        ("שלום 123 עולם!", "םלוע 123 םולש!"),
        ("שָׁלוֹם: Anne", "םוֹלשָׁ: Anne"),
        ("محمد Anne سارة", "دمحم Anne ةراس"),
        ("١٢ محمد", "١٢ دمحم"),
        ("\u0301a ש", "\u0301a ש"),
        ("ניצחון 3-1 אב", "בא 3-1 ןוחצינ"),
        ("שלום 12:30 אב", "בא 12:30 םולש"),
        ("שלום 1.5, ב", "ב ,1.5 םולש"),
        ("سارة ٣\u066b١ م", "م ٣\u066b١ ةراس"),
        ("שלום (א) ב", "ב (א) םולש"),
        ("שלום (א)!", "(א) םולש!"),
        ("Dana (דנה [א])", "Dana ([א] הנד)"),
        ("שלום (ann) ב", "םולש (ann) ב"),
    ],
)
def test_what_is_read_from_the_right_stands_so(words: str, shown: str) -> None:
    assert in_order(words) == shown


def test_arabic_letters_are_joined_and_all_of_one_font() -> None:
    other = with_stars()
    lettering = Lettering(lambda: [other])
    if not lettering._has(other, "م"):
        pytest.skip("NOT TESTED: that font has no Arabic letters")

    apart = sum(lettering.width(letter, SIZE) for letter in "محمد")

    assert {lettering._owner(letter) for letter in "محمد"} == {other}  # of which pygame's own has one
    assert 0 < lettering.width("محمد", SIZE) < apart
    assert lettering.width("é★", SIZE) == lettering.width("é", SIZE) + lettering.width("★", SIZE)


def test_where_no_script_is_known_letters_are_drawn_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    class Old(pygame.font.Font):
        def set_script(self, script_code: str) -> None:
            raise pygame.error(f"no {script_code} here")

    monkeypatch.setattr(pygame.font, "Font", Old)

    assert Lettering(list).width("שלום", SIZE) > 0


def test_what_nobody_has_is_a_box_and_looked_for_once() -> None:
    looked: list[int] = []

    def none() -> list[Path]:
        looked.append(1)
        return []

    lettering = Lettering(none)
    for words in ("海", "海の王", f"{NOBODY_HAS}", "😀"):
        lettering.write(words, SIZE, INK)
        lettering.width(words, SIZE)
    assert len(looked) == 1
    lettering.forget()
    assert lettering.width("海", SIZE) > 0


def test_what_is_remembered_of_letters_has_a_bound() -> None:
    lettering = Lettering(list)
    for number in range(LETTERS + 10):
        lettering.width(chr(0x4E00 + number), 8)
    assert len(lettering._owners) <= LETTERS


def test_the_fonts_of_a_system_are_found_by_name_best_first(tmp_path: Path) -> None:
    for name in ("b/DejaVuSans.ttf", "b/other.ttf", "a/deep/NotoSansCJK-Regular.ttc"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = installed([tmp_path / "b", tmp_path / "a", tmp_path / "missing"])
    assert [path.name for path in found] == ["NotoSansCJK-Regular.ttc", "DejaVuSans.ttf"]


@pytest.mark.parametrize(("system", "place"), [("win32", "Fonts"), ("darwin", "Fonts"), ("linux", "fonts")])
def test_each_system_keeps_its_fonts_somewhere(monkeypatch: pytest.MonkeyPatch, system: str, place: str) -> None:
    monkeypatch.setattr("sys.platform", system)
    monkeypatch.setenv("SYSTEMROOT", "/windows")
    assert all(place in folder.parts for folder in folders())
