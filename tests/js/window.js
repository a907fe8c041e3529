/** A fake browser window with a fake clock and the pusher-js of browsers, and a fake server. */

import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import vm from "node:vm"

const PUSHER = createRequire(import.meta.url).resolve("pusher-js/dist/web/pusher.js")
const script = new vm.Script(readFileSync(PUSHER, "utf8"), { filename: PUSHER })

const LATENCY_MS = 10

/** A server of sockets and of the history; its fields control its behaviour. */
export class FakeServer {
  /** Whether sockets and history requests reach it */
  hasSockets = true
  hasHistory = true
  /** Closes each socket after it opens: `{code, message}` */
  closing = null
  isSignedIn = true
  /** Whether the network swallows everything without a word */
  isSilent = false
  /** Channels whose subscription is denied, and those whose subscription gets no answer */
  forbidden = []
  unanswered = []
  /** The answer to "realtime:missed": "nothing", "something", or null for none */
  missed = "nothing"
  /** Times of connection attempts, history requests and "realtime:missed" questions */
  attempts = []
  historyRequests = []
  missedQuestions = []
  /** What "realtime:missed" asked for: {since, channels} */
  asked = []
  /** Channels that were unsubscribed */
  left = []
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

  /** Closes every socket; 1006 is a lost connection. */
  close(code, message = "") {
    for (const socket of this.#sockets) {
      if (code >= 4000) socket.deliver("pusher:error", { code, message })
      this.leave(socket)
      socket.end(code)
    }
  }

  /** Stops, and loses all sockets. */
  stop() {
    this.hasSockets = this.hasHistory = false
    this.close(1006)
  }

  /** Starts again. */
  start() {
    this.hasSockets = this.hasHistory = true
  }

  /** Sends an event to all sockets. */
  broadcast(event, data) {
    for (const socket of this.#sockets) socket.deliver(event, data)
  }

  /** Confirms the subscription of `channel` once more: the audience has changed. */
  confirmAgain(channel) {
    for (const socket of this.#sockets) this.#subscribe(socket, channel)
  }

  leave(socket) {
    this.#sockets.delete(socket)
  }

  receive(socket, { event, data }) {
    if (event === "pusher:subscribe") this.#subscribe(socket, data.channel)
    if (event === "pusher:unsubscribe") this.left.push(data.channel)
    if (this.isSilent) return
    if (event === "pusher:ping") socket.deliver("pusher:pong", {})
    if (event === "realtime:missed") this.#answerMissed(socket, data)
  }

  history = async () => {
    this.historyRequests.push(this.clock.now)
    await new Promise((resolve) => this.clock.setTimeout(resolve, LATENCY_MS))
    if (!this.hasHistory || this.isSilent) throw new TypeError("Failed to fetch")
    if (!this.isSignedIn) throw Object.assign(new Error("Sign in."), { status: 401 })
    return { events: [], cursor: `${this.clock.now}`, reset: false }
  }

  #answerMissed(socket, { id, since, channels }) {
    this.asked.push({ since, channels })
    this.missedQuestions.push(this.clock.now)
    if (!this.missed) return
    const cursor = this.missed === "nothing" ? `${this.clock.now}` : null
    this.clock.setTimeout(() => socket.deliver("realtime:missed", { id, cursor }), LATENCY_MS)
  }

  #subscribe(socket, channel) {
    const error = { type: "AuthError", error: "You may not subscribe to this channel.", status: 403 }
    if (this.unanswered.includes(channel)) return
    if (this.forbidden.includes(channel)) socket.deliver("pusher:subscription_error", error, channel)
    else socket.deliver("pusher_internal:subscription_succeeded", {}, channel)
  }

  #answer(socket) {
    if (socket.readyState !== 0 || this.isSilent) return
    if (!this.hasSockets) return socket.fail()
    socket.open()
    this.#sockets.add(socket)
    if (this.closing) return this.close(this.closing.code, this.closing.message)
    socket.deliver("pusher:connection_established", { socket_id: "1.1", activity_timeout: 30 })
  }
}

class FakeWebSocket extends EventTarget {
  readyState = 0
  #server

  constructor(server) {
    super()
    this.#server = server
    server.connect(this)
  }

  send(text) {
    const { event, data } = JSON.parse(text)
    if (this.readyState === 1) this.#server.receive(this, { event, data })
  }

  close() {
    if (this.readyState === 3) return
    this.#server.leave(this)
    this.#server.clock.setTimeout(() => this.end(1005), 0)
  }

  // Called by the server

  open() {
    this.readyState = 1
    this.onopen?.({})
    this.dispatchEvent(new Event("open"))
  }

  deliver(event, data, channel) {
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
    this.dispatchEvent(new Event("close"))
  }
}

/** A browser window with its own pusher-js. */
export class FakeWindow extends EventTarget {
  document = Object.assign(new EventTarget(), { hidden: false, body: {}, location: { protocol: "https:" } })

  constructor(clock, server) {
    super()
    this.clock = clock
    this.Date = clock.Date
    this.performance = clock.performance
    this.Pusher = browserPusher(this, FakeWebSocket.bind(null, server))
  }

  random() {
    return this.clock.random()
  }

  setTimeout = (callback, ms) => this.clock.setTimeout(callback, ms)
  clearTimeout = (id) => this.clock.clearTimeout(id)

  /** Hides the window, or shows it. */
  hide(hidden) {
    this.document.hidden = hidden
    this.document.dispatchEvent(new Event("visibilitychange"))
  }
}

/** Returns a new pusher-js that runs in `window` and uses this WebSocket class. */
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
