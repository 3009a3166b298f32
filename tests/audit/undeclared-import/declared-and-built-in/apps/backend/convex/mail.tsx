"use node";
import { createHash } from "crypto"; // OK
import { readFile } from "node:fs/promises"; // OK
import * as React from "react"; // OK: a peer
import { kit } from "@scope/kit/server"; // OK
import type { z } from "zod"; // OK: types are gone when it runs
// import { nanoid } from "nanoid"; // OK: a comment
const text = 'import x from "left-pad"'; // OK: a text

export const all = [createHash, readFile, React, kit, text];
