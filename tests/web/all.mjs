// Prints what went wrong with the vectors in a file: `node all.mjs FILE`.
import { readFileSync } from "node:fs";
import { failures } from "./vectors.mjs";

for (const failure of await failures(JSON.parse(readFileSync(process.argv[2], "utf-8")))) console.log(failure);
