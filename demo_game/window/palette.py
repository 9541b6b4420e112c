"""The colours of Broadside: night blues, one warm colour for what matters, one red for what burns."""

Colour = tuple[int, int, int]

NIGHT: Colour = (8, 18, 29)
DUSK: Colour = (17, 44, 64)
PANEL: Colour = (14, 33, 49)
LINE: Colour = (44, 78, 101)
INK: Colour = (235, 241, 244)
MUTED: Colour = (147, 172, 188)
AMBER: Colour = (245, 186, 80)
CORAL: Colour = (236, 96, 74)
FOAM: Colour = (140, 214, 200)
WATER: Colour = (34, 104, 134)
DEEP_WATER: Colour = (19, 66, 94)
CREST: Colour = (94, 162, 184)
STEEL: Colour = (196, 207, 214)
STEEL_DARK: Colour = (74, 90, 102)
DECK: Colour = (158, 172, 181)
WRECK: Colour = (74, 52, 54)
EMBER: Colour = (255, 138, 48)
FLAME: Colour = (255, 222, 120)


def blend(one: Colour, other: Colour, share: float) -> Colour:
    """Mix two colours; `share` from 0 to 1 is how much there is of the other."""
    share = min(max(share, 0.0), 1.0)
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue
