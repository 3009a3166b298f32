// A mutation with an optimistic update. Prints every value of the query, the guess and then the truth.
import { BaseConvexClient } from "convex/browser";

const [url, room] = process.argv.slice(2);
const seen = [];
let stable;
const settled = new Promise((done) => (stable = done));
const client = new BaseConvexClient(url, () => {
  const texts = client.localQueryResult("messages:list", { room });
  if (texts && seen.at(-1) !== texts.join()) seen.push(texts.join());
  if (texts?.length === 0) stable();
}, { logger: false });
client.subscribe("messages:list", { room });
await settled;
await client.mutation("messages:send", { room, text: "true" }, { optimisticUpdate: (local) => local.setQuery("messages:list", { room }, ["guess"]) });
console.log(JSON.stringify({ seen }));
await client.close();
