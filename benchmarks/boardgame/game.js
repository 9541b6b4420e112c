// Tic-tac-toe as the tutorial of boardgame.io writes it: a move is looked at, legal moves are listed for nobody.
"use strict";

const LINES = [
  [0, 1, 2], [3, 4, 5], [6, 7, 8], [0, 3, 6], [1, 4, 7], [2, 5, 8], [0, 4, 8], [2, 4, 6],
];

exports.ticTacToe = (INVALID_MOVE) => ({
  name: "tic-tac-toe",
  setup: () => ({ cells: Array(9).fill(null) }),
  turn: { minMoves: 1, maxMoves: 1 },
  moves: {
    clickCell: ({ G, playerID }, id) => {
      if (G.cells[id] !== null) return INVALID_MOVE;
      G.cells[id] = playerID;
    },
  },
  endIf: ({ G, ctx }) => {
    const mine = (cell) => cell !== null && cell === ctx.currentPlayer;
    if (LINES.some((line) => line.every((i) => mine(G.cells[i])))) return { winner: ctx.currentPlayer };
    if (G.cells.every((cell) => cell !== null)) return { draw: true };
  },
});
