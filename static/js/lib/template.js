/** Fills the server's HTML templates with data: text as text, and only the server's sanitised HTML as markup. */

/** Returns a filled copy of the element in `<template id>`. */
export function clone(id, data) {
  const template = document.getElementById(id)
  const element = template.content.firstElementChild.cloneNode(true)
  return fill(element, data)
}

/** Fills `root` and its descendants by data-text, data-html, data-set, data-if, data-unless and data-each; returns it. */
export function fill(root, data) {
  for (const [attribute, write] of WRITERS)
    writeAll(root, attribute, (element, path) => write(element, path, data))
  return root
}

/** Fills an element that is shown already: what `data` does not name stays as it is. */
export function update(root, data) {
  for (const [attribute, write] of WRITERS)
    writeAll(root, attribute, (element, path) => {
      if (!TOGGLES.has(attribute) || path.split(".")[0] in data) write(element, path, data)
    })
  return root
}

/**
 * Adds to an element what the server leaves out of it: the attributes and elements of the one in `<template id>`.
 * Children correspond by tag and first class, in the same order.
 */
export function complete(element, id) {
  addMissing(element, document.getElementById(id).content.firstElementChild)
  return element
}

function addMissing(element, model) {
  for (const { name, value } of model.attributes)
    if (name !== "hidden" && !element.hasAttribute(name)) element.setAttribute(name, value)
  let next = element.firstElementChild
  for (const child of model.children) {
    if (next?.localName === child.localName && next.classList[0] === child.classList[0]) {
      addMissing(next, child)
      next = next.nextElementSibling
    } else element.insertBefore(child.cloneNode(true), next)
  }
}

function writeAll(root, attribute, write) {
  const selector = `[${attribute}]`
  const found = [...root.querySelectorAll(selector)]
  if (root.matches(selector)) found.push(root)
  for (const element of found) write(element, element.getAttribute(attribute))
}

/** Returns the value at a dotted path, or undefined. */
export function valueAt(data, path) {
  return path.split(".").reduce((value, key) => value?.[key], data)
}

const WRITERS = [
  ["data-text", writeText],
  ["data-html", writeHtml],
  ["data-set", writeAttributes],
  ["data-if", (element, path, data) => toggle(element, !valueAt(data, path))],
  ["data-unless", (element, path, data) => toggle(element, Boolean(valueAt(data, path)))],
  ["data-each", writeList],
]

const TOGGLES = new Set(["data-if", "data-unless"])

function writeText(element, path, data) {
  const value = valueAt(data, path)
  if (value !== undefined) element.textContent = value ?? ""
}

/** The only place that inserts markup, which the server has rendered and sanitised. */
function writeHtml(element, path, data) {
  const value = valueAt(data, path)
  if (typeof value === "string") element.innerHTML = value
}

function writeAttributes(element, pairs, data) {
  for (const pair of pairs.trim().split(/\s+/)) {
    const [name, path] = pair.split("=")
    const value = valueAt(data, path)
    if (value === null) element.removeAttribute(name)
    else if (value !== undefined && isSafeAttribute(name, value)) element.setAttribute(name, String(value))
  }
}

/** data-each="files=file": a copy of `<template id="file">` for each of `data.files`; hidden if there is none. */
function writeList(element, pair, data) {
  const [path, id] = pair.split("=")
  const items = valueAt(data, path)
  if (!Array.isArray(items)) return
  element.replaceChildren(...items.map((item) => clone(id, item)))
  element.hidden = items.length === 0
}

/** Allows only URLs on this server. */
function isSafeAttribute(name, value) {
  return (name !== "href" && name !== "src") || /^\/(?!\/)/.test(value)
}

function toggle(element, hidden) {
  element.hidden = hidden
}
