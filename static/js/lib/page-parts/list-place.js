/** Which list the page shows: its address, which is not the page's own while a ticket of the list is open beside it. */

export const LIST_PATH = "/tickets/"

let address = location.pathname === LIST_PATH ? location.href : (history.state?.list ?? null)

/** Returns the address of the list, or null if the page shows none. */
export function listAddress() {
  return address
}

export function setListAddress(url) {
  address = new URL(url, location.href).href
}

/** Calls `task` with the list of this page, and with one that is added later. */
export function whenListed(task) {
  const list = document.querySelector("ticket-list")
  if (list) task(list)
  document.addEventListener("ticket-list:added", ({ target }) => task(target))
}
