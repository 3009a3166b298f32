// The environment that pushed code sees: that of the component whose function runs, and of the app while a module loads.
import { AsyncLocalStorage } from "node:async_hooks";

const component = new AsyncLocalStorage();
let environments = new Map();
const nothing = {};

/** Set what functions see, by the path of their component. */
export function setEnvironments(mounts) {
  environments = new Map(mounts.map(({ path, variables }) => [path, { ...variables }]));
}

/** Run what belongs to the component of this path. */
export function runIn(path, work) {
  return component.run(path, work);
}

/** Return the path of the component whose function runs; "" is the app. */
export function currentComponent() {
  return component.getStore() ?? "";
}

const unset = new Set();

/** Remember that this variable was read, and is not set. */
export function missed(name) {
  unset.add(String(name));
}

/** Forget what was read. */
export function forget() {
  unset.clear();
}

/** Return the variables that these modules read and nobody set; Node reads some of its own while it loads a module. */
export function missing(modules) {
  return [...unset].filter((name) => modules.some(({ source }) => source.includes(name))).sort();
}

const seen = () => environments.get(currentComponent()) ?? nothing;

process.env = new Proxy({}, {
  get: (_, name) => {
    if (!(name in seen())) missed(name);
    return seen()[name];
  },
  has: (_, name) => name in seen(),
  set: (_, name, value) => Reflect.set(seen(), name, String(value)),
  deleteProperty: (_, name) => delete seen()[name],
  ownKeys: () => Reflect.ownKeys(seen()),
  getOwnPropertyDescriptor: (_, name) => Reflect.getOwnPropertyDescriptor(seen(), name),
});
