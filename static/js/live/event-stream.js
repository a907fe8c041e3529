/** The stream of events: applies each once, in its ticket's order, and asks the history for what was missed. */

const GAP_PATIENCE_MS = 300
const FIRST_RETRY_MS = 1000
const LONGEST_RETRY_MS = 30_000
const CHANNELS_A_REQUEST = 20
const EVENTS_REMEMBERED = 5000

const TOO_MANY = 429
const BUSY = 503

const WITHDRAWN = "ticket.withdrawn"
const RESET = "stream:reset"
const REFUSED = "stream:refused"
const CAUGHT_UP = "stream:caughtup"

/**
 * @typedef {{event: string, channel: string, data: object}} LoggedEvent
 * @typedef {{events: LoggedEvent[], cursor: string, reset: boolean}} HistoryAnswer
 * @typedef {{uuid: string, seq: number, held: Map<number, {name: string, data: object}>, timer: *}} Ticket
 */

/** What one page hears of its channels, live and from the history. */
export class Stream {
  #fetchHistory
  #clock
  #firstCursor
  #closed = false
  /** @type {Map<string, string>} how far each followed channel has been read */
  #cursors = new Map()
  /** @type {Map<string, Ticket>} */
  #tickets = new Map()
  /** @type {Map<string, {id: string, heardAs: number}>} tickets that were taken from this page */
  #withdrawn = new Map()
  #known = new Set()
  #handlers = new Set()
  #outbox = []
  #telling = false
  #applied = 0
  #timers = new Set()
  #pauses = new Set()
  #running = null
  #next = null
  #giveUp = () => {}

  /**
   * Begins at `cursor`, which the page took before it was rendered; nothing is asked until `catchUp()`.
   *
   * @param {object} options
   * @param {(request: {since: string, channels: string[]}) => Promise<HistoryAnswer>} options.fetchHistory
   *   rejects with an Error that may carry `status`, `refused` (channel names, with 403) and `retryAfter`
   *   (seconds, with 429 and 503)
   * @param {string} [options.cursor]
   * @param {{setTimeout: Function, clearTimeout: Function, random?: () => number}} [options.clock]
   */
  constructor({ fetchHistory, cursor, clock = globalThis }) {
    this.#fetchHistory = fetchHistory
    this.#firstCursor = cursor
    this.#clock = clock
  }

