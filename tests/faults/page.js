/**
 * One open page: the content of its HTML, kept up to date by the product's own modules.
 *
 * Node has no DOM: in the place of static/js/elements/ticket/ticket-page.js this does the same to a list of replies, facts and lines.
 */

import Echo from "laravel-echo"
import { timelineEntries } from "../../static/js/lib/timeline.js"
import { echoOptions } from "../../static/js/live/echo-options.js"
import { fetchHistory } from "../../static/js/live/history-api.js"
import { LiveUpdates } from "../../static/js/live/live-updates.js"
import { watchAttempts } from "../../static/js/live/socket-attempts.js"
import { Audit } from "./audit.js"
import { read, readList } from "./html.js"
import { Tab } from "./tab.js"

// As static/js/elements/ticket/ticket-page.js and page.js have them.
const SPREAD_MS = 500
const MAX_FAILURES = 4
const RENEWAL_MS = 10_000

export class Page {
  audit
  #person
  #tab
  #live
  #isRenewing = false

  /**
   * @param {{number: number, name: string, path: string, ticket: ?string, cookies: string, secret: ?string}} person
   *   who has which page open; `secret` is part of what may not come to it
   */
  constructor(person) {
    this.#person = person
    this.audit = new Audit(person.name)
  }

  /** Loads the page like a browser: its content, then its live updates. */
  async load() {
    const { cookies, path } = this.#person
    const tab = new Tab(cookies, (text) => this.audit.overhear(text, this.#person.secret))
    this.show(tab, await tab.visit(path))
  }

  /** Goes live in a tab that has this HTML. */
  show(tab, html) {
    const { ticket } = this.#person
    this.#tab = tab
    this.#isRenewing = false
    this.config = read.config(html)
    this.tickets = ticket ? { [ticket]: read.ticket(html) } : readList(html)
    tab.run(() => this.#goLive(ticket))
  }

  cut() {
    this.#tab.cut()
  }

  /** Returns what is to be seen here. */
  get model() {
    const shown = Object.entries(this.tickets).map(([uuid, { facts, replies, timeline }]) => [
      uuid,
      { facts, replies: replies && [...replies], timeline },
    ])
    return { number: this.#person.number, tickets: Object.fromEntries(shown) }
  }

  #goLive(ticket) {
    const tab = this.#tab
    const attempts = watchAttempts(tab.Pusher)
    const echo = new Echo({ ...echoOptions(this.config, tab.location, () => ""), Pusher: tab.Pusher })
    const ask = (request) => tab.run(() => fetchHistory(request))
    const live = new LiveUpdates({ config: this.config, echo, attempts, fetchHistory: ask, world: tab })
    this.#live = live
    this.audit.begin(live, tab, echo.connector.pusher.connection)
    for (const [uuid, { seq, audience }] of Object.entries(this.tickets)) this.#know(uuid, seq, audience)
    live.stream.on("*", (data, name) => this.#apply(name, data))
    live.stream.on("stream:reset", ({ reason, ticket: uuid }) => {
      if (reason === "log" || (ticket && uuid === ticket)) this.#renew(reason)
    })
    if (ticket) this.#followTicket(`private-tickets.${ticket}`)
    live.start()
  }

  #know(uuid, seq, audience) {
    this.#live.stream.setSequence(uuid, seq, audience)
    this.audit.know(uuid, seq)
  }

  #followTicket(own) {
    this.#live.addEventListener("reset", ({ detail }) => detail.channel === own && this.#renew(detail.reason))
    this.#live.addEventListener("refused", ({ detail }) => detail.channel === own && this.audit.refuse())
    this.#live.follow(own)
  }

  #renew(reason) {
    if (this.#isRenewing) return
    this.#isRenewing = true
    const wait = Math.max(0, this.audit.renewedAt + RENEWAL_MS - Date.now())
    this.#tab.setTimeout(() => {
      this.audit.renew(reason)
      this.#tab.close()
      this.#live.stream.close()
      this.load()
    }, wait)
  }

  // What the elements of the page do

  #apply(name, data) {
    if (data.ticket === undefined) return
    const { uuid } = data.ticket
    if (this.#person.ticket && uuid !== this.#person.ticket) return
    this.audit.apply(name, data)
    if (name === "ticket.withdrawn") this.#withdraw(uuid)
    else this.#change(name, data)
  }

  #withdraw(uuid) {
    if (this.#person.ticket) this.#live.stream.catchUp()
    else delete this.tickets[uuid]
  }

  #change(name, data) {
    const { subject, status, priority, updated_at, assigned_to } = data.ticket
    this.tickets[data.ticket.uuid] ??= {}
    const ticket = this.tickets[data.ticket.uuid]
    ticket.facts = { subject, status, priority, updated_at, assigned_to: assigned_to?.name ?? null }
    if (!ticket.replies) return
    ticket.timeline.push(...timelineEntries(name, data).map(({ action }) => action))
    if (name === "ticket.reply.created") this.#add(ticket, data.reply)
    if (name === "ticket.reply.deleted") ticket.replies.delete(data.reply.id)
  }

  #add(ticket, reply) {
    if (ticket.replies.has(reply.id)) return
    ticket.replies.set(reply.id, reply.message_html ?? "")
    if (reply.truncated)
      this.#tab.setTimeout(() => this.#complete(ticket, reply.id), Math.random() * SPREAD_MS)
  }

  async #complete(ticket, id, failures = 0) {
    if (!ticket.replies.has(id)) return
    try {
      const response = await this.#tab.fetch(`/tickets/${this.#person.ticket}/replies/${id}/`)
      if (!response.ok) throw new Error(response.statusText)
      const { reply } = await response.json()
      if (ticket.replies.has(id)) ticket.replies.set(id, reply.message_html)
    } catch {
      if (failures >= MAX_FAILURES) this.#renew("long")
      else this.#tab.setTimeout(() => this.#complete(ticket, id, failures + 1), 1000 * 2 ** failures)
    }
  }
}
