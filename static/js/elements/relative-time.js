/** <relative-time datetime>: how long ago, in the page's language; the title has the exact time. */

import { config } from "../lib/page-config.js"

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

  /** Updates the text. */
  show() {
    const moment = new Date(this.getAttribute("datetime"))
    if (Number.isNaN(moment.getTime())) return
    this.textContent = relativeText((moment.getTime() - Date.now()) / 1000)
    this.title = exact.format(moment)
  }
}

function relativeText(seconds) {
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", Infinity]
  const value = Math.trunc(seconds / size) || 0
  if (unit !== "hour" && unit !== "minute") return long.format(value, unit)
  const text = short.format(value, unit)
  // English abbreviates without a period: "57 min ago", "1 h ago".
  return language.startsWith("en") ? text.replace(".", "").replace(/\bhr\b/, "h") : text
}

const shown = new Set()
setInterval(() => {
  for (const element of shown) element.show()
}, REFRESH_MS)
customElements.define("relative-time", RelativeTime)