  /** Asks the history for `channel` (its full Pusher name) too, from the page's own cursor on. */
  follow(channel) {
    if (!this.#cursors.has(channel)) this.#cursors.set(channel, this.#firstCursor)
  }

  /** Asks the history for `channel` no longer. */
  unfollow(channel) {
    this.#cursors.delete(channel)
  }

  /**
   * Takes the page's word that it shows this ticket as of `seq`; a page older than what was applied is told to renew.
   *
   * @param {string} [audience] whose sequence it is, as events name it
   * @throws {TypeError} unless `seq` is an integer
   */
  know(ticketUuid, seq, audience) {
    if (!Number.isInteger(seq)) throw new TypeError(`A ticket's seq is an integer, not ${seq}`)
    const ticket = this.#ticket(ticketUuid, seq)
    ticket.audience = audience
    const isStale = seq < ticket.seq
    ticket.seq = seq
    for (const held of ticket.held.keys()) if (held <= seq) ticket.held.delete(held)
    this.#advance(ticket)
    if (isStale) this.#tell(RESET, { reason: "gap", ticket: ticketUuid })
  }

  /** Forgets where this ticket stands and what waits for it: the page no longer shows it. */
  forget(ticketUuid) {
    const ticket = this.#tickets.get(ticketUuid)
    if (!ticket) return
    ticket.held.clear()
    this.#watch(ticket)
    this.#tickets.delete(ticketUuid)
  }

  /**
   * Calls `handler(data, name)` for every event `name`, or for all of the server's events with "*".
   *
   * @param {{tests?: boolean}} [options] `tests`: hears test events besides the real ones
   * @returns {() => void} takes the handler off
   */
  on(name, handler, { tests = false } = {}) {
    const entry = { name, handler, tests }
    this.#handlers.add(entry)
    return () => this.#handlers.delete(entry)
  }

  /** Takes one event that was told live; it is handed on once, when its turn comes. */
  receive(name, data) {
    if (this.#isMoot(data)) this.catchUp()
    else this.#take(name, data)
  }

  /** Says whether an event may be older than its ticket's withdrawal, and only have come later: the history knows. */
  #isMoot(data) {
    return isOrdered(data) && data.test !== true && this.#withdrawn.has(data.ticket.uuid)
  }

  #take(name, data) {
    if (this.#known.has(data?.event_id)) return
    if (data?.test === true) this.#rehearse(name, data)
    else if (name === WITHDRAWN) this.#withdraw(name, data)
    else if (isOrdered(data)) this.#order(name, data)
    else this.#apply(name, data)
  }

  /**
   * Asks the history for what was missed; calls made meanwhile share one further round.
   *
   * @returns {Promise<number>} events newly applied; waits out every failure, and ends early only on `close()`
   */
  catchUp() {
    if (!this.#running) return this.#begin()
    this.#next ??= this.#running.then(() => this.#begin())
    return this.#next
  }

  /**
   * Has somebody say, for less than the history costs, whether anything was missed of what is followed.
   *
   * @param {(question: {since: string, channels: string[]}) => Promise<?string>} ask resolves to the cursor to go on
   *   from if nothing was told, or to null
   * @returns {Promise<boolean>} false leaves it to the history
   */
  async recall(ask) {
    const batches = this.#batches()
    const cursors = await Promise.all(batches.map(ask))
    if (this.#closed || cursors.includes(null)) return false
    batches.forEach((batch, index) => this.#goOnFrom(cursors[index], batch))
    this.#endPauses(() => true) // of questions that have their answer by this
    this.#tell(CAUGHT_UP, { applied: 0 })
    return true
  }

  /** Asks again at once where a failure is being waited out: there is reason to think that the server is back. */
  hurry() {
    this.#endPauses(({ mayHurry }) => mayHurry)
  }

  /** Ends the stream: nothing is handed on or asked from here, and whoever waits is let go. */
  close() {
    this.#closed = true
    for (const timer of this.#timers) this.#clock.clearTimeout(timer)
    this.#timers.clear()
    this.#giveUp()
  }

  // Order

  #ticket(uuid, seq) {
    if (!this.#tickets.has(uuid)) {
      this.#tickets.set(uuid, { uuid, seq, held: new Map(), timer: null })
      this.#withdrawn.delete(uuid)
    }
    return this.#tickets.get(uuid)
  }

  #order(name, data) {
    const ticket = this.#ticket(data.ticket.uuid, data.seq - 1)
    this.#rebase(ticket, data)
    if (data.seq <= ticket.seq) return
    ticket.held.set(data.seq, { name, data })
    this.#advance(ticket)
  }

  /** Each audience counts for itself: whose audience changed begins anew at the first event of the other count. */
  #rebase(ticket, { audience, seq }) {
    if (ticket.audience && audience && ticket.audience !== audience) {
      ticket.held.clear()
      ticket.seq = seq - 1
    }
    ticket.audience = audience ?? ticket.audience
  }

  #advance(ticket) {
    while (ticket.held.has(ticket.seq + 1)) this.#release(ticket, ticket.seq + 1)
    this.#watch(ticket)
  }

  #release(ticket, seq) {
    const event = ticket.held.get(seq)
    // A handler may have forgotten the ticket, or renewed it, since the caller looked.
    if (!event) return
    ticket.held.delete(seq)
    ticket.seq = seq
    this.#apply(event.name, event.data)
  }

