import { Migrations } from "@convex-dev/migrations";
import { components } from "./_generated/api";
import type { DataModel } from "./_generated/dataModel";

const migrations = new Migrations<DataModel>(components.migrations);

export const setState = migrations.define({
  table: "letters",
  batchSize: 2,
  migrateOne: (_, letter) => (letter.state === undefined ? { state: "old" } : undefined),
});

export const run = migrations.runner();
