// The database and transactions of convex-test, opened up: what commits is reported, what was committed can be put back.
import { AsyncLocalStorage } from "node:async_hooks";
import { convexTest } from "convex-test";
import { convexToJson, jsonToConvex } from "convex/values";

export const JOBS = "_scheduled_functions";
const COUNTERS = ["_nextDocId", "_lastCreationTime"];

/**
 * Open an empty database. `on.commit(changes, counters)` is called before the answer to whoever changed something,
 * `on.begin()` and `on.end()` around each transaction, of which there is one at a time.
 */
export function open(on) {
  const t = convexTest({ modules: modulesFor(new Map()) });
  const state = stateOf(t);
  watch(state, on);
  return { t, state };
}

/** Put documents and counters back, as `on.commit` reported them. */
export function restore(store, rows, counters) {
  for (const { id, component, document } of rows) database(store, component)._documents[id] = jsonToConvex(document);
  Object.assign(database(store, ""), counters);
}

/** Mount this code, once no transaction runs: {path, schema, loaded} of each component. Documents stay, mounted or not. */
export async function replaceCode(store, mounts) {
  const { transactionManager, components } = store.state;
  while (transactionManager.isInTransaction()) await transactionManager._waitOnCurrentFunction;
  for (const component of Object.values(components)) component.modules = missing;
  for (const { path, schema, loaded } of mounts) {
    const fresh = stateOf(convexTest({ schema: schema ?? undefined, modules: modulesFor(loaded) })).components[""];
    database(store, path)._schema = fresh.db._schema;
    components[path].modules = fresh.modules;
  }
}

/** Return the first document that the schema of its component does not allow, as wait_for_schema reports it, or null. */
export function firstMisfit(store, mounts) {
  const checked = mounts.filter(({ path, schema }) => schema && path in store.state.components);
  return checked.map(({ path, schema }) => misfit(database(store, path), path, schema)).find((found) => found) ?? null;
}

function misfit(db, componentPath, schema) {
  const checker = stateOf(convexTest({ schema, modules: modulesFor(new Map()) })).components[""].db;
  for (const { _id, _creationTime, ...fields } of Object.values(db._documents)) {
    const tableName = tableOf(_id);
    try {
      checker._validate(tableName, fields);
    } catch (error) {
      const shown = JSON.stringify(convexToJson({ _id, _creationTime, ...fields }));
      return { componentPath, tableName, error: `Document with ID "${_id}" in table "${tableName}" does not match the schema: ${error.message}\n\nObject: ${shown}` };
    }
  }
  return null;
}

/** Return the database of a component; one that is new is empty. */
export function database({ t, state }, path) {
  if (!(path in state.components)) {
    t.registerComponent(path, null, modulesFor(new Map()));
    shareCounters(state.components[path].db, state.components[""].db);
  }
  return state.components[path].db;
}

/** Return the database that has this document, if one has. */
export function databaseWith({ state }, id) {
  return Object.values(state.components).find(({ db }) => id in db._documents)?.db;
}

// An id is unique in all of a deployment, as it is in the real one: the store knows documents by it.
function shareCounters(db, app) {
  for (const counter of COUNTERS) {
    Object.defineProperty(db, counter, { get: () => app[counter], set: (value) => (app[counter] = value) });
  }
}

async function missing(path) {
  throw new Error(`Could not find module for: "${path}"`);
}

/** Check one value against a validator, given as JSON. Throws what convex-test throws. */
export function checkValue(store, validator, value) {
  const schema = { schemaValidation: true, tables: new Map([["value", { documentType: validator }]]) };
  Object.getPrototypeOf(database(store, ""))._validate.call({ _schema: schema }, "value", value);
}

function modulesFor(loaded) {
  const modules = [...loaded].map(([path, exports]) => [`./${path}`, async () => exports]);
  // convex-test finds the root of the modules by this name.
  return Object.fromEntries([["./_generated/api.js", async () => ({})], ...modules]);
}

// convex-test 0.0.60 keeps its state to itself; it passes through an AsyncLocalStorage whenever a call begins.
function stateOf(t) {
  const { run } = AsyncLocalStorage.prototype;
  let state;
  AsyncLocalStorage.prototype.run = function (store, ...rest) {
    if (store?.transactionManager) state = store;
    return run.call(this, store, ...rest);
  };
  try {
    t.finishInProgressScheduledFunctions();
  } finally {
    AsyncLocalStorage.prototype.run = run;
  }
  return state;
}

function watch({ transactionManager: manager, components }, on) {
  const begin = manager.begin.bind(manager);
  const commit = manager.commit.bind(manager);
  const end = manager._endTransaction.bind(manager);
  manager.begin = async (nested, limits) => {
    await begin(nested, limits);
    if (!nested) on.begin();
  };
  manager.commit = (nested) => {
    if (nested) return commit(nested);
    on.beforeCommit();
    const written = Object.entries(components).flatMap(([path, { db }]) => Object.keys(db._writes[0]).map((id) => [path, db, id]));
    const at = commit(nested);
    const counters = Object.fromEntries(COUNTERS.map((counter) => [counter, components[""].db[counter]]));
    if (written.length > 0) on.commit(written.map((one) => change(...one)), counters);
    return at;
  };
  manager._endTransaction = (nested) => {
    end(nested);
    if (!nested) on.end();
  };
}

function change(component, db, id) {
  const document = db._documents[id];
  return { id, component, table: tableOf(id), document: document ? convexToJson(document) : null };
}

function tableOf(id) {
  return id.replace(/^[0-9]+/, "");
}
