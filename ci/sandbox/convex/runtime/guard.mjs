// Keeps from pushed code what Node's permission model leaves open: the end of this process, and the pipe of the protocol.

const write = process.stdout.write.bind(process.stdout);

/** Send one message to the server: an answer or an event. */
export function send(message) {
  write(JSON.stringify(message) + "\n");
}

process.stdout.write = process.stderr.write.bind(process.stderr);
for (const name of ["exit", "kill", "abort"]) {
  process[name] = () => {
    throw new Error(`process.${name} is not available in Convex functions`);
  };
}

// A promise that pushed code forgot about must not end the runtime, as it does not end the real one.
for (const event of ["unhandledRejection", "uncaughtException"]) {
  process.on(event, (error) => process.stderr.write(`stray error in pushed code: ${error?.stack ?? error}\n`));
}
