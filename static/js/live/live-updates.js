/**
 * Live updates of a page: the connection, the history that replaces it, and the state machine between them.
 *
 * docs/architecture.md has the diagram. States and what leads to them:
 *
 * - "connecting": the page was just loaded.
 * - "connected": all channels are subscribed and missed events are read. From every state but "ended".
 * - "reconnecting": no connection, and the history has not answered (yet). From "connecting" and "connected" when the
 *   connection is lost or closed or no history answers; from the states below after 15 s without a history answer.
 * - "polling": no connection; the history answers every 5 s. From "reconnecting" at its first answer.
 * - "refused", "off", "busy", "crowded": like "polling", but the server closed the connection with `closeReason`
 *   and pusher-js does not retry; `Connection` reconnects after 1 to 30 minutes.
 * - "ended": the user is signed out: the history answers 401, or the server refuses the user's own channel. Until
 *   `resume()`, when the same user is signed in again.
 */

import { randomOf } from "../lib/timers.js"
import { SIGNED_OUT, unavailableState } from "./close-codes.js"
import { Connection } from "./connection.js"
import { EventStream } from "./event-stream.js"
import { PageLifecycle } from "./page-lifecycle.js"

const POLL_MS = 5_000
const REFRESH_MS = 300_000
const HISTORY_TIMEOUT_MS = 15_000
const POLL_SPREAD_MS = 500
const RECONNECT_GRACE_MS = 1_000
const OWN_CHANGE_TIMEOUT_MS = 1_000

/**
 * Dispatches "state" {state}, "reset" {reason: "audience", channel} when the user's audience of a channel changed, and
 * "refused" {channel} when access to a channel has ended.
 */
export class LiveUpdates extends EventTarget {
  state = "connecting"
  /** @type {?{code: number, message: string}} why the server closed the connection, while it does */
  closeReason = null
  stream
  #config
  #world
  #connection
  #lifecycle
  #channels = new Set()
  #subscribed = new Set()
  /** The channels that this page followed until the user was signed out. */
  #ended = new Set()
  #mayRetrySignedOut = true
  #historyAnsweredAt = 0
  #wasUnreachable = false
  #historyAskedAt = 0
  #eventReceivedAt = 0
  #isPollScheduled = false
  #announced = ""

  /**
   * @param {object} page
   * @param {{user: string, channels: string[], cursor: string}} page.config
   * @param {object} page.echo
   * @param {EventTarget} page.attempts see `watchAttempts`
   * @param {Function} page.fetchHistory
   * @param {Window} [page.world] timers, time and page events
   */
  constructor({ config, echo, attempts, fetchHistory, world = globalThis }) {
    super()
    this.#config = config
    this.#world = world
    this.stream = new EventStream({ fetchHistory, cursor: config.cursor, clock: world })
    this.#connection = new Connection(echo, attempts, this.#connectionHandlers(), world)
    const handlers = {
      onTick: () => this.#tick(),
      onOffline: () => this.#onOffline(),
      onWake: () => this.#wake(),
      onVisible: () => this.#pollNow(),
    }
    this.#lifecycle = new PageLifecycle(handlers, world)
    // The user's own channel first: its refusal means signed out, which explains the refusal of all others.
    for (const channel of config.channels) this.follow(channel)
  }

  start() {
    this.stream.on("*", (data) => data?.event_id && this.#onEvent(), { tests: true })
    this.stream.on("stream:caughtup", () => this.#onHistoryAnswer())
    this.stream.on("stream:refused", ({ channel, isSignedOut }) => {
      if (isSignedOut) this.#end()
      else this.#onRefused(channel)
    })
    this.#historyAskedAt = this.#world.Date.now()
    this.#lifecycle.start()
  }

  /**
   * Receives the events of `channel` (its full Pusher name), live and from the history.
   *
   * @param {string} [cursor] that of a page which came later than this one, from which the channel is read
   */
  follow(channel, cursor) {
    if (this.#channels.has(channel)) return
    this.#channels.add(channel)
    this.stream.follow(channel, cursor)
    this.#connection.subscribe(channel)
  }

  /** Receives no more events of `channel`. */
  unfollow(channel) {
    if (this.#channels.has(channel)) this.#leave(channel)
    this.#ended.delete(channel)
    if (this.state !== "ended") this.#connectIfSubscribed()
  }

  /**
   * Joins a presence channel (its full Pusher name), which has no history.
   *
   * @param {PresenceHandlers} handlers
   */
  join(channel, handlers) {
    this.#connection.join(channel, handlers)
  }

  /** Leaves a presence channel. */
  leave(channel) {
    this.#connection.leave(channel)
  }

  /** Sends a client event ("client-...") to the other subscribers of `channel`; it is lost without a connection. */
  sendClientEvent(channel, name) {
    this.#connection.sendClientEvent(channel, name)
  }

  /** Goes on after the end: the user of this page is signed in again. */
  resume() {
    if (this.state !== "ended") return
    this.state = "reconnecting"
    this.#mayRetrySignedOut = true
    this.closeReason = null
    for (const channel of this.#ended) this.follow(channel)
    this.#ended.clear()
    this.#setState("reconnecting")
    this.#connection.reconnectSoon()
    this.#pollNow()
  }

  /** Reads the history soon unless an event has come since `moment` (performance.now()): for the user's own changes. */
  expectEvent(moment) {
    const wait = this.state === "connected" ? OWN_CHANGE_TIMEOUT_MS : 0
    this.#world.setTimeout(() => this.#eventReceivedAt < moment && this.#poll(), wait)
  }

  // Connection

  #connectionHandlers() {
    return {
      onEvent: (name, data) => this.stream.receive(name, data),
      onSubscribed: (channel) => this.#onSubscribed(channel),
      onRefused: (channel) => this.#onRefused(channel),
      onLost: () => this.#onLost(),
      onClosed: (reason) => this.#onClosed(reason),
    }
  }

  /** Most connections are back within a second; after that pages start to poll, spread over the poll interval. */
  #onLost() {
    this.#subscribed.clear()
    if (this.state !== "connected") return
    this.#setState("reconnecting")
    const wait = RECONNECT_GRACE_MS + this.#random * (POLL_MS - RECONNECT_GRACE_MS)
    this.#historyAskedAt = this.#world.Date.now() + wait - POLL_MS
  }

  #onClosed(reason) {
    const isRenewal = reason.code === SIGNED_OUT && this.#mayRetrySignedOut
    if (!isRenewal) this.closeReason = reason
    if (!this.#isOnHistory) this.#setState("reconnecting")
    this.#pollSoon()
    if (isRenewal) this.#reconnectIfSignedIn()
  }

  get #isOnHistory() {
    return this.state !== "connecting" && this.state !== "connected"
  }

  /** Renewing a session closes its sockets too: if the history still answers, this page reconnects. */
  async #reconnectIfSignedIn() {
    this.#mayRetrySignedOut = false
    await this.#pollNow()
    if (this.state !== "ended") this.#connection.reconnectSoon()
  }

  #onSubscribed(channel) {
    const isAgain = this.#subscribed.has(channel)
    this.#subscribed.add(channel)
    // A second confirmation on one connection means that the user's audience of the channel has changed.
    if (isAgain) this.#dispatch("reset", { reason: "audience", channel })
    this.#connectIfSubscribed()
  }

