/**
 * <relative-time datetime>: how long ago, in the page's language; the title has the exact time. With data-exact="" the text
 * is this time too, with "short" without the year.
 */

import { config } from "../lib/page-config.js"
import { correctClock, serverNow } from "../lib/server-clock.js"

const REFRESH_MS = 30_000
const UNITS = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
]

const language = document.documentElement.lang || "en"
const short = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" })
const long = new Intl.RelativeTimeFormat(language, { numeric: "auto" })
const exact = new Intl.DateTimeFormat(language, {
  dateStyle: "medium",
  timeStyle: "short",
  timeZone: config.time_zone || undefined,
})

const exactShort = new Intl.DateTimeFormat(language, {
  month: "short",
  day: "numeric",
  hour: "numeric",
  minute: "2-digit",
  timeZone: config.time_zone || undefined,
})

if (config.now) correctClock(Date.parse(config.now))

class RelativeTime extends HTMLElement {
  static observedAttributes = ["datetime"]

  connectedCallback() {
    shown.add(this)
    this.show()
  }

  disconnectedCallback() {
    shown.delete(this)
  }

  attributeChangedCallback() {
    if (this.isConnected) this.show()
  }

  /** Updates the text: how long ago, or the exact time, for paper. */
  show(isExact = false) {
    const moment = new Date(this.getAttribute("datetime"))
    if (Number.isNaN(moment.getTime())) return
    this.title = exact.format(moment)
    if (this.dataset.exact === "short") this.textContent = exactShort.format(moment)
    else if (isExact || this.dataset.exact === "") this.textContent = this.title
    else this.textContent = relativeText((moment.getTime() - serverNow()) / 1000)
  }
}

function relativeText(seconds) {
  // What was written a moment ago is not in the future because two servers disagree.
  if (seconds > 0 && seconds < 60) return long.format(0, "second")
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", Infinity]
  const value = Math.trunc(seconds / size) || 0
  if (unit !== "hour" && unit !== "minute") return long.format(value, unit)
  const text = short.format(value, unit)
  // English abbreviates without a period: "57 min ago", "1 h ago".
  return language.startsWith("en") ? text.replace(".", "").replace(/\bhr\b/, "h") : text
}

const shown = new Set()

function showAll(isExact = false) {
  for (const element of shown) element.show(isExact)
}

setInterval(() => showAll(), REFRESH_MS)
document.addEventListener("visibilitychange", () => document.hidden || showAll())
addEventListener("beforeprint", () => showAll(true))
addEventListener("afterprint", () => showAll())
customElements.define("relative-time", RelativeTime)
