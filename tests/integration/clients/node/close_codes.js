/** One real pusher-js per key: reports their states once all were closed and have reacted. */

import { AsyncLocalStorage } from "node:async_hooks"

import Pusher from "pusher-js"

import { options, report, server } from "./reporting.js"

const { Runtime } = Pusher
const WebSocket = Runtime.getWebSocketAPI()

/** The sum of the timers that led to the running code, in ms: exact, however late a busy machine runs them. */
const waited = new AsyncLocalStorage()
const startTimer = globalThis.setTimeout
globalThis.setTimeout = (callback, delay = 0, ...args) => {
  const total = (waited.getStore() ?? 0) + delay
  return startTimer(() => waited.run(total, callback, ...args), delay)
}

const CLOSING = 2
const SERVER_CLOSE_TIMEOUT = 5000 // ms

/**
 * The WebSocket of Node. It leaves the close to the server: pusher-js closes too, and its 1000
 * would hide the server's code whenever it is sent first. Closed twice, it would wait half a minute for the second end.
 */
class Socket extends WebSocket {
  #timer

  close() {
    if (this.readyState >= CLOSING || this.#timer) return
    this.#timer = startTimer(() => super.close(), SERVER_CLOSE_TIMEOUT)
    this.addEventListener("close", () => clearTimeout(this.#timer))
  }
}

const { protocol = 7, version = Pusher.VERSION, path = "", origin, sends = [] } = options.mistake ?? {}
const headers = origin ? { Origin: origin } : {}

/** By key: the close `code` that it saw, how many `attempts` it made, and the timers it ran before the second (`wait`, in ms). */
const outcomes = Object.fromEntries(options.keys.map((key) => [key, { attempts: 0, code: null, wait: null }]))
const waiting = new Set(options.keys)

Runtime.createWebSocket = (url) => {
  const address = new URL(url)
  const key = address.pathname.split("/").at(-1)
  address.searchParams.set("protocol", protocol)
  address.searchParams.set("version", version)
  const socket = new Socket(address.href, [], { headers })
  if (outcomes[key].attempts++ === 0) watch(socket, outcomes[key])
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

function watch(socket, outcome) {
  socket.addEventListener("open", () => sends.forEach((frame) => socket.send(frame ?? Buffer.from([0]))))
  // A client that receives an error before it is greeted acts on that, not on the close that follows.
  socket.addEventListener("message", ({ data }) => {
    if (JSON.parse(data).event !== "pusher:error") return
    outcome.endedAt ??= waited.getStore() ?? 0
  })
  socket.addEventListener("close", ({ code }) => {
    outcome.code = code
    outcome.endedAt ??= waited.getStore() ?? 0
    finish()
  })
}

function comesBack(key, isSecure) {
  const outcome = outcomes[key]
  if (outcome.wait === null)
    Object.assign(outcome, { wait: (waited.getStore() ?? 0) - outcome.endedAt, isSecure })
  settle(key)
}

/** Reports once all clients have acted. */
function settle(key) {
  waiting.delete(key)
  finish()
}

/** The close may come after what the client does about it. */
function finish() {
  if (waiting.size === 0 && Object.values(outcomes).every(({ code }) => code !== null))
    report("outcomes", { outcomes })
}
