/** The connection to the server: Echo on pusher-js, plus the reconnects that pusher-js does not make by itself. */

import { randomOf } from "../lib/timers.js"
import { isRetriedByPusher, retryDelay } from "./close-codes.js"

const RECONNECT_SPREAD_MS = 3_000
const RETRY_MS = 2_000
const RETRY_SPREAD_MS = 2_000
const MAX_RETRIES = 5
const RETRY_WINDOW_MS = 60_000
const RESPONSE_TIMEOUT_MS = 3_000
const MISSED = "realtime:missed"

/**
 * @typedef {{code: number, message: string}} CloseReason
 *
 * @typedef {object} ConnectionHandlers
 * @property {(name: string, data: object) => void} onEvent
 * @property {(channel: string) => void} onSubscribed the server confirmed a subscription, possibly once more
 * @property {(channel: string) => void} onRefused the server denied or ended a subscription
 * @property {() => void} onLost there is no connection
 * @property {(reason: CloseReason) => void} onClosed the server closed the connection and pusher-js does not retry
 *
 * @typedef {object} PresenceHandlers
 * @property {(members: object[]) => void} onMembers the members, at each subscription
 * @property {(member: object) => void} onJoined
 * @property {(member: object) => void} onLeft
 * @property {(name: string, data: object) => void} onEvent an event of the channel, of a client or of the server
 */

export class Connection {
  #echo
  #handlers
  #world
  /** @type {CloseReason} */
  #closeReason = { code: 0, message: "" }
  #retries = []
  #isDisconnecting = false
  #lastQuestion = 0
  #timer = null
  #retryTimer = null

