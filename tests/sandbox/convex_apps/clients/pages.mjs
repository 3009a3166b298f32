// Two pages of a room, newest first, stay without a gap while messages arrive. Prints both pages before and after.
import { BaseConvexClient } from "convex/browser";

const [url, room] = process.argv.slice(2);
const at = (cursor) => ({ room, paginationOpts: { numItems: 2, cursor } });
let changed = () => {};
const client = new BaseConvexClient(url, () => changed(), { logger: false });
const until = async (found) => {
  for (let value; ; await new Promise((done) => (changed = done))) if ((value = found()) !== undefined) return value;
};
const page = (cursor) => client.localQueryResult("messages:page", at(cursor));
const texts = (found) => found.page.map((message) => message.text).join();

client.subscribe("messages:page", at(null));
const first = await until(() => page(null));
client.subscribe("messages:page", at(first.continueCursor));
const second = await until(() => page(first.continueCursor));
const before = [texts(first), texts(second)];
await client.mutation("messages:send", { room, text: "new" });
const grown = await until(() => (page(null).page.length === 3 ? page(null) : undefined));
console.log(JSON.stringify({ before, after: [texts(grown), texts(page(first.continueCursor))] }));
await client.close();
