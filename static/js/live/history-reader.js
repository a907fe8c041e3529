/** Reads the history of a page's channels, each from its own cursor, and retries until the server answers. */

import { randomOf } from "../lib/timers.js"

const FIRST_RETRY_MS = 1000
const MAX_RETRY_MS = 30_000
// Nothing answers: the network may be back any moment, and a request that reaches no server burdens none.
const MAX_UNREACHABLE_RETRY_MS = 5_000
const MAX_CHANNELS_PER_REQUEST = 20

const TOO_MANY_REQUESTS = 429
const UNAVAILABLE = 503

/**
 * @typedef {{event: string, channel: string, data: object}} LoggedEvent
 * @typedef {{events: LoggedEvent[], cursor: string, reset: boolean}} HistoryPage
 * @typedef {{since: string, channels: string[]}} Batch
 */

export class HistoryReader {
  #fetchHistory
  #firstCursor
  #clock
  #timers
  #onRequest
  #onRefused
  #isClosed = false
  /** @type {Map<string, string>} how far each followed channel has been read */
  #cursors = new Map()
  #pauses = new Set()
  #stopWaiting = () => {}

  /**
   * @param {object} options
   * @param {(batch: Batch) => Promise<HistoryPage>} options.fetchHistory see `EventStream`
   * @param {string} options.cursor where each channel starts
   * @param {{random?: () => number}} options.clock
   * @param {Timers} options.timers
   * @param {() => (page: HistoryPage, advance: () => void) => number} options.onRequest is called before each request;
   *   returns what applies its answer, calls `advance` after the events, and returns how many were new
   * @param {(channel: string, isSignedOut: boolean) => void} options.onRefused access to a channel has ended
   */
  constructor({ fetchHistory, cursor, clock, timers, onRequest, onRefused }) {
    this.#fetchHistory = fetchHistory
    this.#firstCursor = cursor
    this.#clock = clock
    this.#timers = timers
    this.#onRequest = onRequest
    this.#onRefused = onRefused
  }

  /** Reads `channel` too, from `cursor` on: that of the page which has what was before. */
  follow(channel, cursor = this.#firstCursor) {
    if (!this.#cursors.has(channel)) this.#cursors.set(channel, cursor)
  }

  unfollow(channel) {
    return this.#cursors.delete(channel)
  }

  /** Returns the requests that read all channels: channels with the same cursor share one. */
  batches() {
    const batches = []
    for (const [channel, since] of this.#cursors) {
      const open = batches.find(
        (batch) => batch.since === since && batch.channels.length < MAX_CHANNELS_PER_REQUEST,
      )
      if (open) open.channels.push(channel)
      else batches.push({ since, channels: [channel] })
    }
    return batches
  }

  /** Reads all channels; resolves to the number of new events of each batch that was answered. */
  async read() {
    const counts = await this.#unlessClosed(this.batches().map((batch) => this.#readBatch(batch)))
    return counts.filter((count) => count !== null)
  }

  /** Moves the channels of a batch to `cursor`, except those that have been read further since. */
  advance(cursor, { since, channels }) {
    for (const channel of channels) if (this.#isAt(channel, since)) this.#cursors.set(channel, cursor)
  }

  /** Retries requests that wait after a failure; a wait that a rate limit asked for goes on. */
  retryNow() {
    this.#endPauses((pause) => pause.canBeCutShort)
  }

  /** Retries every waiting request, so that those answered by other means notice. */
  retryAll() {
    this.#endPauses(() => true)
  }

  /** Sends no further requests; pending reads resolve. */
  close() {
    this.#isClosed = true
    this.#stopWaiting()
  }

  #unlessClosed(promises) {
    return new Promise((resolve, reject) => {
      this.#stopWaiting = () => resolve([])
      Promise.all(promises).then(resolve, reject)
    })
  }

  /** Returns how many new events a batch brought, or null if no channel was left to read. */
  async #readBatch(batch) {
    let { since, channels } = batch
    let failures = 0
    for (;;) {
      channels = channels.filter((channel) => this.#isAt(channel, since))
      if (this.#isClosed || channels.length === 0) return null
      const request = { since, channels }
      const applyPage = this.#onRequest()
      try {
        const page = await this.#fetchHistory(request)
        return applyPage(page, () => this.advance(page.cursor, request))
      } catch (error) {
        const refused = refusedChannels(error, channels)
        channels = channels.filter((channel) => !refused.includes(channel))
        for (const channel of refused) this.#refuse(channel, !error?.refused)
        if (refused.length === 0) await this.#waitToRetry(error, failures++)
      }
    }
  }

  #isAt(channel, cursor) {
    return this.#cursors.has(channel) && this.#cursors.get(channel) === cursor
  }

  #refuse(channel, isSignedOut) {
    if (this.unfollow(channel)) this.#onRefused(channel, isSignedOut)
  }

  /** Waits as long as the server asks for, else for a random time: pages that failed together retry spread out. */
  #waitToRetry(error, failures) {
    const { status, retryAfter } = error ?? {}
    const isLimited = (status === TOO_MANY_REQUESTS || status === UNAVAILABLE) && retryAfter > 0
    if (isLimited) return this.#pause(retryAfter * 1000, status === UNAVAILABLE)
    const limit = status === undefined ? MAX_UNREACHABLE_RETRY_MS : MAX_RETRY_MS
    return this.#pause(randomOf(this.#clock) * Math.min(limit, FIRST_RETRY_MS * 2 ** failures), true)
  }

  #pause(ms, canBeCutShort) {
    return new Promise((resolve) => {
      const end = () => {
        this.#pauses.delete(pause)
        this.#timers.cancel(timer)
        resolve()
      }
      const timer = this.#timers.after(ms, end)
      const pause = { canBeCutShort, end }
      this.#pauses.add(pause)
    })
  }

  #endPauses(isMeant) {
    for (const pause of this.#pauses) if (isMeant(pause)) pause.end()
  }
}

/** Returns the requested channels whose access has ended: those that the answer names, or all if it names none. */
function refusedChannels(error, channels) {
  const named = channels.filter((channel) => error?.refused?.includes(channel))
  const isSignedOut = named.length === 0 && (error?.status === 401 || error?.status === 403)
  return isSignedOut ? channels : named
}
