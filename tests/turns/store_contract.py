"""The contract of `Store`: every test here holds for every store. Subclass it, and give a fixture `store`."""

from collections.abc import Callable

import pytest

from netcode.turns.store import MAX_TABLE_ID, Claim, Entry, Listing, Lost, NewTable, Node, Saved, State, Store


def new(table: str = "t", game: str = "Chess", state: bytes = b"first", listing: bytes | None = None) -> NewTable:
    return NewTable(table, game, state, listing)


class Time:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def let_pass(time: Time, seconds: float, *alive: Store) -> None:
    """Let time pass for those who renew every second."""
    for _ in range(int(seconds)):
        time.now += 1
        for store in alive:
            store.renew(0)


class StoreContract:
    """What a store must do. `store` is open, and empty; its clock is `time`."""

    def test_a_new_table_is_what_it_was_made_as(self, store: Store) -> None:
        assert store.create([new("a", state=b"A"), new("b", state=b"B")]) == {"a", "b"}

        assert store.load(["a", "b", "c"]) == {"a": Saved(0, b"A", ()), "b": Saved(0, b"B", ())}

    def test_a_table_that_exists_is_not_made_again(self, store: Store) -> None:
        store.create([new(state=b"one")])

        assert store.create([new(state=b"two"), new("u")]) == {"u"}
        assert store.load(["t"]) == {"t": Saved(0, b"one", ())}

    def test_making_the_same_table_again_succeeds_as_long_as_nothing_happened(self, store: Store) -> None:
        store.create([new()])

        assert store.create([new()]) == {"t"}
        store.append([Entry("t", 1, b"x")])
        assert store.create([new()]) == set()

    @pytest.mark.parametrize("table", ["", "x" * (MAX_TABLE_ID + 1)])
    def test_an_id_that_is_no_key_is_refused_and_nothing_is_made(self, store: Store, table: str) -> None:
        with pytest.raises(ValueError, match="the id of a table"):
            store.create([new(table)])

        assert store.claim([table]) == {}

    def test_whatever_strangers_ask_for_that_cannot_be_is_not_there(self, store: Store) -> None:
        odd = ["\0", "a\0b", "\ud800", "'; DROP TABLE move; --", "%s", "é" * 1000]
        store.create([new()])

        assert store.claim(odd) == store.claim(odd, take=False) == {}
        assert store.load(odd) == {}
        store.release(odd)
        assert store.expire(keep=1000, waiting=1000, spare=odd) == set()
        for table in ("a\0b", "\ud800"):
            with pytest.raises(ValueError, match="cannot be the id of a table"):
                store.create([new("u"), new(table)])
        assert store.claim(["u", "t"]) == {"t": Claim.OURS}

    def test_what_was_appended_comes_back_in_order(self, store: Store) -> None:
        store.create([new("a"), new("b")])

        store.append([Entry("a", 1, b"1"), Entry("b", 1, b"x"), Entry("a", 2, b"2")])
        store.append([Entry("a", 3, b"3")])

        assert store.load(["a", "b"]) == {"a": Saved(0, b"first", (b"1", b"2", b"3")), "b": Saved(0, b"first", (b"x",))}

    def test_a_state_is_where_loading_starts(self, store: Store) -> None:
        store.create([new()])

        store.append([Entry("t", n, b"%d" % n) for n in (1, 2, 3)], [State("t", 2, b"second")])
        assert store.load(["t"]) == {"t": Saved(2, b"second", (b"3",))}
        store.append([], [State("t", 3, b"third")])
        assert store.load(["t"]) == {"t": Saved(3, b"third", ())}

    def test_an_older_state_changes_nothing(self, store: Store) -> None:
        store.create([new()])
        store.append([Entry("t", 1, b"1"), Entry("t", 2, b"2")], [State("t", 2, b"second")])

        store.append([], [State("t", 1, b"older")])

        assert store.load(["t"]) == {"t": Saved(2, b"second", ())}

    def test_what_one_call_says_twice_counts_once_and_the_last_state_stays(self, store: Store) -> None:
        store.create([new()])

        store.append(
            [Entry("t", 1, b"1"), Entry("t", 1, b"1"), Entry("t", 2, b"2")],
            [State("t", 1, b"one"), State("t", 2, b"two"), State("t", 2, b"two")],
        )

        assert store.load(["t"]) == {"t": Saved(2, b"two", ())}

    def test_the_same_again_succeeds(self, store: Store) -> None:
        store.create([new()])
        batch = ([Entry("t", 1, b"1"), Entry("t", 2, b"2")], [State("t", 2, b"second")], [Listing("t", b"l")])

        for _ in range(3):
            store.append(*batch)

        assert store.load(["t"]) == {"t": Saved(2, b"second", ())}
        store.append([Entry("t", 2, b"2"), Entry("t", 3, b"3")])
        assert store.load(["t"]) == {"t": Saved(2, b"second", (b"3",))}

    @pytest.mark.parametrize(
        ("entries", "states", "listings"),
        [
            ([Entry("t", 2, b"gap")], [], []),
            ([Entry("t", 1, b"1"), Entry("t", 3, b"gap")], [], []),
            ([Entry("t", 1, b"1"), Entry("t", 1, b"other body")], [], []),
            ([Entry("t", 0, b"below the first")], [], []),
            ([Entry("unknown", 1, b"1")], [], []),
            ([], [State("t", 0, b"other body")], []),
            ([], [State("t", 1, b"ahead of its entries")], []),
            ([], [State("unknown", 1, b"")], []),
            ([], [], [Listing("unknown", b"")]),
        ],
    )
    def test_what_cannot_be_ours_is_lost_and_nothing_of_it_is_stored(
        self, store: Store, entries: list[Entry], states: list[State], listings: list[Listing]
    ) -> None:
        store.create([new(), new("other")])

        with pytest.raises(Lost):
            store.append([Entry("other", 1, b"1"), *entries], states, [Listing("other", b"l"), *listings])

        assert store.load(["t", "other"]) == {"t": Saved(0, b"first", ()), "other": Saved(0, b"first", ())}
        assert store.open_tables() == {}

    def test_another_body_for_a_stored_version_is_lost(self, store: Store) -> None:
        store.create([new()])
        store.append([Entry("t", 1, b"1")], [State("t", 1, b"s")])

        with pytest.raises(Lost, match="t has something else as its entry 1"):
            store.append([Entry("t", 1, b"one")])
        with pytest.raises(Lost, match=r"t has another state 1|t is not where its state 1 was"):
            store.append([], [State("t", 1, b"other")])

    def test_existing_tables_are_claimed_and_others_left_out(self, store: Store) -> None:
        store.create([new("a"), new("b")])

        assert store.claim([*map(str, range(1200)), "a", "b"]) == {"a": Claim.OURS, "b": Claim.OURS}

    def test_many_tables_are_loaded_at_once(self, store: Store) -> None:
        tables = [f"t{n}" for n in range(1200)]

        assert store.create([new(table) for table in tables]) == {*tables}
        assert store.load(tables) == dict.fromkeys(tables, Saved(0, b"first", ()))

    def test_open_tables_are_those_with_a_listing_the_oldest_first(self, store: Store, time: Time) -> None:
        for name, game, listing in [("c", "Go", b"C"), ("b", "Chess", None), ("a", "Go", b"A"), ("d", "Chess", b"D")]:
            store.create([new(name, game, listing=listing)])
            time.now += 1

        assert [*store.open_tables().items()] == [("c", b"C"), ("a", b"A"), ("d", b"D")]
        assert [*store.open_tables("Go").items()] == [("c", b"C"), ("a", b"A")]
        assert [*store.open_tables("Go", 1).items()] == [("c", b"C")]
        assert store.open_tables("Poker") == {}

    def test_those_that_wait_for_players_are_listed_first(self, store: Store, time: Time) -> None:
        for name in "abc":
            store.create([new(name, listing=b"1")])
            time.now += 1
        store.append([], [], [Listing("a", b"2", waits=False)])

        assert [*store.open_tables(limit=2)] == ["b", "c"]
        assert [*store.open_tables()] == ["b", "c", "a"]

    def test_a_listing_changes_and_goes(self, store: Store) -> None:
        store.create([new(listing=b"one seat")])

        store.append([Entry("t", 1, b"1")], [], [Listing("t", b"two seats")])
        assert store.open_tables() == {"t": b"two seats"}
        store.append([], [], [Listing("t", None)])
        assert store.open_tables() == {}

    def test_old_tables_expire_and_spared_ones_stay(self, store: Store, time: Time) -> None:
        store.create([new("waits", listing=b""), new("idle"), new("spared", listing=b""), new("alive")])
        time.now += 50
        store.append([Entry("alive", 1, b"1")])
        time.now += 11

        assert store.expire(keep=100, waiting=60, spare=["spared"]) == {"waits"}
        time.now += 40
        assert store.expire(keep=100, waiting=60, spare=["spared"]) == {"idle"}
        assert store.load(["waits", "idle", "spared", "alive"]).keys() == {"spared", "alive"}

    def test_a_game_that_has_begun_is_kept_though_it_is_listed(self, store: Store, time: Time) -> None:
        store.create([new("waits", listing=b"a"), new("plays", listing=b"a")])
        store.append([Entry("plays", 1, b"1")], [], [Listing("plays", b"b", waits=False)])
        time.now += 61

        assert store.expire(keep=100, waiting=60) == {"waits"}
        assert store.open_tables() == {"plays": b"b"}
        time.now += 40
        assert store.expire(keep=100, waiting=60) == {"plays"}

    def test_age_goes_on_over_a_restart_and_stands_while_nobody_serves(self, store: Store, time: Time) -> None:
        store.create([new("old")])
        time.now += 60
        store.create([new("young")])
        store.expire(keep=1000, waiting=1000)
        store.close()
        store.open("again:1")
        time.now += 50

        assert store.expire(keep=100, waiting=100) == {"old"}

    def test_an_expired_table_leaves_nothing_behind(self, store: Store, time: Time) -> None:
        store.create([new()])
        store.append([Entry("t", 1, b"old")])
        time.now += 100
        store.expire(keep=10, waiting=10)

        assert store.create([new()]) == {"t"}
        store.append([Entry("t", 1, b"new")])
        assert store.load(["t"]) == {"t": Saved(0, b"first", (b"new",))}

    def test_renewing_and_releasing_keep_everything(self, store: Store) -> None:
        store.create([new()])

        store.renew(1)
        store.release(["t"])

        assert store.load(["t"]) == {"t": Saved(0, b"first", ())}

    @pytest.mark.parametrize(
        ("entries", "states", "listings"),
        [
            ([Entry("t", 1, b"1")], [], []),
            ([], [State("t", 0, b"first")], []),
            ([], [], [Listing("t", b"l")]),
        ],
    )
    def test_a_table_that_was_given_back_is_written_by_nobody_who_did_not_claim_it(
        self, store: Store, entries: list[Entry], states: list[State], listings: list[Listing]
    ) -> None:
        store.create([new(), new("other")])
        store.release(["t"])

        with pytest.raises(Lost, match="t is not ours: it was given back, or another process has it"):
            store.append([Entry("other", 1, b"1"), *entries], states, listings)

        assert store.load(["t", "other"]) == {"t": Saved(0, b"first", ()), "other": Saved(0, b"first", ())}
        assert store.claim(["t"]) == {"t": Claim.OURS}
        store.append(entries, states, listings)

    def test_a_table_that_was_given_back_is_not_made_again(self, store: Store) -> None:
        store.create([new()])
        store.release(["t"])

        assert store.create([new(), new("u"), new("u")]) == {"u"}
        assert store.claim(["t"], take=False) == {"t": Claim.FREE}

    def test_whoever_renews_hears_who_lives(self, store: Store) -> None:
        assert store.renew(7) == [Node("here:1", 7)]

    def test_asking_who_has_a_table_takes_nothing(self, store: Store) -> None:
        store.create([new()])
        assert store.claim(["t", "unknown"], take=False) == {"t": Claim.OURS}

        store.release(["t", "unknown"])

        assert store.claim(["t"], take=False) == {"t": Claim.FREE}
        assert store.claim(["t"]) == {"t": Claim.OURS}
        assert store.claim(["t"], take=False) == {"t": Claim.OURS}

    def test_a_table_of_nobody_is_due_when_its_state_said(self, store: Store, time: Time) -> None:
        store.create([new("a"), new("b"), new("c")])
        store.append(
            [Entry(table, 1, b"1") for table in "abc"],
            [State("a", 1, b"A", 30.0), State("b", 1, b"B", 90.0), State("c", 1, b"C")],
        )
        store.release(["a", "b", "c"])

        assert store.due() == set()
        time.now += 31
        assert store.due() == {"a"}
        time.now += 60
        assert store.due() == {"a", "b"}
        assert len(store.due(1)) == 1
        assert store.due(100, ["Pig"]) == set()
        assert store.due(100, [new().game, "Pig"]) == {"a", "b"}

    def test_loading_tells_when_something_happens(self, store: Store, time: Time) -> None:
        store.create([new("a"), new("b")])
        store.append([Entry("a", 1, b"1")], [State("a", 1, b"one", 10.0)])
        time.now += 4
        store.append([Entry("a", 2, b"2")])
        early = store.load(["a"])["a"].wake
        time.now += 8
        late = store.load(["a"])["a"].wake
        store.append([], [State("a", 2, b"two", None)])

        assert early == pytest.approx(6.0, abs=0.5)
        assert late == pytest.approx(-2.0, abs=0.5)
        assert [saved.wake for saved in store.load(["a", "b"]).values()] == [None, None]

    @pytest.mark.parametrize("never", [1e15, float("inf")])
    def test_what_happens_in_ages_may_be_stored(self, store: Store, never: float) -> None:
        store.create([new()])
        store.append([Entry("t", 1, b"1")], [State("t", 1, b"one", never)])
        wake = store.load(["t"])["t"].wake
        store.release(["t"])

        assert store.due() == set()
        assert wake is not None
        assert wake > 1e10

    def test_a_table_that_is_ours_is_not_due(self, store: Store, time: Time) -> None:
        store.create([new()])
        store.append([Entry("t", 1, b"1")], [State("t", 1, b"one", 30.0)])
        time.now += 31
        store.renew(1)

        assert store.due() == set()

    def test_a_later_state_says_anew_when_a_table_is_due(self, store: Store, time: Time) -> None:
        store.create([new("a"), new("b")])
        store.append(
            [Entry("a", 1, b"1"), Entry("b", 1, b"1")], [State("a", 1, b"one", 30.0), State("b", 1, b"one", 30.0)]
        )
        store.append([Entry("a", 2, b"2"), Entry("b", 2, b"2")], [State("a", 2, b"two"), State("b", 2, b"two", 90.0)])
        store.append([], [State("b", 1, b"one", 30.0)])
        store.release(["a", "b"])
        time.now += 60

        assert store.due() == set()

    def test_after_closing_nothing_is_written(self, store: Store) -> None:
        store.create([new()])
        store.close()
        store.close()

        with pytest.raises(Lost):
            store.append([Entry("t", 1, b"1")])
        with pytest.raises(Lost):
            store.load(["t"])

    def test_what_is_stored_is_there_after_opening_again(self, store: Store) -> None:
        store.create([new(listing=b"l")])
        store.append([Entry("t", 1, b"1"), Entry("t", 2, b"2")], [State("t", 1, b"s")])
        store.close()
        store.open("again:1")

        assert store.load(["t"]) == {"t": Saved(1, b"s", (b"2",))}
        assert store.open_tables() == {"t": b"l"}


