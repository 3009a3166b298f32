import { internal as hidden } from "./_generated/api"

const jobs = hidden.jobs
ctx.scheduler.runAfter(0, jobs.work) // FOUND: internal member jobs:work
