/** Client programs report to the tests: options as an argument, commands on stdin, reports as JSON lines on stdout. */

import { createInterface } from "node:readline"

export const options = JSON.parse(process.argv[2])

/** The server's address for pusher-js. */
export const server = {
  wsHost: "127.0.0.1",
  wsPort: options.port,
  forceTLS: false,
  enabledTransports: ["ws"],
}

/** Returns the URL of a path at the server. */
export function at(path) {
  return `http://127.0.0.1:${options.port}${path}`
}

// Exit with the test, also if timers or sockets are still open.
process.stdin
  .on("end", () => process.exit())
  .resume()
  .unref()

/** Runs the command in each JSON line on stdin. */
export function onCommands(commands) {
  createInterface({ input: process.stdin }).on("line", (line) => {
    const command = JSON.parse(line)
    commands[command.do](command)
  })
}

/** Writes a report as one line. */
export function report(saw, details) {
  process.stdout.write(`${JSON.stringify({ saw, ...details })}\n`)
}

/** Reports each state, error and frame of the connection, and each frame that the client sends. */
export function watch(pusher) {
  const { connection } = pusher
  connection.bind("state_change", ({ current }) =>
    report("state", { state: current, socket: connection.socket_id }),
  )
  // Errors of the handshake are wrapped once more.
  connection.bind("error", ({ error, data = error?.data }) => report("error", { code: data?.code }))
  connection.bind("message", (frame) => report("frame", frame))
  const send = pusher.send_event
  pusher.send_event = (event, data, channel) => {
    report("sent", { event, data })
    return send.call(pusher, event, data, channel)
  }
}
