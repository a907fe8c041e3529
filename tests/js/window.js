/** A browser's window on a fake clock, with the pusher-js that browsers load, and the desk that its page talks to. */

import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import vm from "node:vm"

const PUSHER = createRequire(import.meta.url).resolve("pusher-js/dist/web/pusher.js")
const script = new vm.Script(readFileSync(PUSHER, "utf8"), { filename: PUSHER })

const LATENCY_MS = 10

/** The server behind the sockets and the history: what it does is a matter of its fields. */
export class FakeDesk {
  /** Whether sockets and questions get through to it */
  hasSockets = true
  hasHistory = true
  /** What each socket is closed with once it is open: `{code, message}` */
  closing = null
  /** Whether the user is signed in */
  isSignedIn = true
  /** Channels that are refused, and channels without a response */
  forbidden = []
  unanswered = []
  /** The socket's response to realtime:missed: "nothing", "something", or none */
  recalls = "nothing"
  /** Times of connects, history requests, and realtime:missed messages */
  attempts = []
  asked = []
  askedOnLine = []
  #sockets = new Set()

  constructor(clock) {
    this.clock = clock
  }

  connect(socket) {
    this.attempts.push(this.clock.now)
    this.clock.setTimeout(() => this.#answer(socket), LATENCY_MS)
  }

  get sockets() {
    return this.#sockets.size
  }

  /** Closes every socket; with 1006 as when the line is cut, or the server killed. */
  close(code, message = "") {
    for (const socket of this.#sockets) {
      if (code >= 4000) socket.receive("pusher:error", { code, message })
      this.leave(socket)
      socket.end(code)
    }
  }

  /** Goes away with all its sockets. */
  die() {
    this.hasSockets = this.hasHistory = false
    this.close(1006)
  }

  /** Comes back. */
  rise() {
    this.hasSockets = this.hasHistory = true
  }

  /** Sends an event to all sockets. */
  broadcast(event, data) {
    for (const socket of this.#sockets) socket.receive(event, data)
  }

  /** Confirms `channel` again on all sockets: its audience has changed. */
  readmit(channel) {
    for (const socket of this.#sockets) this.#admit(socket, channel)
  }

  leave(socket) {
    this.#sockets.delete(socket)
  }

  receive(socket, { event, data }) {
    if (event === "pusher:subscribe") this.#admit(socket, data.channel)
    if (event === "pusher:ping") socket.receive("pusher:pong", {})
    if (event === "realtime:missed") this.#recall(socket, data)
  }

  history = async () => {
    this.asked.push(this.clock.now)
    await new Promise((resolve) => this.clock.setTimeout(resolve, LATENCY_MS))
    if (!this.hasHistory) throw new TypeError("Failed to fetch")
    if (!this.isSignedIn) throw Object.assign(new Error("Sign in."), { status: 401 })
    return { events: [], cursor: `${this.clock.now}`, reset: false }
  }

  #recall(socket, { id }) {
    this.askedOnLine.push(this.clock.now)
    if (!this.recalls) return
    const cursor = this.recalls === "nothing" ? `${this.clock.now}` : null
    this.clock.setTimeout(() => socket.receive("realtime:missed", { id, cursor }), LATENCY_MS)
  }

  #admit(socket, channel) {
    const error = { type: "AuthError", error: "You may not subscribe to this channel.", status: 403 }
    if (this.unanswered.includes(channel)) return
    if (this.forbidden.includes(channel)) socket.receive("pusher:subscription_error", error, channel)
    else socket.receive("pusher_internal:subscription_succeeded", {}, channel)
  }

  #answer(socket) {
    if (socket.readyState !== 0) return
    if (!this.hasSockets) return socket.fail()
    socket.open()
    this.#sockets.add(socket)
    if (this.closing) return this.close(this.closing.code, this.closing.message)
    socket.receive("pusher:connection_established", { socket_id: "1.1", activity_timeout: 30 })
  }
}

class FakeWebSocket {
  readyState = 0
  #desk

  constructor(desk) {
    this.#desk = desk
    desk.connect(this)
  }

  send(text) {
    const { event, data } = JSON.parse(text)
    if (this.readyState === 1) this.#desk.receive(this, { event, data })
  }

  close() {
    if (this.readyState === 3) return
    this.#desk.leave(this)
    this.#desk.clock.setTimeout(() => this.end(1005), 0)
  }

  // What the other side does

  open() {
    this.readyState = 1
    this.onopen?.({})
  }

  receive(event, data, channel) {
    const message = { event, data: JSON.stringify(data), ...(channel && { channel }) }
    this.onmessage?.({ data: JSON.stringify(message) })
  }

  fail() {
    this.onerror?.({ type: "error" })
    this.end(1006)
  }

  end(code) {
    if (this.readyState === 3) return
    this.readyState = 3
    this.onclose?.({ code, reason: "", wasClean: code !== 1006 })
  }
}

/** A window of its own for each page, with a pusher-js of its own in it. */
export class FakeWindow extends EventTarget {
  document = Object.assign(new EventTarget(), { hidden: false, body: {}, location: { protocol: "https:" } })

  constructor(clock, desk) {
    super()
    this.clock = clock
    this.Date = clock.Date
    this.performance = clock.performance
    this.Pusher = browserPusher(this, FakeWebSocket.bind(null, desk))
  }

  random() {
    return this.clock.random()
  }

  setTimeout = (act, ms) => this.clock.setTimeout(act, ms)
  clearTimeout = (id) => this.clock.clearTimeout(id)

  /** Is looked away from, or looked at. */
  hide(hidden) {
    this.document.hidden = hidden
    this.document.dispatchEvent(new Event("visibilitychange"))
  }
}

/** Returns a pusher-js of its own, as it runs in a browser's `window`, on sockets of this class. */
export function browserPusher(window, WebSocket) {
  const scope = vm.createContext({
    setTimeout: window.setTimeout,
    clearTimeout: window.clearTimeout,
    addEventListener: window.addEventListener.bind(window),
    removeEventListener: window.removeEventListener.bind(window),
    document: window.document,
    navigator: { onLine: true },
    localStorage: {},
    crypto,
    WebSocket,
  })
  scope.self = scope.window = scope
  vm.runInContext("Date", scope).now = window.Date.now
  script.runInContext(scope)
  return scope.Pusher
}
