/** Announces what this page's user is doing on a ticket: few messages, and none while they do nothing. */

const REPEAT_MS = 30_000
const TYPING_MS = 3_000
const ANSWER_MS = 500
const COMPOSING_MS = 60_000

export class OwnActivity {
  #send
  #clock
  #activity = "viewing"
  #typedAt = Number.NEGATIVE_INFINITY
  /** @type {Map<string, number>} when each event was sent last */
  #sentAt = new Map()
  #answering = null

  /**
   * @param {object} options
   * @param {(event: "viewing" | "replying" | "noting" | "typing" | "leaving") => void} options.send "typing" is for everyone who
   *   reads the ticket, the others are for staff
   * @param {{Date: {now: () => number}, setTimeout: Function}} [options.clock]
   */
  constructor({ send, clock = globalThis }) {
    this.#send = send
    this.#clock = clock
  }

  /** Takes a keystroke; a note in the making is announced as "noting" only. */
  typed({ isNote }) {
    this.#typedAt = this.#now
    if (!isNote) this.#sendAtMost("typing", TYPING_MS)
    this.#set(isNote ? "noting" : "replying")
  }

  /** The text was sent or removed. */
  stop() {
    this.#sentAt.delete("typing")
    if (this.#activity !== "viewing") this.#set("viewing")
  }

  /** The page is closed, or another one takes its place. */
  leave() {
    this.#send("leaving")
    this.#sentAt.clear()
    this.#activity = "viewing"
  }

  /** Takes a sign of life: the pointer, a key, a return to the page. */
  use() {
    this.#set(this.#isComposing ? this.#activity : "viewing")
  }

  /** Announces it anew: on a new connection. */
  announce() {
    this.#sentAt.clear()
    this.use()
  }

  /** Answers pages that may not know that this user is writing, such as one that has just been opened. */
  answer() {
    if (!this.#isComposing) return
    this.#answering ??= this.#clock.setTimeout(() => {
      this.#answering = null
      if (this.#isComposing) this.#sendAtMost(this.#activity, 0)
    }, ANSWER_MS)
  }

  get #isComposing() {
    return this.#activity !== "viewing" && this.#now - this.#typedAt < COMPOSING_MS
  }

  get #now() {
    return this.#clock.Date.now()
  }

  #set(activity) {
    const isNew = activity !== this.#activity
    this.#activity = activity
    this.#sendAtMost(activity, isNew ? 0 : REPEAT_MS)
  }

  #sendAtMost(event, period) {
    if (this.#now - (this.#sentAt.get(event) ?? Number.NEGATIVE_INFINITY) < period) return
    this.#sentAt.set(event, this.#now)
    this.#send(event)
  }
}
