// A page that stays open: one React client over one websocket. Told "watch a:b", it prints each value or error of that query,
// as {"function", "value"} or {"function", "error"}; "leave a:b" is to go to another page.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [app, url] = process.argv.slice(2);
setTimeout(() => process.exit(1), 280_000).unref();
const require = createRequire(`${app}/package.json`);
const { ConvexReactClient } = require("convex/react");
const { makeFunctionReference } = require("convex/server");

const client = new ConvexReactClient(url, { logger: false, unsavedChangesWarning: false });
const left = new Map();
const watch = (name) => {
  const query = client.watchQuery(makeFunctionReference(name), {});
  const tell = () => {
    try {
      console.log(JSON.stringify({ function: name, value: query.localQueryResult() }));
    } catch (error) {
      console.log(JSON.stringify({ function: name, error: error.message }));
    }
  };
  left.set(name, query.onUpdate(tell));
};
for await (const line of createInterface({ input: process.stdin })) {
  const [verb, name] = line.split(" ");
  verb === "watch" ? watch(name) : left.get(name)();
}
await client.close();