  #watch(ticket) {
    if (ticket.held.size === 0) {
      this.#cancel(ticket.timer)
      ticket.timer = null
    } else {
      ticket.timer ??= this.#after(GAP_PATIENCE_MS, () => this.#missed(ticket))
    }
  }

  #missed(ticket) {
    ticket.timer = null
    this.catchUp()
  }

  #withdraw(name, data) {
    const uuid = data?.ticket?.uuid
    const wasWaiting = this.#tickets.get(uuid)?.held.size > 0
    this.forget(uuid)
    this.#withdrawn.set(uuid, { id: data?.event_id, heardAs: this.#applied + 1 })
    this.#apply(name, data)
    // What waited may be younger than the withdrawal, if the ticket has come back since: the history knows.
    if (wasWaiting) this.catchUp()
  }

  #apply(name, data) {
    this.#remember(data?.event_id)
    this.#applied += 1
    this.#tell(name, data)
  }

  #rehearse(name, data) {
    this.#remember(data.event_id)
    this.#tell(name, data)
  }

  #remember(id) {
    if (!id) return
    this.#known.add(id)
    if (this.#known.size > EVENTS_REMEMBERED) this.#known.delete(this.#known.values().next().value)
  }

  // Telling

  /** Hands on one thing after the other, so that what a handler sets off is heard after what it hears now. */
  #tell(name, data) {
    this.#outbox.push({ name, data })
    if (this.#telling) return
    this.#telling = true
    try {
      while (this.#outbox.length > 0) this.#handOver(this.#outbox.shift())
    } finally {
      this.#telling = false
    }
  }

  #handOver(event) {
    for (const entry of [...this.#handlers]) {
      if (this.#closed) return
      if (this.#handlers.has(entry) && wants(entry, event)) attempt(entry.handler, event)
    }
  }

  // History

  #begin() {
    this.#next = null
    this.#running = this.#round()
    return this.#running
  }

  async #round() {
    const gaps = this.#gaps()
    try {
      const answers = await this.#unlessClosed(this.#batches().map((batch) => this.#ask(batch)))
      const counts = answers.filter((count) => count !== null)
      return counts.length === 0 || this.#closed ? 0 : this.#conclude(counts, gaps)
    } finally {
      if (!this.#next) this.#running = null
    }
  }

  #unlessClosed(promises) {
    return new Promise((resolve, reject) => {
      this.#giveUp = () => resolve([])
      Promise.all(promises).then(resolve, reject)
    })
  }

  /** Returns how far each ticket that waits now would be read by an answer that covers now. */
  #gaps() {
    const waiting = [...this.#tickets.values()].filter((ticket) => ticket.held.size > 0)
    return waiting.map((ticket) => ({ ticket, upTo: Math.max(...ticket.held.keys()) }))
  }

  #conclude(counts, gaps) {
    const before = this.#applied
    for (const { ticket, upTo } of gaps) this.#jump(ticket, upTo)
    const applied = counts.reduce((sum, count) => sum + count, this.#applied - before)
    this.#tell(CAUGHT_UP, { applied })
    return applied
  }

  /** Applies what waited in vain, and doubts the page's state: no history holds what came before. */
  #jump(ticket, upTo) {
    if (ticket.seq >= upTo || this.#tickets.get(ticket.uuid) !== ticket) return
    const due = [...ticket.held.keys()].filter((seq) => seq <= upTo).sort((a, b) => a - b)
    for (const seq of due) this.#release(ticket, seq)
    this.#advance(ticket)
    this.#tell(RESET, { reason: "gap", ticket: ticket.uuid })
  }

  /** Channels read equally far share a request. */
  #batches() {
    const batches = []
    for (const [channel, since] of this.#cursors) {
      const open = batches.find(
        (batch) => batch.since === since && batch.channels.length < CHANNELS_A_REQUEST,
      )
      if (open) open.channels.push(channel)
      else batches.push({ since, channels: [channel] })
    }
    return batches
  }

  /** Returns how many events a batch brought, or null when nobody was left to ask for. */
  async #ask(batch) {
    let { since, channels } = batch
    let failures = 0
    for (;;) {
      channels = channels.filter((channel) => this.#isAt(channel, since))
      if (this.#closed || channels.length === 0) return null
      const request = { since, channels }
      const appliedBefore = this.#applied
      try {
        return this.#accept(await this.#fetchHistory(request), request, appliedBefore)
      } catch (error) {
        const refused = refusedBy(error, channels)
        const isSignedOut = !error?.refused
        channels = channels.filter((channel) => !refused.includes(channel))
        for (const channel of refused) this.#refuse(channel, isSignedOut)
        if (refused.length === 0) await this.#waitOut(error, failures++)
      }
    }
  }

  #isAt(channel, cursor) {
    return this.#cursors.has(channel) && this.#cursors.get(channel) === cursor
  }

  #accept({ events, cursor, reset }, { since, channels }, appliedBefore) {
    const before = this.#applied
    events.forEach(({ event, data }, index) => {
      if (index > this.#lastMoot(events, data, appliedBefore)) this.#take(event, data)
    })
    this.#goOnFrom(cursor, { since, channels })
    const count = this.#applied - before
    if (reset) this.#tell(RESET, { reason: "log" })
    return count
  }

  #goOnFrom(cursor, { since, channels }) {
    for (const channel of channels) if (this.#isAt(channel, since)) this.#cursors.set(channel, cursor)
  }

  /** Returns the index up to which an answer tells of a time before a withdrawal heard earlier: it would undo it. */
  #lastMoot(events, data, appliedBefore) {
    const gone = this.#withdrawn.get(data?.ticket?.uuid)
    if (!gone) return -1
    const index = events.findIndex((logged) => logged.data?.event_id === gone.id)
    const isOlderAnswer = index < 0 && gone.heardAs > appliedBefore
    return isOlderAnswer ? events.length : index
  }

  #refuse(channel, isSignedOut) {
    if (this.#cursors.delete(channel)) this.#tell(REFUSED, { channel, isSignedOut })
  }

  /** Waits as long as the server asks for, or else at random: pages that failed together do not come together. */
  #waitOut(error, failures) {
    const { status, retryAfter } = error ?? {}
    const isTold = (status === TOO_MANY || status === BUSY) && retryAfter > 0
    if (isTold) return this.#pause(retryAfter * 1000, { mayHurry: status === BUSY })
    const random = this.#clock.random?.() ?? Math.random()
    const wait = random * Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures)
    return this.#pause(wait, { mayHurry: true })
  }

  // Time

  #pause(ms, { mayHurry }) {
    return new Promise((resolve) => {
      const end = () => {
        this.#pauses.delete(pause)
        this.#cancel(timer)
        resolve()
      }
      const timer = this.#after(ms, end)
      const pause = { mayHurry, end }
      this.#pauses.add(pause)
    })
  }

  #endPauses(isMeant) {
    for (const pause of this.#pauses) if (isMeant(pause)) pause.end()
  }

  #after(ms, act) {
    if (this.#closed) return null
    const timer = this.#clock.setTimeout(() => {
      this.#timers.delete(timer)
      act()
    }, ms)
    this.#timers.add(timer)
    return timer
  }

  #cancel(timer) {
    if (timer === null) return
    this.#timers.delete(timer)
    this.#clock.clearTimeout(timer)
  }
}

function isOrdered(data) {
  return Number.isInteger(data?.seq) && data.ticket?.uuid !== undefined
}

function isLocal(name) {
  return name.startsWith("stream:")
}

function wants(entry, { name, data }) {
  if (data?.test === true && !entry.tests) return false
  return entry.name === name || (entry.name === "*" && !isLocal(name))
}

function attempt(handler, { name, data }) {
  try {
    handler(data, name)
  } catch (error) {
    report(error)
  }
}

function report(error) {
  if (typeof globalThis.reportError === "function") globalThis.reportError(error)
  else console.error(error)
}

/** Returns the asked channels whose access has ended: those the answer names, or all if it names none of them. */
function refusedBy(error, channels) {
  if (error?.status !== 401 && error?.status !== 403) return []
  const named = channels.filter((channel) => error.refused?.includes(channel))
  return named.length > 0 ? named : channels
}
