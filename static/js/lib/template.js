/** Fills the server's own partials with data: text as text, and only the server's sanitised HTML as markup. */

/** Returns a filled copy of the one element in `<template id>`. */
export function clone(id, data) {
  const template = document.getElementById(id)
  const element = template.content.firstElementChild.cloneNode(true)
  return fill(element, data)
}

/** Fills `root` and what is in it, by data-text, data-html, data-set, data-if, data-unless and data-each; returns it. */
export function fill(root, data) {
  for (const [attribute, write] of WRITERS) {
    const selector = `[${attribute}]`
    const found = [...root.querySelectorAll(selector)]
    if (root.matches(selector)) found.push(root)
    for (const element of found) write(element, element.getAttribute(attribute), data)
  }
  return root
}

/** Returns the value at a dotted path, or undefined where the path leads nowhere. */
export function look(data, path) {
  return path.split(".").reduce((value, key) => value?.[key], data)
}

const WRITERS = [
  ["data-text", writeText],
  ["data-html", writeHtml],
  ["data-set", writeAttributes],
  ["data-if", (element, path, data) => toggle(element, !look(data, path))],
  ["data-unless", (element, path, data) => toggle(element, Boolean(look(data, path)))],
  ["data-each", writeList],
]

function writeText(element, path, data) {
  const value = look(data, path)
  if (value !== undefined) element.textContent = value ?? ""
}

/** The one place where markup is inserted: it was rendered and sanitised on the server. */
function writeHtml(element, path, data) {
  const value = look(data, path)
  if (typeof value === "string") element.innerHTML = value
}

function writeAttributes(element, pairs, data) {
  for (const pair of pairs.trim().split(/\s+/)) {
    const [name, path] = pair.split("=")
    const value = look(data, path)
    if (value === null) element.removeAttribute(name)
    else if (value !== undefined && isSafe(name, value)) element.setAttribute(name, String(value))
  }
}

/** data-each="files=file": one copy of `<template id="file">` for each of `data.files`; hidden while there is none. */
function writeList(element, pair, data) {
  const [path, id] = pair.split("=")
  const items = look(data, path)
  if (!Array.isArray(items)) return
  element.replaceChildren(...items.map((item) => clone(id, item)))
  element.hidden = items.length === 0
}

/** Addresses come from our own server, and stay on it. */
function isSafe(name, value) {
  return (name !== "href" && name !== "src") || /^\/(?!\/)/.test(value)
}

function toggle(element, hidden) {
  element.hidden = hidden
}
