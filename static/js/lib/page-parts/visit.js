/** Opens an address of the site: beside the list where the page can, else as a page of its own. */

/** Dispatches "page:visit" {address} on the document; an element that opens it there prevents the default. */
export function visit(address) {
  const event = new CustomEvent("page:visit", { cancelable: true, detail: { address } })
  if (document.dispatchEvent(event)) location.assign(address)
}
