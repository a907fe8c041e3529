/** Loads a page of the site, parts of which this page then shows: as new as the events that were applied here. */

import { live } from "../../live/index.js"
import { config } from "../page-config.js"

const MAX_ATTEMPTS = 3

/**
 * Returns the parsed page, with the address it was found at and its cursor.
 *
 * @param {string} address
 * @param {AbortSignal} signal
 * @returns {Promise<{page: Document, address: string, cursor: string}>}
 * @throws {Error} if the server could not be reached, or the page is another user's or a sign-in
 */
export async function fetchFreshPage(address, signal) {
  for (let attempt = 1; ; attempt++) {
    const found = await fetchPage(address, signal)
    if (attempt === MAX_ATTEMPTS || !isOlder(found.page)) return found
  }
}

async function fetchPage(address, signal) {
  const response = await fetch(address, { headers: { Accept: "text/html" }, signal })
  if (response.status >= 500) throw new Error(response.statusText)
  const page = new DOMParser().parseFromString(await response.text(), "text/html")
  const { user, cursor } = JSON.parse(page.getElementById("live-config")?.textContent ?? "{}")
  if (user !== config.user) throw new Error("The page is not this user's.")
  if (isNewer(page)) await live.stream.catchUp() // what is on its way belongs to the rows too
  signal.throwIfAborted()
  // As a page without scripts it would report that it was read.
  for (const element of page.querySelectorAll("noscript")) element.remove()
  return { page, address: response.url, cursor }
}

const isOlder = (page) => differencesOf(page).some((difference) => difference < 0)
const isNewer = (page) => differencesOf(page).some((difference) => difference > 0)

/** How much further than the events applied here each ticket of the page is. */
function differencesOf(page) {
  return [...page.querySelectorAll("ticket-page, .ticket-row")].map(({ id, dataset }) => {
    const here = live.stream.sequenceOf(dataset.uuid ?? id.replace("ticket-", ""))
    // A row that names no audience is that of staff.
    return here && here.audience === (dataset.audience ?? "staff") ? Number(dataset.seq) - here.seq : 0
  })
}
