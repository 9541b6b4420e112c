"""A player written from the page alone sits down at a server on loopback, and plays whole games."""

from collections.abc import Iterator

import pytest

from netcode.turns.client import join, tables
from netcode.turns.server import Server
from turns.hall import Secrets, TicTacToe
from turns.page_player import PagePlayer


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(TicTacToe, Secrets, host="127.0.0.1", port=0, on_thread=False, moves_per_second=1000) as server:
        yield server


def test_a_player_from_the_page_plays_whole_games_with_one_from_the_kit(server: Server) -> None:
    with join(server.address, TicTacToe, name="Kit") as kit:

        def others() -> None:
            server.update()
            kit.update()
            if kit.my_turn and kit.pending is None and kit.legal:
                kit.play(kit.legal[0])

        for _ in range(50):
            server.update()
            kit.update()
        page = PagePlayer(server.address.port, "TicTacToe", name="Page", legal=True)
        for _ in range(2):
            page.until(lambda: page.state.get("started", False) and page.state["result"] is None, others)
            for _turn in range(9):
                page.until(lambda: page.seat in page.state["to_move"] or page.state["result"] is not None, others)
                if page.state["result"] is not None:
                    break
                last = page.state["last"]
                move, arguments = page.state["legal"][-1]
                page.play(move, **arguments)
                page.until(lambda last=last: page.state["last"] == last + 1, others)  # type: ignore[misc]

            assert page.state["result"] is not None
            page.until(lambda: kit.over, others)
            assert kit.result is not None
            assert [*kit.result.winners] == page.state["result"][0]
            assert kit.view.cells == page.fields["cells"]
            page.say("rematch")
            kit.rematch()
        assert page.refused == []
        assert [event[0] for event in page.events].count("over") == 2
        page.close()


def test_a_player_from_the_page_answers_questions_and_returns_with_its_ticket(server: Server) -> None:
    players = [PagePlayer(server.address.port, "Secrets", room="ours", players=2, key=letter * 20) for letter in "ab"]

    def everybody() -> None:
        server.update()
        for player in players:
            player.update()

    players[0].until(lambda: all(player.state.get("started", False) for player in players), everybody)
    for number in (0, 1):
        mover = next(player for player in players if player.seat in player.state["to_move"])
        mover.play("draw")
        mover.until(lambda mover=mover: mover.state["question"] is not None, everybody)  # type: ignore[misc]
        question, prompt, options = mover.state["question"]
        assert (prompt, options) == ("how do you show it?", ["as it is", "doubled"])
        if number == 0:
            mover.close()
            again = PagePlayer(server.address.port, "Secrets", ticket=mover.ticket)
            players[players.index(mover)] = again
            again.until(lambda again=again: again.state.get("question") is not None, everybody)  # type: ignore[misc]
            assert again.seat == mover.seat
            assert again.state["question"][0] == question
            mover = again
        mover.say("answer", mover.state["last"] + 1, question, "as it is")
        mover.until(lambda mover=mover: mover.state["question"] is None, everybody)  # type: ignore[misc]

    players[0].until(lambda: all(player.state["result"] is not None for player in players), everybody)
    assert players[0].fields["shown"] == players[1].fields["shown"]
    players[0].say("say", "well played")
    players[1].until(lambda: players[1].said != [], everybody)
    assert players[1].said[0][2] == "well played"
    for player in players:
        player.close()


def test_a_player_from_the_page_is_told_why_it_may_not(server: Server) -> None:
    page = PagePlayer(server.address.port, "Chess")
    page.until(lambda: page.gone is not None, server.update)
    assert page.gone == "this server does not play 'Chess'; it plays TicTacToe, Secrets"
    page.say("dance")
    page.gone = None

    page.until(lambda: page.gone is not None, server.update)

    assert page.gone == "'dance' with 0 more entries is no message of this protocol"
    page.close()


def test_nobody_to_ask_for_tables_is_said() -> None:
    with pytest.raises(OSError, match="nothing is listening on"):
        tables(("127.0.0.1", 1))