  #onRefused(channel) {
    if (this.state === "ended" || !this.#channels.has(channel)) return
    if (channel === `private-user.${this.#config.user}`) return this.#end()
    this.#leave(channel)
    this.#ended.delete(channel)
    this.#dispatch("refused", { channel })
    this.#connectIfSubscribed()
  }

  #leave(channel) {
    this.#channels.delete(channel)
    this.#ended.add(channel)
    this.#subscribed.delete(channel)
    this.stream.unfollow(channel)
    this.#connection.unsubscribe(channel)
  }

  get #isSubscribed() {
    return this.#subscribed.size >= this.#channels.size
  }

  async #connectIfSubscribed() {
    if (!this.#isSubscribed) return
    await this.#readMissed()
    if (!this.#isSubscribed) return
    this.closeReason = null
    this.#mayRetrySignedOut = true
    this.#setState("connected")
  }

  /** Mostly nothing was missed, and the server knows that without the history. */
  async #readMissed() {
    const isUpToDate = await this.stream.checkMissed((question) => this.#connection.checkMissed(question))
    if (!isUpToDate && this.#isSubscribed) await this.#pollNow()
  }

  #end() {
    for (const channel of this.#channels) this.#leave(channel)
    this.#setState("ended")
    this.#connection.close()
  }

  // History

  #poll() {
    this.#historyAskedAt = this.#world.Date.now()
    return this.stream.catchUp()
  }

  #pollNow() {
    this.stream.retryNow()
    return this.#poll()
  }

  #pollSoon() {
    if (this.#isPollScheduled) return
    this.#isPollScheduled = true
    this.#world.setTimeout(() => {
      this.#isPollScheduled = false
      this.#pollNow()
    }, this.#random * POLL_SPREAD_MS)
  }

  get #random() {
    return randomOf(this.#world)
  }

  #onEvent() {
    this.#eventReceivedAt = this.#world.performance.now()
  }

  #onHistoryAnswer() {
    this.#historyAnsweredAt = this.#world.Date.now()
    // The server is back, and pusher-js would wait for up to a minute.
    if (this.#wasUnreachable && !this.#isSubscribed && !this.closeReason) this.#connection.reconnectSoon()
    this.#wasUnreachable = false
    if (!this.#isOnHistory || this.#isSubscribed) return
    this.#setState(this.closeReason ? unavailableState(this.closeReason) : "polling")
  }

  // Page lifecycle

  #tick() {
    const interval = this.state === "connected" ? REFRESH_MS : POLL_MS
    if (
      this.state === "ended" ||
      this.#world.document.hidden ||
      !this.#isOver(interval, this.#historyAskedAt)
    )
      return
    const isSilent = this.state === "connecting" || this.#isOver(HISTORY_TIMEOUT_MS, this.#historyAnsweredAt)
    if (this.state !== "connected" && isSilent) {
      this.#wasUnreachable = true
      this.#setState("reconnecting")
    }
    this.#poll()
  }

  /** The browser knows at once; the socket would notice within eight seconds. */
  #onOffline() {
    if (this.state === "connected" || this.state === "polling") this.#setState("reconnecting")
  }

  /** After sleep or a network change the socket may be dead without a close. */
  #wake() {
    if (this.state === "ended") return
    this.#pollSoon()
    // Where the server closed the connection, the delay of `Connection` stays.
    if (!this.closeReason) this.#connection.reconnectSoon()
  }

  #isOver(ms, since) {
    return this.#world.Date.now() - since >= ms
  }

  #setState(state) {
    const announcement = `${state} ${this.closeReason?.code ?? ""}`
    if (this.#announced === announcement || this.state === "ended") return
    this.#announced = announcement
    this.state = state
    this.#dispatch("state", { state })
  }

  #dispatch(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }))
  }
}
