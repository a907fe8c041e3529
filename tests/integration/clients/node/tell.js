/** How the clients talk with the tests: a line of JSON for each thing that is seen, the options as an argument. */

import { createInterface } from "node:readline"

export const options = JSON.parse(process.argv[2])

/** Where the server is, for pusher-js, which would otherwise go to Pusher's own. */
export const server = {
  wsHost: "127.0.0.1",
  wsPort: options.port,
  forceTLS: false,
  enabledTransports: ["ws"],
}

/** Returns the address of a path at the server. */
export function at(path) {
  return `http://127.0.0.1:${options.port}${path}`
}

// A test that ends takes its clients with it; otherwise they run as long as they have something to do.
process.stdin
  .on("end", () => process.exit())
  .resume()
  .unref()

/** Does what each line of JSON on stdin says. */
export function obey(commands) {
  createInterface({ input: process.stdin }).on("line", (line) => {
    const command = JSON.parse(line)
    commands[command.do](command)
  })
}

/** Writes what was seen on a line of its own. */
export function tell(saw, details) {
  process.stdout.write(`${JSON.stringify({ saw, ...details })}\n`)
}

/** Tells of each state, error and frame of the connection, and of each frame that the client sends. */
export function watch(pusher) {
  const { connection } = pusher
  connection.bind("state_change", ({ current }) =>
    tell("state", { state: current, socket: connection.socket_id }),
  )
  // What ends a handshake is wrapped once more.
  connection.bind("error", ({ error, data = error?.data }) => tell("error", { code: data?.code }))
  connection.bind("message", (frame) => tell("frame", frame))
  const send = pusher.send_event
  pusher.send_event = (event, data, channel) => {
    tell("sent", { event, data })
    return send.call(pusher, event, data, channel)
  }
}
