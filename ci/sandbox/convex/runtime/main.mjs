// The runtime of one deployment: runs pushed code. Requests come as JSON lines on stdin, answers and events leave on stdout.
import readline from "node:readline";
import { send } from "./guard.mjs";
import "./log.mjs";
import { analyze, authProviders, checkPaths, exportSchema, fileExports } from "./analysis.mjs";
import * as database from "./database.mjs";
import { exportDefinitions } from "./definitions.mjs";
import { forget, missing, setEnvironments } from "./environment.mjs";
import { Refusal } from "./errors.mjs";
import { call, deploy, runCron, runJob, serve, store } from "./execution.mjs";
import { loadOne, loadPushed } from "./loading.mjs";
import { load } from "./modules.mjs";
import { identify } from "./users.mjs";

globalThis.self ??= globalThis; // the isolate has it
const AUTH = "auth.config.js";
const end = process.reallyExit.bind(process);
/** What was loaded last, by id of the push: finish_push deploys what start_push has loaded already. */
let latest = { id: null };

/** Load all modules of a push: definition path -> {schema, loaded}. */
async function prepare(code) {
  if (latest.id !== code.id) {
    const parts = new Map();
    for (const [path, definition] of Object.entries(code.definitions)) parts.set(path, await part(definition));
    latest = { id: code.id, parts };
  }
  return latest.parts;
}

async function part({ modules, schemaModule }) {
  checkPaths(modules);
  const schema = schemaModule && (await loadOne(schemaModule)).default;
  if (schemaModule && !schema?.export)
    throw new Refusal(400, "InvalidSchema", "Schema file missing default export. Did you forget `export default defineSchema(...)`?");
  return { schema, loaded: await loadPushed(modules.filter(({ path }) => path !== AUTH)) };
}

/** Say what one definition declares. The app's functions are exported by no reference: `api` has them. */
function declared(path, { modules }, { schema, loaded }, definition) {
  const functions = analyze(modules, loaded);
  const exports = path === "" ? definition.exports : fileExports(functions);
  return { functions, schema: schema && exportSchema(schema), definition: { ...definition, exports } };
}

const operations = {
  /** Set the environment variables that pushed code sees. */
  environments({ mounts }) {
    setEnvironments(mounts);
    return null;
  },
  /** Load pushed code and say what it declares; nothing changes. */
  async analyze({ code, variables }) {
    forget();
    const auth = code.definitions[""].modules.find(({ path }) => path === AUTH);
    const providers = await authProviders(auth, variables, async () => (await load([auth])).get(auth.path));
    const definitions = await exportDefinitions(code.definitions, variables);
    const parts = await prepare(code);
    const found = [...parts].map(([path, part]) => [path, declared(path, code.definitions[path], part, definitions.get(path))]);
    return { definitions: Object.fromEntries(found), auth: providers };
  },
  /** Return the variables that this code read when it was loaded last, and that nobody set. */
  async unset({ code }) {
    return missing(Object.values(code.definitions).flatMap(({ modules, definitionModule }) => [...modules, definitionModule ?? []].flat()));
  },
  /** Return the first stored document that the schema of its component does not allow, or null. */
  async misfit({ code, mounts }) {
    const parts = await prepare(code);
    return database.firstMisfit(store, mounts.map(({ path, definition }) => ({ path, schema: parts.get(definition).schema })));
  },
  /** Make this code the one that runs. */
  async deploy({ code, mounts }) {
    setEnvironments(mounts);
    const parts = await prepare(code);
    await deploy(mounts.map(({ definition, ...mount }) => ({ ...mount, ...parts.get(definition) })));
    return null;
  },
  /** Put stored documents back, in a runtime that has just started. */
  restore({ rows, counters }) {
    database.restore(store, rows, counters);
    return null;
  },
  call,
  http: serve,
  identify,
  cron: runCron,
  job: runJob,
};

async function answer(request) {
  try {
    const result = await operations[request.op](request);
    send({ event: "answer", seq: request.seq, result });
  } catch (error) {
    if (!(error instanceof Refusal)) process.stderr.write(`${error?.stack ?? error}\n`);
    const { status = 500, code = "InternalServerError", message } = error;
    send({ event: "answer", seq: request.seq, error: { status, code, message } });
  }
}

const lines = readline.createInterface({ input: process.stdin });
lines.on("line", (line) => answer(JSON.parse(line)));
lines.on("close", () => end(0));
