// Plays tic-tac-toe at many tables with the client of boardgame.io, a socket for each player.
"use strict";

const { load, obey, settings } = require("./orders.js");
const { ticTacToe } = require("./game.js");
const { Client } = load("boardgame.io/client");
const { SocketIO } = load("boardgame.io/multiplayer");
const { INVALID_MOVE } = load("boardgame.io/core");

const game = ticTacToe(INVALID_MOVE);
const server = `http://127.0.0.1:${settings.port}`;
const { cells: order } = settings;
let tables = [];

const post = async (path, body) => {
  const headers = { "Content-Type": "application/json" };
  const reply = await fetch(`${server}/games/${game.name}/${path}`, {
    method: "POST", headers, body: JSON.stringify(body),
  });
  if (!reply.ok) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
  return reply.json();
};

const until = (client, true_) => new Promise((resolve) => {
  let stop = () => {};
  const look = () => {
    const state = client.getState();
    if (state !== null && true_(state)) {
      stop();
      resolve();
    }
  };
  stop = client.subscribe(look);
  look();
});

const sit = async (matchID, playerID) => {
  const joined = await post(`${matchID}/join`, { playerID, playerName: `player ${playerID}` });
  const client = Client({
    game, matchID, playerID, numPlayers: 2, debug: false, credentials: joined.playerCredentials,
    multiplayer: SocketIO({ server, socketOpts: { transports: ["websocket"], forceNew: true } }),
  });
  client.start();
  await until(client, (state) => state.isConnected);
  return client;
};

// Founds the tables and seats everybody.
const sitDown = async ({ count }) => {
  tables = await Promise.all(Array.from({ length: count }, async () => {
    const { matchID } = await post("create", { numPlayers: 2 });
    return [await sit(matchID, "0"), await sit(matchID, "1")];
  }));
  return count;
};

const leave = () => {
  for (const client of tables.flat()) client.stop();
  return null;
};

const filled = (state) => state.G.cells.filter((cell) => cell !== null).length;

// One whole game: who is to move sees the move before, waits for the moment that is due, and plays.
const playAt = async (table, start, period) => {
  for (let turn = 0; turn < order.length; turn += 1) {
    const client = table[turn % 2];
    await until(client, (state) => filled(state) === turn);
    const wait = start + period * turn - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    client.moves.clickCell(order[turn]);
  }
  // The one who did not move last hears of the end from the server alone.
  await until(table[order.length % 2], (state) => state.ctx.gameover !== undefined);
};

const play = async ({ pace }) => {
  const began = performance.now();
  const period = pace ? 1000 / pace : 0;
  await Promise.all(tables.map((table, index) => playAt(table, began + (period * index) / tables.length, period)));
  return { moves: tables.length * order.length, seconds: (performance.now() - began) / 1000 };
};

obey({}, { sit_down: sitDown, play, leave });
