/** Applies filters, order and page of the list at once and without loading the page; its address follows. */

import { config } from "../lib/page-config.js"
import { LIST_PATH, listAddress, setListAddress, whenListed } from "../lib/page-parts/list-place.js"

let list = null
let loading = new AbortController()

whenListed((listing) => {
  if (list || !listing.querySelector("[data-filters]")) return
  list = listing
  document.addEventListener("formdata", dropEmptyValues)
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-filters]")) return
    event.preventDefault()
    apply(event.target)
  })
  document.addEventListener("change", ({ target }) => {
    // Words are searched for by Enter: a field that Escape empties changes twice.
    if (target.type === "search" || !target.form?.matches("[data-filters]")) return
    // A day that is being typed is one of the first century.
    if (target.validity.valid) apply(target.form)
  })
  document.addEventListener("pointerdown", ({ target }) => closeMenus(target))
  document.addEventListener("click", onClick)
  document.addEventListener("keydown", onKeydown, true)
  addEventListener("popstate", onTravel)
})

/** Also after a link within the page, such as that to its content. */
function onTravel() {
  const isOther = location.search !== new URL(listAddress()).search
  if (location.pathname === LIST_PATH && isOther) showList(location.href)
}

/** Keeps empty filters out of the list's URL. */
function dropEmptyValues({ target, formData }) {
  if (!target.matches("[data-filters]")) return
  const values = [...formData]
  for (const [name] of values) formData.delete(name)
  for (const [name, value] of values) if (value !== "") formData.append(name, value)
}

function apply(form) {
  const query = new URLSearchParams(new FormData(form))
  go(query.size > 0 ? `${form.action}?${query}` : form.action)
}

function onClick(event) {
  const link = event.target.closest?.(".tickets a[href]")
  const isPlain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
  if (!link || !isPlain || event.defaultPrevented || link.pathname !== LIST_PATH || link.hash) return
  event.preventDefault()
  go(link.href)
}

/** Dispatches "list:visited" on the document: the page shows the list, and no longer a ticket beside it. */
function go(address) {
  if (address !== location.href) history.pushState(null, "", address)
  document.dispatchEvent(new Event("list:visited"))
  showList(address)
}

/** Shows the list at an address; what cannot be shown in place, such as an error, is loaded as a page. */
export async function showList(address) {
  loading.abort()
  loading = new AbortController()
  const { signal } = loading
  list.ariaBusy = "true"
  setListAddress(address)
  list.expectPage()
  try {
    const response = await fetch(address, { headers: { Accept: "text/html" }, signal })
    if (!response.ok || response.redirected) throw new Error(response.statusText)
    const page = new DOMParser().parseFromString(await response.text(), "text/html")
    if (JSON.parse(page.getElementById("live-config").textContent).user !== config.user) throw new Error()
    if (!signal.aborted) showParts(page)
  } catch {
    if (!signal.aborted) location.assign(address)
  }
}

function showParts(page) {
  const focusAgain = rememberFocus()
  const open = [...document.querySelectorAll(".tickets details[open]")].map(({ id }) => id)
  const scrolled = document.querySelector(".filter-menu[open] > fieldset")?.scrollTop
  for (const part of document.querySelectorAll("[data-part]"))
    part.replaceWith(page.querySelector(`[data-part="${part.dataset.part}"]`))
  for (const id of open) document.getElementById(id).open = true
  for (const element of list.querySelectorAll("[data-nojs]")) element.hidden = true
  const menu = document.querySelector(".filter-menu[open] > fieldset")
  if (menu && scrolled) menu.scrollTop = scrolled
  list.showPage(page.querySelector("ticket-list"))
  list.ariaBusy = "false"
  focusAgain()
}

/** Returns a function that gives the focus to the same field or link of the new page, else to its heading. */
function rememberFocus() {
  const field = document.activeElement
  if (!field.closest("[data-part]")) return () => {}
  const typed = field.matches("input[type=text], input[type=search]") ? field.value : null
  const selection = typed === null ? [] : [field.selectionStart, field.selectionEnd]
  const sent = new URL(listAddress()).searchParams.getAll(field.name).join(" ")
  const selector = selectorOf(field)
  return () => {
    const again = document.querySelector(`.tickets ${selector}`) ?? list.querySelector("h1")
    again.focus({ preventScroll: true })
    if (typed === null || typed === sent) return
    again.value = typed // what was typed since
    again.setSelectionRange(...selection)
  }
}

function selectorOf(field) {
  const of = (name) => `[${name}="${CSS.escape(field.getAttribute(name))}"]`
  if (field.localName === "summary") return `#${field.parentElement.id} > summary`
  return ["id", "href"].filter((name) => field.hasAttribute(name)).map(of)[0] ?? of("name") + of("value")
}

function closeMenus(target) {
  for (const menu of list.querySelectorAll(".filter-menu[open]"))
    if (!menu.contains(target)) menu.open = false
}

/** Escape closes a menu and leaves the focus on its button. */
function onKeydown(event) {
  const menu = event.key === "Escape" && event.target.closest?.(".filter-menu[open]")
  if (!menu) return
  event.preventDefault()
  menu.open = false
  menu.querySelector("summary").focus()
}
