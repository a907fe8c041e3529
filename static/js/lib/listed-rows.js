/** The rows that the server lists now, for lists in which only the server knows where a ticket belongs. */

import { listAddress } from "./page-parts/list-place.js"

/** Returns the rows of the page as it would be if it was loaded now. */
export async function fetchListedRows() {
  const response = await fetch(listAddress() ?? location.href, { redirect: "manual" })
  if (!response.ok) throw new Error(response.statusText)
  const page = new DOMParser().parseFromString(await response.text(), "text/html")
  return [...page.getElementById("ticket-rows").children]
}

/**
 * Inserts rows before the next one of those that are shown, as listed.
 *
 * @param {HTMLElement} place holds the rows that are shown
 * @param {HTMLElement[]} listed
 * @param {(row: HTMLElement) => boolean} isNew whether to insert a row; if it is shown already, it is replaced
 * @param {(row: HTMLElement) => HTMLElement} adopt prepares a row before it is inserted
 */
export function insertListedRows(place, listed, isNew, adopt) {
  let next = null
  for (const row of [...listed].reverse()) {
    const shown = place.querySelector(`#${CSS.escape(row.id)}`)
    if (isNew(row)) {
      const added = adopt(document.importNode(row, true))
      shown?.remove()
      place.insertBefore(added, next)
      next = added
    } else if (shown) next = shown
  }
}
