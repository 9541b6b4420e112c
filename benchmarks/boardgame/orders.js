// The child's end of the line to the benchmark, as benchmarks/control.py: orders come in, answers go out, a line each.
"use strict";

process.env.NODE_ENV = "production"; // without it boardgame.io logs each request, and checks its states twice

const path = require("node:path");
const readline = require("node:readline");
const { createRequire } = require("node:module");

exports.settings = JSON.parse(process.argv[2]);
exports.load = createRequire(path.join(exports.settings.modules, "of.js"));

const say = (line) => process.stdout.write(JSON.stringify(line) + "\n");

// Says that the process is up, and carries out orders one after the other until the parent is gone.
exports.obey = (facts, orders) => {
  process.on("SIGINT", () => {}); // the parent decides when its children end
  say({ answer: facts });
  readline.createInterface({ input: process.stdin }).on("line", async (line) => {
    const { name, arguments: given } = JSON.parse(line);
    try {
      say({ answer: await orders[name](given) });
    } catch (error) {
      say({ error: `${error.name}: ${error.message}` });
    }
  }).on("close", () => process.exit(0));
};
