// The server of boardgame.io as its documentation sets it up; matches are kept in memory, or in files.
"use strict";

const { load, obey, settings } = require("./orders.js");
const { ticTacToe } = require("./game.js");
const { Server, FlatFile } = load("boardgame.io/server");
const { INVALID_MOVE } = load("boardgame.io/core");

const server = Server({
  games: [ticTacToe(INVALID_MOVE)],
  origins: ["http://127.0.0.1"],
  ...(settings.files ? { db: new FlatFile({ dir: settings.files }) } : {}),
});

server.run({ port: 0 }).then(({ appServer }) => {
  const cpu = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  };
  obey({ port: appServer.address().port }, { cpu });
});
