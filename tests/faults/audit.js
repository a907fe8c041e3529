/** Keeps account of a page: what it applied and when, what came twice or was left out, and how live it was. */

export class Audit {
  renewedAt = 0
  #page
  #known = new Set()
  #seqs = new Map()
  #isConnected = false
  #leftAt = Number.POSITIVE_INFINITY
  #renewals = []
  #doubles = []
  #holes = []
  #delays = []
  #awayMs = 0
  #states = {}
  #refusals = 0
  #secrets = 0
  #catchUps = { rounds: 0, events: 0 }
  #hangUps = []
  #connects = []

  constructor(page) {
    this.#page = page
  }

  /** A page has been loaded, and begins to listen. */
  begin(live, tab, connection) {
    this.#known.clear()
    this.#seqs.clear()
    live.addEventListener("state", ({ detail }) => this.#become(detail.state))
    live.stream.on("stream:caughtup", ({ applied }) => this.#caughtUp(applied))
    tab.addEventListener("hungup", ({ detail }) => this.#hangUps.push({ at: Date.now(), code: detail.code }))
    connection.bind("connected", () => this.#connects.push(Date.now()))
  }

  know(uuid, seq) {
    this.#seqs.set(uuid, seq)
  }

  apply(name, { event_id, seq, timestamp, ticket }) {
    if (this.#known.has(event_id)) this.#doubles.push(`${name} ${event_id}`)
    this.#known.add(event_id)
    this.#delays.push(Date.now() - Date.parse(timestamp))
    if (name === "ticket.withdrawn") this.#seqs.delete(ticket.uuid)
    else this.#count(name, ticket.uuid, seq)
  }

  overhear(text, secret) {
    if (secret && text.includes(secret)) this.#secrets += 1
  }

  renew(reason) {
    this.renewedAt = Date.now()
    this.#renewals.push(reason)
    this.#become("loading")
  }

  refuse() {
    this.#refusals += 1
  }

  get isConnected() {
    return this.#isConnected
  }

  /** Returns the account so far. */
  get sum() {
    return {
      page: this.#page,
      doubles: this.#doubles,
      holes: this.#holes,
      delays: this.#delays,
      renewals: this.#renewals,
      refusals: this.#refusals,
      secrets: this.#secrets,
      states: this.#states,
      away_ms: this.#awayMs + this.#leftMs,
      rounds: this.#catchUps.rounds,
      caught_up: this.#catchUps.events,
      hang_ups: this.#hangUps,
      connects: this.#connects,
    }
  }

  /** Events of a person, such as notifications, are not in the ticket's sequence. */
  #count(name, uuid, seq) {
    if (seq === undefined) return
    const before = this.#seqs.get(uuid)
    if (before !== undefined && seq !== before + 1) this.#holes.push(`${name} ${uuid}: ${before} -> ${seq}`)
    this.#seqs.set(uuid, seq)
  }

  #caughtUp(applied) {
    if (applied === 0) return
    this.#catchUps.rounds += 1
    this.#catchUps.events += applied
  }

  #become(state) {
    this.#states[state] = (this.#states[state] ?? 0) + 1
    const was = this.#isConnected
    this.#isConnected = state === "connected"
    if (was && !this.#isConnected) this.#leftAt = Date.now()
    if (!was && this.#isConnected) {
      this.#awayMs += this.#leftMs
      this.#leftAt = Number.POSITIVE_INFINITY
    }
  }

  /** How long it has been away by now; before it was ever there, it is not away. */
  get #leftMs() {
    return Math.max(0, Date.now() - this.#leftAt)
  }
}
