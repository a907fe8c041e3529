/** Which changed tickets a search finds: only the server knows. */

import { ThrottledTask } from "./throttled-task.js"

const PERIOD_MS = 2_000
const SPREAD_MS = 500
const MAX_TICKETS = 50

export class SearchMatches {
  #fetchMatches
  #onFound
  #asked = new Set()
  #ask

  /**
   * @param {object} options
   * @param {(uuids: string[]) => Promise<string[]>} options.fetchMatches asks the server which of the tickets are found
   * @param {(uuids: string[]) => void} options.onFound is called with them
   * @param {() => boolean} [options.isAllowed]
   */
  constructor({ fetchMatches, onFound, isAllowed, clock = globalThis }) {
    this.#fetchMatches = fetchMatches
    this.#onFound = onFound
    this.#ask = new ThrottledTask(() => this.#run(), {
      period: PERIOD_MS,
      spread: SPREAD_MS,
      isAllowed,
      clock,
    })
  }

  /** Asks about a ticket that has changed. */
  add(uuid) {
    this.#asked.add(uuid)
    this.#ask.request()
  }

  /** Forgets a ticket that the user may not see any more. */
  delete(uuid) {
    this.#asked.delete(uuid)
  }

  /** Forgets all tickets: the page shows another list. */
  clear() {
    this.#asked.clear()
  }

  /** Asks what had to wait, such as while the page was hidden. */
  check() {
    this.#ask.check()
  }

  async #run() {
    const uuids = [...this.#asked].slice(0, MAX_TICKETS)
    if (uuids.length === 0) return
    for (const uuid of uuids) this.#asked.delete(uuid)
    try {
      const found = await this.#fetchMatches(uuids)
      this.#onFound(found)
    } catch (error) {
      for (const uuid of uuids) this.#asked.add(uuid)
      throw error
    }
    if (this.#asked.size > 0) this.#ask.request()
  }
}
