// The database and transactions of convex-test, opened up: what commits is reported, what was committed can be put back.
import { AsyncLocalStorage } from "node:async_hooks";
import { convexTest } from "convex-test";
import { convexToJson, jsonToConvex } from "convex/values";

export const JOBS = "_scheduled_functions";

/**
 * Open an empty database. `on.commit(changes, counters)` is called before the answer to whoever changed something,
 * `on.begin()` and `on.end()` around each transaction, of which there is one at a time.
 */
export function open(on) {
  const t = convexTest({ modules: modulesFor(new Map()) });
  const state = stateOf(t);
  const db = state.components[""].db;
  watch(state.transactionManager, db, on);
  return { t, state, db };
}

/** Put documents and counters back, as `on.commit` reported them. */
export function restore({ db }, documents, counters) {
  for (const document of documents) db._documents[document._id] = jsonToConvex(document);
  Object.assign(db, counters);
}

/** Replace code and schema under the documents, which stay. */
export function replaceCode({ state, db }, schema, loaded) {
  const fresh = stateOf(convexTest({ schema, modules: modulesFor(loaded) })).components[""];
  state.components[""].modules = fresh.modules;
  db._schema = fresh.db._schema;
}

/** Return the first document that this schema does not allow, as wait_for_schema reports it, or null. */
export function misfit({ db }, schema) {
  if (!schema) return null;
  const checker = stateOf(convexTest({ schema, modules: modulesFor(new Map()) })).components[""].db;
  for (const { _id, _creationTime, ...fields } of Object.values(db._documents)) {
    const tableName = tableOf(_id);
    try {
      checker._validate(tableName, fields);
    } catch (error) {
      const shown = JSON.stringify(convexToJson({ _id, _creationTime, ...fields }));
      return { tableName, error: `Document with ID "${_id}" in table "${tableName}" does not match the schema: ${error.message}\n\nObject: ${shown}` };
    }
  }
  return null;
}

/** Check one value against a validator, given as JSON. Throws what convex-test throws. */
export function checkValue({ db }, validator, value) {
  const schema = { schemaValidation: true, tables: new Map([["value", { documentType: validator }]]) };
  Object.getPrototypeOf(db)._validate.call({ _schema: schema }, "value", value);
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

function watch(manager, db, on) {
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
    const ids = Object.keys(db._writes[0]);
    const at = commit(nested);
    if (ids.length > 0) on.commit(ids.map((id) => change(db, id)), { _nextDocId: db._nextDocId, _lastCreationTime: db._lastCreationTime });
    return at;
  };
  manager._endTransaction = (nested) => {
    end(nested);
    if (!nested) on.end();
  };
}

function change(db, id) {
  const document = db._documents[id];
  return { id, table: tableOf(id), document: document ? convexToJson(document) : null };
}

function tableOf(id) {
  return id.replace(/^[0-9]+/, "");
}
