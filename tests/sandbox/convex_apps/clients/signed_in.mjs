// A React client that signs in, then out. Prints what a query said of its user meanwhile.
import { ConvexReactClient } from "convex/react";
import { makeFunctionReference } from "convex/server";

const [url, token] = process.argv.slice(2);
const client = new ConvexReactClient(url, { logger: false });
const watch = client.watchQuery(makeFunctionReference("people:subject"), {});
const seen = [];
let changed = () => {};
watch.onUpdate(() => changed(seen.push(watch.localQueryResult())));
const until = async (length) => {
  while (seen.length < length) await new Promise((done) => (changed = done));
};
await until(1);
const accepted = await new Promise((done) => client.setAuth(async () => token, done));
if (accepted) await until(2);
client.clearAuth();
if (accepted) await until(3);
console.log(JSON.stringify({ accepted, seen }));
await client.close();
