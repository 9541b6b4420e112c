"""Values by annotation: to what msgpack can say, back to what they were, and from strangers within bounds.

A `Shape` is made once for each annotation. What is stored and revived must be the same value of the same type:
`flaw` says where it is not.
"""

from netcode.turns.values.annotation import made_of, shape_of
from netcode.turns.values.packing import (
    MAX_DEPTH,
    MAX_ITEMS,
    NATIVE,
    a,
    check_bounds,
    check_numbers,
    join_maps,
    of_python,
    ordered,
    pack,
    plain,
    plain_all,
    same,
    unpack,
)
from netcode.turns.values.several import Anything, Bag, Fixed, Mapping, Sequence
from netcode.turns.values.shape import Shape, is_text, revive

__all__ = [
    "MAX_DEPTH",
    "MAX_ITEMS",
    "NATIVE",
    "Anything",
    "Bag",
    "Fixed",
    "Mapping",
    "Sequence",
    "Shape",
    "a",
    "check_bounds",
    "check_numbers",
    "is_text",
    "join_maps",
    "made_of",
    "of_python",
    "ordered",
    "pack",
    "plain",
    "plain_all",
    "revive",
    "same",
    "shape_of",
    "unpack",
]
