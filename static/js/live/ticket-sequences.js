/** Puts each ticket's events in the order of their sequence numbers, and notices gaps. */

const GAP_TIMEOUT_MS = 300

/**
 * @typedef {object} Sequence
 * @property {string} uuid the ticket's
 * @property {number} seq the number of the last event that was applied
 * @property {string} [audience] whose sequence it is, as events name it
 * @property {Map<number, {name: string, data: object}>} pending events that came before their turn
 * @property {*} timer runs while events are pending
 */

export class TicketSequences {
  #timers
  #apply
  #onGap
  /** @type {Map<string, Sequence>} */
  #sequences = new Map()

  /**
   * @param {object} options
   * @param {Timers} options.timers
   * @param {(name: string, data: object) => void} options.apply is given each event in its turn
   * @param {() => void} options.onGap events have been pending for 300 ms
   */
  constructor({ timers, apply, onGap }) {
    this.#timers = timers
    this.#apply = apply
    this.#onGap = onGap
  }

  /** Sets where a ticket stands; returns whether that is older than what was applied. */
  set(uuid, seq, audience) {
    const sequence = this.#get(uuid, seq)
    sequence.audience = audience
    const isOlder = seq < sequence.seq
    sequence.seq = seq
    for (const pending of sequence.pending.keys()) if (pending <= seq) sequence.pending.delete(pending)
    this.#advance(sequence)
    return isOlder
  }

  /** Returns where a ticket stands, or undefined. */
  of(uuid) {
    return this.#sequences.get(uuid)
  }

  /** Applies an event, or keeps it pending until its turn; an event that was applied before is ignored. */
  add(name, data) {
    const sequence = this.#get(data.ticket.uuid, data.seq - 1)
    this.#rebase(sequence, data)
    if (data.seq <= sequence.seq) return
    sequence.pending.set(data.seq, { name, data })
    this.#advance(sequence)
  }

  /** Drops a ticket with its pending events; returns whether there were any. */
  delete(uuid) {
    const sequence = this.#sequences.get(uuid)
    if (!sequence) return false
    const hadPending = sequence.pending.size > 0
    sequence.pending.clear()
    this.#watchForGap(sequence)
    this.#sequences.delete(uuid)
    return hadPending
  }

  /** Returns the open gaps, each with the number that a history answer requested now covers. */
  gaps() {
    const open = [...this.#sequences.values()].filter((sequence) => sequence.pending.size > 0)
    return open.map((sequence) => ({ sequence, upTo: Math.max(...sequence.pending.keys()) }))
  }

  /** Applies what is pending behind a gap that the history did not fill; returns whether it was still open. */
  skip({ sequence, upTo }) {
    if (sequence.seq >= upTo || this.#sequences.get(sequence.uuid) !== sequence) return false
    const due = [...sequence.pending.keys()].filter((seq) => seq <= upTo).sort((a, b) => a - b)
    for (const seq of due) this.#release(sequence, seq)
    this.#advance(sequence)
    return true
  }

  #get(uuid, seq) {
    if (!this.#sequences.has(uuid)) {
      this.#sequences.set(uuid, { uuid, seq, pending: new Map(), timer: null })
    }
    return this.#sequences.get(uuid)
  }

  /** Each audience has a count of its own: when the user's audience changes, the next event starts the new count. */
  #rebase(sequence, { audience, seq }) {
    if (sequence.audience && audience && sequence.audience !== audience) {
      sequence.pending.clear()
      sequence.seq = seq - 1
    }
    sequence.audience = audience ?? sequence.audience
  }

  #advance(sequence) {
    while (sequence.pending.has(sequence.seq + 1)) this.#release(sequence, sequence.seq + 1)
    this.#watchForGap(sequence)
  }

  #release(sequence, seq) {
    const event = sequence.pending.get(seq)
    // A handler may have dropped or reset the ticket since the caller looked.
    if (!event) return
    sequence.pending.delete(seq)
    sequence.seq = seq
    this.#apply(event.name, event.data)
  }

  #watchForGap(sequence) {
    if (sequence.pending.size === 0) {
      this.#timers.cancel(sequence.timer)
      sequence.timer = null
    } else {
      sequence.timer ??= this.#timers.after(GAP_TIMEOUT_MS, () => {
        sequence.timer = null
        this.#onGap()
      })
    }
  }
}
