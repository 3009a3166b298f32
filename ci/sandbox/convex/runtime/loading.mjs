// Loads pushed modules on behalf of a push: what they throw becomes the real backend's refusal of the push.
import { describe, Refusal } from "./errors.mjs";
import { load } from "./modules.mjs";

/** Import these modules as `load` does. */
export async function loadPushed(modules) {
  try {
    return await load(modules);
  } catch (error) {
    throw new Refusal(400, "InvalidModules", `Loading the pushed modules encountered the following\n    error:\n${describe(error)}`);
  }
}

/** Import one module, with others that it imports, and return what it exports. */
export async function loadOne(module, others = []) {
  return (await loadPushed([module, ...others])).get(module.path);
}
