/** Real pusher-js, one for each key: once each was closed and has acted on it, tells what became of them all. */

import Pusher from "pusher-js"

import { options, server, tell } from "./tell.js"

const { Runtime } = Pusher
const WebSocket = Runtime.getWebSocketAPI()

const CLOSING = 2

/** Node's stand-in for a browser's; closed twice, it would wait half a minute for the second end. */
class Socket extends WebSocket {
  close() {
    if (this.readyState < CLOSING) super.close()
  }
}

const { protocol = 7, version = Pusher.VERSION, path = "", origin, sends = [] } = options.mischief ?? {}
const headers = origin ? { Origin: origin } : {}

/** By key: the close `code` that it saw, how many `attempts` it made, and the `wait` before the second, in ms. */
const fates = Object.fromEntries(options.keys.map((key) => [key, { attempts: 0, code: null, wait: null }]))
const waiting = new Set(options.keys)

Runtime.createWebSocket = (url) => {
  const address = new URL(url)
  const key = address.pathname.split("/").at(-1)
  address.searchParams.set("protocol", protocol)
  address.searchParams.set("version", version)
  const socket = new Socket(address.href, [], { headers })
  if (fates[key].attempts++ === 0) watch(socket, fates[key])
  else comesBack(key, url.startsWith("wss:"))
  return socket
}

options.keys.forEach(start)

function start(key) {
  const transports = { wssPort: options.securePort, enabledTransports: ["ws", "wss"] }
  const pusher = new Pusher(key, { ...server, ...transports, cluster: "", wsPath: path })
  pusher.connection.bind("disconnected", () => settle(key))
  return pusher
}

function watch(socket, fate) {
  socket.addEventListener("open", () => sends.forEach((frame) => socket.send(frame ?? Buffer.from([0]))))
  // Whoever is told of an error before it is greeted acts on that, not on the close that follows.
  socket.addEventListener("message", ({ data }) => {
    if (JSON.parse(data).event === "pusher:error") fate.endedAt ??= performance.now()
  })
  socket.addEventListener("close", ({ code }) => {
    fate.code = code
    fate.endedAt ??= performance.now()
  })
}

function comesBack(key, isSecure) {
  const fate = fates[key]
  if (fate.wait === null) Object.assign(fate, { wait: performance.now() - fate.endedAt, isSecure })
  settle(key)
}

/** Tells once all have acted: whoever has given up has nothing more to do, and ends with the others like him. */
function settle(key) {
  waiting.delete(key)
  // The close itself may come after what the client does about it.
  if (waiting.size === 0) setTimeout(() => tell("fates", { fates }), 50)
}
