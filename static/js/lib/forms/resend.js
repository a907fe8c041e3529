/** Sends a message again, once, when the server can be reached again, unless it was changed meanwhile. */

const RETRY_MS = 3_000
const GIVE_UP_MS = 300_000
const REACHABLE = ["connected", "polling"]

export class Resend {
  #live
  #clock
  /** The key of the last message that was sent again. */
  #usedKey = null
  #cancel = () => {}

  /**
   * @param {EventTarget & {state: string}} live dispatches "state"
   * @param {{setTimeout: Function, clearTimeout: Function}} [clock]
   */
  constructor(live, clock = globalThis) {
    this.#live = live
    this.#clock = clock
  }

  /**
   * Schedules it.
   *
   * @param {object} message
   * @param {string} message.key identifies it: sent twice, it is added once
   * @param {() => boolean} message.isUnchanged
   * @param {() => void} message.send
   * @param {() => void} message.giveUp it was not sent within five minutes
   * @returns {boolean} false if it was sent again before
   */
  schedule({ key, isUnchanged, send, giveUp }) {
    this.#cancel()
    if (key === this.#usedKey) return false
    const onState = () => {
      if (REACHABLE.includes(this.#live.state)) end(send)
    }
    const end = (action) => {
      this.#cancel()
      if (!isUnchanged()) return
      this.#usedKey = key
      action()
    }
    const timers = [
      this.#clock.setTimeout(onState, RETRY_MS),
      this.#clock.setTimeout(() => end(giveUp), GIVE_UP_MS),
    ]
    this.#live.addEventListener("state", onState)
    this.#cancel = () => {
      for (const timer of timers) this.#clock.clearTimeout(timer)
      this.#live.removeEventListener("state", onState)
      this.#cancel = () => {}
    }
    return true
  }
}