  /**
   * @param {object} echo is connecting already
   * @param {EventTarget} attempts see `watchAttempts`
   * @param {ConnectionHandlers} handlers
   * @param {Window} [world] timers and time
   */
  constructor(echo, attempts, handlers, world = globalThis) {
    this.#echo = echo
    this.#handlers = handlers
    this.#world = world
    this.#connection.bind("state_change", ({ current }) => this.#onStateChange(current))
    // pusher-js calls a broken connection "connected" until it retries, one second later.
    this.#connection.bind("connecting_in", () => this.#handlers.onLost())
    this.#connection.bind("error", (error) => this.#onError(error))
    attempts.addEventListener("failed", () => this.#retrySoon())
  }

  /** Subscribes to `channel` (its full Pusher name), on this connection and on each later one. */
  subscribe(channel) {
    this.#echo
      .private(withoutPrefix(channel))
      .listenToAll((name, data) => this.#handlers.onEvent(name.replace(/^\./, ""), data))
      .subscribed(() => this.#handlers.onSubscribed(channel))
      .error((problem) => problem?.status === 403 && this.#handlers.onRefused(channel))
  }

  /**
   * Joins the presence channel `channel` (its full Pusher name), on this connection and on each later one.
   *
   * @param {PresenceHandlers} handlers
   */
  join(channel, { onMembers, onJoined, onLeft, onEvent }) {
    this.#echo
      .join(withoutPrefix(channel))
      .listenToAll((name, data) => onEvent(name.replace(/^\./, ""), data))
      .here(onMembers)
      .joining(onJoined)
      .leaving(onLeft)
  }

  /** Sends a client event to the other subscribers of `channel`; it is lost without a connection. */
  sendClientEvent(channel, name) {
    const subscription = this.#pusher.channel(channel)
    if (subscription?.subscribed && this.#connection.state === "connected") subscription.trigger(name, {})
  }

  /** Leaves the presence channel `channel`, and not the private one of the same name. */
  leave(channel) {
    this.#echo.leaveChannel(channel)
  }

  unsubscribe(channel) {
    this.#echo.leave(withoutPrefix(channel))
  }

  /**
   * Asks the server whether events were missed on `channels` since a cursor; it answers without its database.
   *
   * @returns {Promise<?string>} the cursor to go on from if none were; null if some were, or on timeout
   */
  checkMissed({ since, channels }) {
    const id = String(++this.#lastQuestion)
    return new Promise((resolve) => {
      const end = (cursor) => {
        this.#world.clearTimeout(timer)
        this.#pusher.unbind(MISSED, onAnswer)
        resolve(cursor)
      }
      const onAnswer = (answer) => answer.id === id && end(answer.cursor)
      const timer = this.#world.setTimeout(() => end(null), RESPONSE_TIMEOUT_MS)
      this.#pusher.bind(MISSED, onAnswer)
      this.#pusher.send_event(MISSED, { id, since, channels })
    })
  }

  /** Reconnects within three seconds, at random: pages that come back together reconnect spread out. */
  reconnectSoon() {
    // Without a connection pusher-js reacts to the network's return as well, and at once.
    if (this.#connection.state !== "connected") this.#disconnect()
    this.#reconnectAfter(randomOf(this.#world) * RECONNECT_SPREAD_MS)
  }

  /** Disconnects for good. */
  close() {
    this.#world.clearTimeout(this.#timer)
    this.#disconnect()
  }

  get #pusher() {
    return this.#echo.connector.pusher
  }

  get #connection() {
    return this.#pusher.connection
  }

  #onStateChange(current) {
    if (current === "connected") this.#world.clearTimeout(this.#retryTimer)
    if (current === "connected") this.#stopIfRetriedTooOften()
    else this.#handlers.onLost()
    if (current === "disconnected" && !this.#isDisconnecting) this.#stopRetrying()
  }

  /** Retries two to four seconds after an attempt has failed, at random, for as long as pusher-js tries. */
  #retrySoon() {
    this.#world.clearTimeout(this.#retryTimer)
    if (!this.#isTrying) return
    const wait = RETRY_MS + randomOf(this.#world) * RETRY_SPREAD_MS
    this.#retryTimer = this.#world.setTimeout(() => this.#isTrying && this.#reconnect(), wait)
  }

  get #isTrying() {
    return this.#connection.state === "connecting" || this.#connection.state === "unavailable"
  }

  /** The error of a single message has the type "PusherError", that of a close "WebSocketError". */
  #onError({ type, data, error }) {
    const { code, message } = data ?? error?.data ?? {}
    if (!code) return
    // The server explains a close in a message before it; the close itself often has no text.
    const earlier = code === this.#closeReason.code ? this.#closeReason.message : ""
    this.#closeReason = { code, message: message || earlier }
    if (type === "WebSocketError" && isRetriedByPusher(code)) this.#countRetry()
  }

  /** pusher-js retries codes 41xx and 42xx without limit; after five in a minute this class takes over. */
  #countRetry() {
    this.#retries.push(this.#world.Date.now())
    // After a connection pusher-js has two retry timers, and one of them cannot be stopped.
    if (this.#connection.state !== "connected") this.#stopIfRetriedTooOften()
  }

  #stopIfRetriedTooOften() {
    const since = this.#world.Date.now() - RETRY_WINDOW_MS
    this.#retries = this.#retries.filter((moment) => moment > since)
    // Not inside a callback of pusher-js, which goes on with what it was doing.
    if (this.#retries.length >= MAX_RETRIES) queueMicrotask(() => this.#stopRetrying())
  }

  #stopRetrying() {
    this.#retries = []
    this.#disconnect()
    this.#reconnectAfter(retryDelay(this.#closeReason.code, randomOf(this.#world)))
    this.#handlers.onClosed(this.#closeReason)
  }

  #reconnectAfter(ms) {
    this.#world.clearTimeout(this.#timer)
    this.#timer = this.#world.setTimeout(() => this.#reconnect(), ms)
  }

  #reconnect() {
    this.#disconnect()
    this.#connection.connect()
  }

  #disconnect() {
    this.#isDisconnecting = true
    this.#connection.disconnect()
    this.#isDisconnecting = false
  }
}

function withoutPrefix(channel) {
  return channel.replace(/^(private|presence)-/, "")
}
