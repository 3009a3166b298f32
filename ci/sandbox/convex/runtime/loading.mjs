// Loads pushed modules on behalf of a push: what they throw becomes the real backend's refusal of the push.
import { describe, Refusal } from "./errors.mjs";
import { load } from "./modules.mjs";

// What Node's permission model keeps from code that the real backend would load.
const LACKING = {
  ERR_ACCESS_DENIED: "files, processes and networks for modules that load",
  ERR_DLOPEN_DISABLED: "packages with native add-ons",
  ERR_MODULE_NOT_FOUND: "packages that are not installed where the app is",
};

/** Import these modules as `load` does. */
export async function loadPushed(modules) {
  try {
    return await load(modules);
  } catch (error) {
    if (error?.code in LACKING) throw new Refusal(501, "NotImplemented", `the sandbox does not implement ${LACKING[error.code]}: ${error.message}`);
    throw new Refusal(400, "InvalidModules", `Loading the pushed modules encountered the following\n    error:\n${describe(error)}`);
  }
}

/** Import one module, with others that it imports, and return what it exports. */
export async function loadOne(module, others = []) {
  return (await loadPushed([module, ...others])).get(module.path);
}
