/** How the clients talk with the tests: a line of JSON for each thing that is seen, the options as an argument. */

export const options = JSON.parse(process.argv[2])

/** Where the server is, for pusher-js, which would otherwise go to Pusher's own. */
export const server = {
  wsHost: "127.0.0.1",
  wsPort: options.port,
  forceTLS: false,
  enabledTransports: ["ws"],
}

// A test that ends takes its clients with it; otherwise they run as long as they have something to do.
process.stdin
  .on("end", () => process.exit())
  .resume()
  .unref()

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
  connection.bind("error", ({ error }) => tell("error", { code: error?.data?.code }))
  connection.bind("message", ({ event, channel, data }) => tell("frame", { event, channel, data }))
  const send = pusher.send_event
  pusher.send_event = (event, data, channel) => {
    tell("sent", { event, data })
    return send.call(pusher, event, data, channel)
  }
}
