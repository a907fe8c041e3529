/** The events of a page, live and from the history: each is applied once, in its ticket's order. */

import { Timers } from "../lib/timers.js"
import { EventDispatcher } from "./event-dispatcher.js"
import { HistoryReader } from "./history-reader.js"
import { TicketSequences } from "./ticket-sequences.js"

const MAX_REMEMBERED_EVENTS = 5000

const ACCESS_REVOKED = "ticket.withdrawn"
const RESET = "stream:reset"
const REFUSED = "stream:refused"
const CAUGHT_UP = "stream:caughtup"

/**
 * Besides the server's events it dispatches three of its own, which "*" does not include:
 *
 * - "stream:reset" {reason: "log" | "gap", ticket?}: events are lost for good, the page has to be reloaded
 * - "stream:refused" {channel, isSignedOut}: access to a channel has ended
 * - "stream:caughtup" {applied}: the history has been read; so many events were new
 */
export class EventStream {
  #timers
  #dispatcher = new EventDispatcher()
  #sequences
  #history
  #isClosed = false
  /** @type {Map<string, {id: string, position: number}>} tickets whose access was revoked, and by which event */
  #revoked = new Map()
  #knownIds = new Set()
  #applied = 0
  #running = null
  #next = null

  /**
   * Starts at `cursor`, which the server took before it rendered the page; sends no request before `catchUp()`.
   *
   * @param {object} options
   * @param {(request: {since: string, channels: string[]}) => Promise<HistoryPage>} options.fetchHistory
   *   rejects with an Error that may carry `status`, `refused` (channel names, with 403) and `retryAfter`
   *   (seconds, with 429 and 503)
   * @param {string} [options.cursor]
   * @param {{setTimeout: Function, clearTimeout: Function, random?: () => number}} [options.clock]
   */
  constructor({ fetchHistory, cursor, clock = globalThis }) {
    this.#timers = new Timers(clock)
    this.#sequences = new TicketSequences({
      timers: this.#timers,
      apply: (name, data) => this.#apply(name, data),
      onGap: () => this.catchUp(),
    })
    this.#history = new HistoryReader({
      fetchHistory,
      cursor,
      clock,
      timers: this.#timers,
      onRequest: () => this.#pageApplier(),
      onRefused: (channel, isSignedOut) => this.#dispatcher.dispatch(REFUSED, { channel, isSignedOut }),
    })
  }

  /** Includes `channel` (its full Pusher name) in the history, from `cursor` on, or the page's own. */
  follow(channel, cursor) {
    this.#history.follow(channel, cursor)
  }

  unfollow(channel) {
    this.#history.unfollow(channel)
  }

  /**
   * Sets the sequence number that the page shows of a ticket; dispatches "stream:reset" if the page is older than
   * what was applied.
   *
   * @param {string} [audience] whose sequence it is, as events name it
   * @throws {TypeError} unless `seq` is an integer
   */
  setSequence(ticketUuid, seq, audience) {
    if (!Number.isInteger(seq)) throw new TypeError(`A ticket's seq is an integer, not ${seq}`)
    this.#revoked.delete(ticketUuid)
    const isOlder = this.#sequences.set(ticketUuid, seq, audience)
    if (isOlder) this.#dispatcher.dispatch(RESET, { reason: "gap", ticket: ticketUuid })
  }

  /** Returns where a ticket stands, as {seq, audience}: its last event that was applied. Undefined if none is known. */
  sequenceOf(ticketUuid) {
    return this.#sequences.of(ticketUuid)
  }

  /** Forgets a ticket that the page no longer shows. */
  forget(ticketUuid) {
    this.#sequences.delete(ticketUuid)
  }

  /**
   * Calls `handler(data, name)` for every event `name`, or for all of the server's events with "*".
   *
   * @param {{tests?: boolean, signal?: AbortSignal}} [options] `tests`: includes test events; `signal` removes the handler
   * @returns {() => void} removes the handler
   */
  on(name, handler, options) {
    return this.#dispatcher.on(name, handler, options)
  }

  /** Takes an event from the socket. */
  receive(name, data) {
    if (this.#mayBeStale(data)) this.catchUp()
    else this.#take(name, data)
  }

  /**
   * Reads the history; calls during a running round share one further round.
   *
   * @returns {Promise<number>} how many events were new; retries every failure, and ends early only on `close()`
   */
  catchUp() {
    if (!this.#running) return this.#startRound()
    this.#next ??= this.#running.then(() => this.#startRound())
    return this.#next
  }

  /**
   * Asks a cheaper source than the history whether events were missed.
   *
   * @param {(question: {since: string, channels: string[]}) => Promise<?string>} ask resolves to the cursor to go on
   *   from if none were, or to null
   * @returns {Promise<boolean>} whether the page is up to date; if not, the history has to be read
   */
  async checkMissed(ask) {
    const batches = this.#history.batches()
    const cursors = await Promise.all(batches.map(ask))
    if (this.#isClosed || cursors.includes(null)) return false
    batches.forEach((batch, index) => this.#history.advance(cursors[index], batch))
    this.#history.retryAll() // a request that waits finds its channels read
    this.#dispatcher.dispatch(CAUGHT_UP, { applied: 0 })
    return true
  }

  /** Ends waits after failed requests: the server may be back. */
  retryNow() {
    this.#history.retryNow()
  }

  /** Ends the stream: no further events and requests; pending promises resolve. */
  close() {
    this.#isClosed = true
    this.#dispatcher.close()
    this.#timers.close()
    this.#history.close()
  }

  // Events

  /** Says whether an event may be older than the end of access to its ticket; only the history knows the order. */
  #mayBeStale(data) {
    return isOrdered(data) && data.test !== true && this.#revoked.has(data.ticket.uuid)
  }

  #take(name, data) {
    if (this.#knownIds.has(data?.event_id)) return
    if (data?.test === true) this.#applyTest(name, data)
    else if (name === ACCESS_REVOKED) this.#revoke(name, data)
    else if (isOrdered(data)) this.#order(name, data)
    else this.#apply(name, data)
  }

  #order(name, data) {
    this.#revoked.delete(data.ticket.uuid)
    this.#sequences.add(name, data)
  }

  #revoke(name, data) {
    const uuid = data?.ticket?.uuid
    const hadPending = this.#sequences.delete(uuid)
    this.#revoked.set(uuid, { id: data?.event_id, position: this.#applied + 1 })
    this.#apply(name, data)
    // Access may have been granted again: pending events may then be newer than this one.
    if (hadPending) this.catchUp()
  }

  #apply(name, data) {
    this.#remember(data?.event_id)
    this.#applied += 1
    this.#dispatcher.dispatch(name, data)
  }

  #applyTest(name, data) {
    this.#remember(data.event_id)
    this.#dispatcher.dispatch(name, data)
  }

  #remember(id) {
    if (!id) return
    this.#knownIds.add(id)
    if (this.#knownIds.size > MAX_REMEMBERED_EVENTS)
      this.#knownIds.delete(this.#knownIds.values().next().value)
  }

  // History

  #startRound() {
    this.#next = null
    this.#running = this.#round()
    return this.#running
  }

  async #round() {
    const gaps = this.#sequences.gaps()
    try {
      const counts = await this.#history.read()
      return counts.length === 0 || this.#isClosed ? 0 : this.#finishRound(counts, gaps)
    } finally {
      if (!this.#next) this.#running = null
    }
  }

  #finishRound(counts, gaps) {
    const before = this.#applied
    for (const gap of gaps) this.#skip(gap)
    const applied = counts.reduce((sum, count) => sum + count, this.#applied - before)
    this.#dispatcher.dispatch(CAUGHT_UP, { applied })
    return applied
  }

  /** No history has the events of this gap: the page may show a wrong state and has to be reloaded. */
  #skip(gap) {
    const ticket = gap.sequence.uuid
    if (this.#sequences.skip(gap)) this.#dispatcher.dispatch(RESET, { reason: "gap", ticket })
  }

  #pageApplier() {
    const appliedBeforeRequest = this.#applied
    return ({ events, reset }, advance) => {
      const before = this.#applied
      events.forEach(({ event, data }, index) => {
        if (index > this.#lastStaleIndex(events, data, appliedBeforeRequest)) this.#take(event, data)
      })
      advance()
      const count = this.#applied - before
      if (reset) this.#dispatcher.dispatch(RESET, { reason: "log" })
      return count
    }
  }

  /** Returns the index up to which an answer is older than the end of access to a ticket, which came by the socket. */
  #lastStaleIndex(events, data, appliedBeforeRequest) {
    const revocation = this.#revoked.get(data?.ticket?.uuid)
    if (!revocation) return -1
    const index = events.findIndex((logged) => logged.data?.event_id === revocation.id)
    const isOlderAnswer = index < 0 && revocation.position > appliedBeforeRequest
    return isOlderAnswer ? events.length : index
  }
}

function isOrdered(data) {
  return Number.isInteger(data?.seq) && data.ticket?.uuid !== undefined
}
