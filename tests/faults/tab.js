/** A browser tab: its window, its user's cookie, its sockets to the real server. */

import { AsyncLocalStorage } from "node:async_hooks"

import websocket from "faye-websocket"

import { at } from "../integration/clients/node/reporting.js"
import { browserPusher } from "../js/window.js"

const FIRST_RETRY_MS = 300

/** What each question was answered with, by what was asked for: "history 200". */
export const answers = {}

const tabs = new AsyncLocalStorage()
const fetchFromNowhere = globalThis.fetch
globalThis.fetch = (path, request) => tabs.getStore().fetch(path, request)

export class Tab extends EventTarget {
  document = Object.assign(new EventTarget(), { hidden: false, body: {}, location: { protocol: "http:" } })
  Date = Date
  performance = performance
  location = new URL(at("/"))
  #cookies
  #overhear
  #timers = new Set()
  #sockets = new Set()
  #isClosed = false

  /**
   * @param {string} cookies
   * @param {(text: string) => void} overhear is called with everything from the server
   */
  constructor(cookies, overhear) {
    super()
    this.#cookies = cookies
    this.#overhear = overhear
    const tab = this
    this.Pusher = browserPusher(this, function WebSocket(address) {
      return tab.#connect(address)
    })
  }

  setTimeout = (act, ms) => {
    if (this.#isClosed) return null
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      act()
    }, ms)
    this.#timers.add(timer)
    return timer
  }

  clearTimeout = (timer) => {
    this.#timers.delete(timer)
    clearTimeout(timer)
  }

  /** Does what a script of this page does: its `fetch` is this tab's. */
  run(act) {
    return tabs.run(this, act)
  }

  async fetch(path, { headers = {} } = {}) {
    const response = await this.#ask(path, headers)
    const text = await response.text()
    this.#overhear(text)
    const { status, headers: received } = response
    return new Response(text, { status, headers: received })
  }

  /** Returns the HTML of a page; retries while there is none. */
  async visit(path) {
    for (let wait = FIRST_RETRY_MS; ; wait = Math.min(2000, 2 * wait)) {
      const response = await this.fetch(path).catch(() => null)
      if (response?.ok) return await response.text()
      await new Promise((resolve) => setTimeout(resolve, wait))
    }
  }

  /** Loses its connections to the server, as a network does that goes away without a word. */
  cut() {
    for (const socket of this.#sockets) socket._stream.destroy()
  }

  /** Is gone, with everything that was under way. */
  close() {
    this.#isClosed = true
    for (const timer of this.#timers) clearTimeout(timer)
    this.cut()
  }

  async #ask(path, headers) {
    const kind = path.startsWith("/broadcasting/history") ? "history" : "page"
    try {
      const request = { headers: { ...headers, Cookie: this.#cookies }, redirect: "manual" }
      const response = await fetchFromNowhere(at(path), request)
      count(`${kind} ${response.status}`)
      return response
    } catch (error) {
      count(`${kind} failed`)
      throw error
    }
  }

  #connect(address) {
    const headers = { Cookie: this.#cookies, Origin: at("") }
    const socket = new websocket.Client(address, [], { headers })
    this.#sockets.add(socket)
    socket.on("message", ({ data }) => this.#overhear(data))
    socket.on("close", ({ code }) => {
      this.#sockets.delete(socket)
      // pusher-js tries wss where ws is slow to connect; this server has no TLS.
      const isOurs = address.startsWith("ws:")
      if (isOurs && !this.#isClosed) this.dispatchEvent(new CustomEvent("hungup", { detail: { code } }))
    })
    return socket
  }
}

function count(name) {
  answers[name] = (answers[name] ?? 0) + 1
}