LEASE = 5.0
"""Seconds for which the nodes of `SharedStoreContract` count as alive."""

OLD, NEW = {"Chess": b"old rules"}, {"Chess": b"new rules"}


class SharedStoreContract(StoreContract):
    """What a store must do beside that which several processes have in common.

    `beside` makes another store of the same tables, not open, as a process next door sees them; the lease is `LEASE`.
    """

    def test_all_who_live_are_heard_of(self, store: Store, beside: Callable[[], Store], time: Time) -> None:
        other = beside()
        other.open("there:2")
        other.renew(3)

        assert sorted(store.renew(7)) == [Node("here:1", 7), Node("there:2", 3)]
        time.now += LEASE - 1
        store.renew(8)
        time.now += 2
        assert store.renew(9) == [Node("here:1", 9)]

    def test_whoever_renews_hears_who_plays_all_of_its_games_by_rules_as_new(
        self, store: Store, beside: Callable[[], Store]
    ) -> None:
        old, other, both, again = beside(), beside(), beside(), beside()
        old.open("old:1", OLD)
        other.open("other:2", {"Go": b"rules"})
        both.open("both:3", {"Go": b"rules"} | NEW)
        again.open("again:4", NEW)

        assert {node.address for node in both.renew(0) if node.suits} == {"here:1", "both:3"}
        assert {node.address for node in again.renew(0) if node.suits} == {"here:1", "both:3", "again:4"}
        assert {node.address for node in old.renew(0) if node.suits} == {"here:1", "old:1", "both:3", "again:4"}
        assert {node.address for node in other.renew(0) if node.suits} == {"here:1", "other:2", "both:3"}
        assert all(node.suits for node in store.renew(0))

    def test_a_table_of_somebody_alive_is_not_taken(self, store: Store, beside: Callable[[], Store]) -> None:
        store.create([new("a"), new("b")])
        other = beside()
        other.open("there:2")

        assert other.claim(["a", "b", "unknown"]) == {"a": "here:1", "b": "here:1"}
        assert other.claim(["a"], take=False) == {"a": "here:1"}
        store.append([Entry("a", 1, b"1")])

    def test_a_table_that_was_given_back_is_taken_with_all_its_moves(
        self, store: Store, beside: Callable[[], Store]
    ) -> None:
        store.create([new("a"), new("b")])
        store.append([Entry("a", 1, b"1")])
        other = beside()
        other.open("there:2")
        store.release(["a"])

        assert other.claim(["a", "b"]) == {"a": Claim.OURS, "b": "here:1"}
        assert other.load(["a"]) == {"a": Saved(0, b"first", (b"1",))}
        other.append([Entry("a", 2, b"2")])
        assert store.claim(["a"]) == {"a": "there:2"}

    def test_who_was_silent_too_long_is_fenced_by_a_claim_and_stays_so(
        self, store: Store, beside: Callable[[], Store], time: Time
    ) -> None:
        store.create([new("a"), new("b")])
        other = beside()
        other.open("there:2")
        let_pass(time, LEASE + 1, other)

        assert other.claim(["a"], take=False) == {"a": Claim.FREE}
        store.append([Entry("a", 1, b"late, and nobody minds")])
        assert other.claim(["a"]) == {"a": Claim.OURS}

        for _ in range(2):
            with pytest.raises(Lost, match="fenced"):
                store.append([Entry("b", 1, b"a table that nobody took")])
            with pytest.raises(Lost, match="fenced"):
                store.renew(1)
            with pytest.raises(Lost, match="fenced"):
                store.create([new("c")])
        assert other.claim(["b", "c"]) == {"b": Claim.OURS}
        assert other.load(["a", "b"]) == {
            "a": Saved(0, b"first", (b"late, and nobody minds",)),
            "b": Saved(0, b"first", ()),
        }

    def test_who_is_late_and_was_not_fenced_goes_on(
        self, store: Store, beside: Callable[[], Store], time: Time
    ) -> None:
        store.create([new()])
        other = beside()
        other.open("there:2")
        time.now += LEASE + 1

        assert store.renew(1) == [Node("here:1", 1)]
        other.renew(0)
        assert other.claim(["t"]) == {"t": "here:1"}
        store.append([Entry("t", 1, b"1")])

    def test_who_was_away_as_well_lets_others_come_back_first(
        self, store: Store, beside: Callable[[], Store], time: Time
    ) -> None:
        store.create([new()])
        other = beside()
        other.open("there:2")
        time.now += 100  # as while a database is down
        other.renew(0)

        assert other.claim(["t"]) == {"t": Claim.ASK_AGAIN}
        assert other.expire(keep=10, waiting=10) == set()
        store.renew(1)
        assert other.claim(["t"]) == {"t": "here:1"}
        time.now += 100
        late = beside()
        late.open("late:3")
        assert late.claim(["t"]) == {"t": Claim.ASK_AGAIN}
        let_pass(time, LEASE + 1, late)
        assert late.claim(["t"]) == {"t": Claim.OURS}

    def test_who_leaves_gives_everything_back(self, store: Store, beside: Callable[[], Store]) -> None:
        store.create([new()])
        other = beside()
        other.open("there:2")

        store.close()

        assert other.claim(["t"]) == {"t": Claim.OURS}
        assert other.renew(1) == [Node("there:2", 1)]

    def test_what_is_not_ours_cannot_be_written(self, store: Store, beside: Callable[[], Store]) -> None:
        store.create([new()])
        other = beside()
        other.open("there:2")
        store.release(["t"])
        other.claim(["t"])
        with pytest.raises(Lost):
            store.append([Entry("t", 1, b"ours")])
        other.append([Entry("t", 1, b"theirs")])

        with pytest.raises(Lost):
            store.append([Entry("t", 1, b"ours")])

        assert other.load(["t"]) == {"t": Saved(0, b"first", (b"theirs",))}

    def test_nobody_gives_back_what_others_have(self, store: Store, beside: Callable[[], Store]) -> None:
        store.create([new()])
        other = beside()
        other.open("there:2")

        other.release(["t"])

        assert other.claim(["t"]) == {"t": "here:1"}
        store.append([Entry("t", 1, b"1")])

    def test_what_others_make_exists(self, store: Store, beside: Callable[[], Store]) -> None:
        store.create([new(listing=b"l")])
        other = beside()
        other.open("there:2")

        assert other.create([new(listing=b"l")]) == set()
        assert other.open_tables() == {"t": b"l"}

    def test_tables_of_others_who_live_do_not_expire(
        self, store: Store, beside: Callable[[], Store], time: Time
    ) -> None:
        store.create([new("theirs"), new("nobody's")])
        store.release(["nobody's"])
        other = beside()
        other.open("there:2")
        time.now += 100
        store.renew(1)

        assert other.expire(keep=10, waiting=10) == {"nobody's"}
        other.renew(0)
        let_pass(time, LEASE + 1, other)
        assert other.expire(keep=10, waiting=10) == {"theirs"}

    def test_a_table_of_the_dead_is_due(self, store: Store, beside: Callable[[], Store], time: Time) -> None:
        store.create([new()])
        store.append([Entry("t", 1, b"1")], [State("t", 1, b"one", 1.0)])
        other = beside()
        other.open("there:2")
        time.now += 2

        assert other.due() == set()
        time.now += LEASE
        other.renew(0)
        assert other.due() == {"t"}

    def test_old_rules_take_no_table_of_newer_ones_while_those_live(
        self, store: Store, beside: Callable[[], Store], time: Time
    ) -> None:
        old, first, second, late = beside(), beside(), beside(), beside()
        old.open("old:1", OLD)
        first.open("first:2", NEW)
        second.open("second:3", NEW)
        late.open("late:4", OLD)
        for node, load in ((old, 0), (first, 9), (second, 2), (late, 1)):
            node.renew(load)
        old.create([new("was old"), new("stays")])
        first.create([new("is new")])
        old.release(["was old"])
        first.release(["is new"])

        assert old.claim(["is new"]) == late.claim(["is new"]) == {"is new": "second:3"}
        assert old.claim(["is new"], take=False) == {"is new": "second:3"}
        assert store.claim(["is new"], take=False) == {"is new": Claim.FREE}
        assert first.claim(["was old", "is new"]) == {"was old": Claim.OURS, "is new": Claim.OURS}
        first.release(["was old"])
        assert late.claim(["was old"]) == {"was old": "second:3"}
        first.close()
        time.now += LEASE + 1
        late.renew(0)
        assert late.claim(["was old", "is new"]) == {"was old": Claim.OURS, "is new": Claim.OURS}
