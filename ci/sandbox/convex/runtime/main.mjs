// The runtime of one deployment: runs pushed code. Requests come as JSON lines on stdin, answers and events leave on stdout.
import readline from "node:readline";
import { send } from "./guard.mjs";
import "./log.mjs";
import { analyze, authProviders, checkPaths, exportDefinition, exportSchema } from "./analysis.mjs";
import * as database from "./database.mjs";
import { describe, Refusal } from "./errors.mjs";
import { call, deploy, runJob, store } from "./execution.mjs";
import { load } from "./modules.mjs";

globalThis.self ??= globalThis; // the isolate has it
const end = process.reallyExit.bind(process);
/** What was loaded last, by id of the push: finish_push deploys what start_push has loaded already. */
let latest = { id: null };

async function prepare(code) {
  if (latest.id === code.id) return latest;
  checkPaths(code.modules);
  const schema = await main(code.schemaModule);
  if (code.schemaModule && !schema?.export)
    throw new Refusal(400, "InvalidSchema", "Schema file missing default export. Did you forget `export default defineSchema(...)`?");
  const functions = code.modules.filter(({ path }) => path !== "auth.config.js");
  const loaded = await trying(() => load(functions), functions);
  latest = { id: code.id, schema, loaded };
  return latest;
}

/** Load one module and return its default export. */
async function main(module) {
  if (!module) return null;
  const exports = await trying(() => load([module]), [module]);
  return exports.get(module.path).default;
}

async function trying(work, modules) {
  try {
    return await work();
  } catch (error) {
    const text = describe(error, new Map(modules.map((module) => [module.path, module])));
    throw new Refusal(400, "InvalidModules", `Loading the pushed modules encountered the following\n    error:\n${text}`);
  }
}

const operations = {
  /** Set the environment variables that pushed code sees. */
  environment({ variables }) {
    process.env = { ...variables };
    return null;
  },
  /** Load pushed code and say what it declares; nothing changes. */
  async analyze({ code, variables }) {
    const auth = code.modules.find(({ path }) => path === "auth.config.js");
    const providers = await authProviders(auth, variables, async () => (await load([auth])).get(auth.path));
    const definition = exportDefinition(await main(code.definitionModule), variables);
    const { schema, loaded } = await prepare(code);
    return { functions: analyze(code.modules, loaded), schema: schema && exportSchema(schema), definition, auth: providers };
  },
  /** Return the first stored document that the code's schema does not allow, or null. */
  async misfit({ code }) {
    return database.misfit(store, (await prepare(code)).schema);
  },
  /** Make this code the one that runs. */
  async deploy({ code }) {
    const { schema, loaded } = await prepare(code);
    deploy(schema ?? undefined, code.modules, loaded);
    return null;
  },
  /** Put stored documents back, in a runtime that has just started. */
  restore({ documents, counters }) {
    database.restore(store, documents, counters);
    return null;
  },
  call,
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
