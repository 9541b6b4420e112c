"""What happens at a server, counted for those who look on."""

import pytest
from scene import Scene, only

from netcode import turns
from netcode.observing import Observer, Totals


class Watch(Observer):
    """Remembers what it was told."""

    def __init__(self, *arguments: object, **options: object) -> None:
        self.durations: list[float] = []
        self.is_closed = False
        super().__init__(*arguments, **options)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]

    def took(self, seconds: float) -> None:
        super().took(seconds)
        self.durations.append(seconds)

    def closed(self) -> None:
        super().closed()
        self.stop()
        self.is_closed = True


def test_an_update_is_measured(scene: Scene) -> None:
    server = scene.serve()
    moments = iter([0.0, 1.0, 1.25, 2.0, 2.5])
    watch = Watch(server, lambda: next(moments))

    server.update()
    server.update()

    assert watch.durations == [0.25, 0.5]


def test_what_went_over_links_counts_also_when_their_peers_have_left(scene: Scene) -> None:
    server = scene.serve(grace=0)
    watch = Watch(server, scene.clock)
    leaving, staying = scene.join(), scene.join()
    leaving.send("one")
    leaving.send("two")
    staying.send("three")
    scene.play(0.2)
    server.broadcast("all")
    scene.play(0.2)
    before = watch.totals()

    leaving.close_nicely()
    scene.play(1.0)

    assert before[:2] == (2, 3)
    assert watch.totals()[:2] == (2, 3)
    assert watch.totals().bytes_sent == 2 * 8
    assert watch.totals().bytes_received > before.bytes_received
    assert (watch.joined, watch.left) == (2, {"GOODBYE": 1})
    assert only(server).alive


def test_before_anybody_comes_all_is_nothing(scene: Scene) -> None:
    assert Observer(scene.serve()).totals() == Totals()


def test_who_was_nobody_is_counted_by_the_reason(scene: Scene) -> None:
    watch = Watch(scene.serve())

    scene.stranger(b"GET / HTTP/1.1\r\n\r\n")

    assert watch.refused == {"NOT_NETCODE": 1}


def test_the_end_is_told_and_after_a_stop_nothing_is(scene: Scene) -> None:
    server = scene.serve()
    told, deaf = Watch(server), Watch(server)
    last = Watch(server)
    deaf.stop()
    deaf.stop()

    server.update()
    server.close()

    assert (len(told.durations), told.is_closed, last.is_closed) == (1, True, True)
    assert (deaf.durations, deaf.is_closed) == ([], False)


def test_a_server_of_tables_is_observed_by_its_links(scene: Scene) -> None:
    class Game(turns.Game):
        seats = 1, 2

        @turns.move
        def go(self) -> None:
            self.finish()

    plain = scene.serve()
    with turns.Server(Game, port=8888, network=scene.network, clock=scene.clock, store=None) as server:
        watch = Watch(server)
        server.update()

        assert (watch.server.address, Watch(plain).server) == (server.address, plain)
        assert watch.tables is not None
        assert (watch.tables.stats()._asdict()["tables"], Watch(plain).tables) == (0, None)
        assert watch.durations != []


@pytest.mark.parametrize("wrong", ["x", 7777, Observer])
def test_what_is_no_server_is_told(wrong: object) -> None:
    with pytest.raises(TypeError, match=f"^expected a netcode.Server, not {type(wrong).__name__}$"):
        Observer(wrong)
