"""Play tic-tac-toe or Connect Four by clicking: `window.py tictactoe localhost 7777`, or `connect_four`."""

import sys

import pygame
from connect_four import COLUMNS, ROWS, ConnectFour
from tictactoe import TicTacToe

import netcode.turns

SIDE, COLOURS = 100, {None: "midnightblue", 0: "firebrick", 1: "gold"}
which, host, port = sys.argv[1:] + ["tictactoe", "localhost", "7777"][len(sys.argv) - 1 :]
game: type[ConnectFour | TicTacToe] = ConnectFour if which == "connect_four" else TicTacToe
table, (across, down) = netcode.turns.join((host, int(port)), game), (COLUMNS, ROWS) if game is ConnectFour else (3, 3)
pygame.init()
screen, clock = pygame.display.set_mode((across * SIDE, down * SIDE)), pygame.time.Clock()
while not table.reason:
    for event in pygame.event.get():
        if event.type == pygame.QUIT:
            table.close()
        elif event.type == pygame.MOUSEBUTTONDOWN and table.my_turn and table.pending is None:
            x, y = event.pos[0] // SIDE, event.pos[1] // SIDE
            table.play(ConnectFour.drop(x) if game is ConnectFour else TicTacToe.mark(3 * y + x))
        elif event.type == pygame.MOUSEBUTTONDOWN and table.over:
            table.rematch()
    table.update()
    for happened in table.events():
        netcode.say(happened)
    turn = "over, click for another game" if table.over else "your turn" if table.my_turn else "wait"
    pygame.display.set_caption(f"{which}, {COLOURS[table.seat]}: {table.trouble or turn}")
    screen.fill("darkslateblue")
    for y, x in (divmod(place, across) for place in range(across * down)):
        seat, view = None, table.view if table.started else None
        if isinstance(view, ConnectFour):
            seat = dict(enumerate(view.columns[x])).get(down - 1 - y)
        elif isinstance(view, TicTacToe):
            seat = view.cells[3 * y + x]
        pygame.draw.circle(screen, COLOURS[seat], (SIDE * x + SIDE // 2, SIDE * y + SIDE // 2), 40)
    pygame.display.flip()
    clock.tick(60)
