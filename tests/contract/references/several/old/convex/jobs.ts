import { internal } from "./_generated/api"
run(internal.jobs.old) // FOUND: internal member jobs:old in nowhere
