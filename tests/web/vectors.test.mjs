// Run by Node, which is told in NETCODE_VECTORS where the vectors are.
import assert from "node:assert";
import { readFileSync } from "node:fs";
import test from "node:test";
import { failures } from "./vectors.mjs";

for (const vector of JSON.parse(readFileSync(process.env.NETCODE_VECTORS, "utf-8")))
  test(`${vector.kind} ${vector.bytes.slice(0, 60)}`, async () => assert.deepEqual(await failures([vector]), []));
