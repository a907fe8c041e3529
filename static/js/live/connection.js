/** The line to the server: Echo on pusher-js, which retries by itself, and the retries that it leaves to us. */

import { isAskedBack, pauseAfter } from "./close-codes.js"

const SPREAD_MS = 3_000
const STRIKES = 5
const STRIKES_WITHIN_MS = 60_000
const ANSWER_MS = 3_000
const MISSED = "realtime:missed"

/**
 * @typedef {object} Ears
 * @property {(name: string, data: object) => void} heard an event came
 * @property {(channel: string) => void} admitted the server lets this page hear a channel, perhaps once more
 * @property {(channel: string) => void} refused it does not, or no longer
 * @property {() => void} broken there is no connection
 * @property {(closing: {code: number, message: string}) => void} barred the server wants none, for a while or for good
 */

export class Line {
  #echo
  #ears
  #world
  #closing = { code: 0, message: "" }
  #strikes = []
  #isHangingUp = false
  #questions = 0
  #timer = null

  /**
   * @param {object} echo which is connecting already
   * @param {Ears} ears
   * @param {Window} [world] timers, and the time
   */
  constructor(echo, ears, world = globalThis) {
    this.#echo = echo
    this.#ears = ears
    this.#world = world
    this.#connection.bind("state_change", ({ current }) => this.#changed(current))
    // A second before its state changes: until it tries again, pusher-js counts a broken connection as connected.
    this.#connection.bind("connecting_in", () => this.#ears.broken())
    this.#connection.bind("error", (error) => this.#failed(error))
  }

  /** Subscribes to `channel` (its full Pusher name), on this connection and on each later one. */
  follow(channel) {
    this.#echo
      .private(withoutType(channel))
      .listenToAll((name, data) => this.#ears.heard(name.replace(/^\./, ""), data))
      .subscribed(() => this.#ears.admitted(channel))
      .error((problem) => problem?.status === 403 && this.#ears.refused(channel))
  }

  /** Subscribes to `channel` no longer. */
  leave(channel) {
    this.#echo.leave(withoutType(channel))
  }

  /**
   * Asks the server, which knows it without its database, whether anything was told on `channels` since a cursor.
   *
   * @returns {Promise<?string>} the cursor to go on from if nothing was; null if something was, or nobody answers
   */
  recall({ since, channels }) {
    const id = String(++this.#questions)
    return new Promise((resolve) => {
      const end = (cursor) => {
        this.#world.clearTimeout(timer)
        this.#pusher.unbind(MISSED, hear)
        resolve(cursor)
      }
      const hear = (answer) => answer.id === id && end(answer.cursor)
      const timer = this.#world.setTimeout(() => end(null), ANSWER_MS)
      this.#pusher.bind(MISSED, hear)
      this.#pusher.send_event(MISSED, { id, since, channels })
    })
  }

  /** Connects anew within three seconds, at random: pages that come back together do not arrive together. */
  connectAnew() {
    // While it has no connection, pusher-js would not wait: it too hears that the network is back.
    if (this.#connection.state !== "connected") this.#hangUp()
    this.#connectIn(this.#random * SPREAD_MS)
  }

  /** Ends for good. */
  close() {
    this.#world.clearTimeout(this.#timer)
    this.#hangUp()
  }

  get #pusher() {
    return this.#echo.connector.pusher
  }

  get #connection() {
    return this.#pusher.connection
  }

  get #random() {
    return this.#world.random?.() ?? Math.random()
  }

  #changed(current) {
    if (current === "connected") this.#barIfOverdue()
    else this.#ears.broken()
    if (current === "disconnected" && !this.#isHangingUp) this.#bar()
  }

  /** An error of a single message is of type "PusherError"; one that a close comes with, of "WebSocketError". */
  #failed({ type, data, error }) {
    const { code, message } = data ?? error?.data ?? {}
    if (!code) return
    // A server says why in a message; the close that follows often has no words.
    this.#closing = { code, message: message || (code === this.#closing.code ? this.#closing.message : "") }
    if (type === "WebSocketError" && isAskedBack(code)) this.#strike()
  }

  /** pusher-js does as it is asked and comes back, at once or each second; we stop what would go on for ever. */
  #strike() {
    this.#strikes.push(this.#world.Date.now())
    // After a connection pusher-js has two timers for its return, and one of them cannot be stopped.
    if (this.#connection.state !== "connected") this.#barIfOverdue()
  }

  #barIfOverdue() {
    const since = this.#world.Date.now() - STRIKES_WITHIN_MS
    this.#strikes = this.#strikes.filter((moment) => moment > since)
    // pusher-js is told once it is done with what it is doing.
    if (this.#strikes.length >= STRIKES) queueMicrotask(() => this.#bar())
  }

  #bar() {
    this.#strikes = []
    this.#hangUp()
    this.#connectIn(pauseAfter(this.#closing.code, this.#random))
    this.#ears.barred(this.#closing)
  }

  #connectIn(ms) {
    this.#world.clearTimeout(this.#timer)
    this.#timer = this.#world.setTimeout(() => this.#reconnect(), ms)
  }

  #reconnect() {
    this.#hangUp()
    this.#connection.connect()
  }

  #hangUp() {
    this.#isHangingUp = true
    this.#connection.disconnect()
    this.#isHangingUp = false
  }
}

function withoutType(channel) {
  return channel.replace(/^private-/, "")
}
