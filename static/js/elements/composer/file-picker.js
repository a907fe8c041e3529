/** <file-picker data-upload data-max data-max-bytes>: uploads chosen, dropped and pasted files at once. */

import { config, csrfToken } from "../../lib/page-config.js"
import { fill } from "../../lib/template.js"

/** Shows the files that the form will send, each with progress, error and a remove button. */
class FilePicker extends HTMLElement {
  #uploads = new Map()

  connectedCallback() {
    this.#input.addEventListener("change", () => this.#choose())
    this.#form.addEventListener("paste", (event) => this.#add(event, event.clipboardData.files))
    this.#form.addEventListener("dragover", (event) => this.#onDragover(event))
    this.#form.addEventListener("dragleave", () => this.#form.classList.remove("is-dropping"))
    this.#form.addEventListener("drop", (event) => this.#add(event, event.dataTransfer.files))
    this.#form.addEventListener("submit", (event) => this.#delaySubmit(event), { capture: true })
    this.#form.addEventListener("live-form:failed", ({ detail }) => this.#rename(detail.copies))
    for (const item of this.#list.children) this.#addRemoveButton(item)
  }

  /** The uploaded files that the form will send: [{id, filename, size}]. */
  get kept() {
    return [...this.#list.children].filter((item) => item.file?.id).map((item) => item.file)
  }

  /** Shows files that were uploaded before a reload. */
  restore(files) {
    for (const file of files) this.#show(this.#newItem(file), "done")
  }

  /** Shows these uploaded files in place of those that are here; files that are being uploaded stay. */
  replace(files) {
    const ids = files.map(({ id }) => id)
    this.forget(this.kept.map(({ id }) => id).filter((id) => !ids.includes(id)))
    const here = this.kept.map(({ id }) => id)
    this.restore(files.filter(({ id }) => !here.includes(id)))
  }

  /** Removes files that were sent, by id. */
  forget(ids) {
    for (const item of [...this.#list.children]) if (ids.includes(item.file?.id)) item.remove()
    this.#changed()
  }

  get #input() {
    return this.querySelector("input[type=file]")
  }

  get #list() {
    return this.querySelector(".file-list")
  }

  get #form() {
    return this.closest("form")
  }

  #choose() {
    for (const file of this.#input.files) this.#addFile(file)
    this.#input.value = ""
  }

  #add(event, files) {
    this.#form.classList.remove("is-dropping")
    if (files.length === 0) return
    event.preventDefault()
    for (const file of files) this.#addFile(file)
  }

  #onDragover(event) {
    if (!event.dataTransfer.types.includes("Files")) return
    event.preventDefault()
    this.#form.classList.add("is-dropping")
  }

  /** Delays the submit until all uploads are done; a failed upload cancels it. */
  #delaySubmit(event) {
    if (this.#uploads.size === 0) return
    event.preventDefault()
    event.stopImmediatePropagation()
    const { submitter } = event
    Promise.allSettled(this.#uploads.values()).then((ends) => {
      if (ends.every(({ status }) => status === "fulfilled")) this.#form.requestSubmit(submitter)
    })
  }

  #addFile(file) {
    const item = this.#newItem({ filename: file.name, size: file.size })
    const problem = this.#problemWith(file)
    if (problem) this.#fail(item, problem)
    else this.#upload(item, file)
  }

  #problemWith(file) {
    const counted = [...this.#list.children].filter((item) => item.dataset.state !== "failed")
    if (counted.length > Number(this.dataset.max)) return config.texts.too_many_files
    return file.size > Number(this.dataset.maxBytes) ? config.texts.file_too_large : ""
  }

  #upload(item, file) {
    this.#show(item, "uploading")
    const sending = send(this.dataset.upload, file, (share) => this.#progress(item, share))
    item.abort = sending.abort
    const end = sending.answer.then(
      (attachment) => this.#onUploaded(item, attachment),
      (problem) => {
        this.#fail(item, problem.message, problem.isFinal ? null : () => this.#upload(item, file))
        throw problem
      },
    )
    this.#uploads.set(item, end)
    end.catch(() => {}).finally(() => this.#uploads.delete(item))
  }

  #progress(item, share) {
    item.querySelector("progress").value = share * 100
  }

  #onUploaded(item, { id, filename, size }) {
    item.file = { id, filename, size }
    this.#show(item, "done")
    this.#changed()
  }

  #fail(item, problem, again = null) {
    this.#show(item, "failed", problem)
    const retry = item.querySelector(".file-item-retry")
    retry.hidden = !again
    retry.onclick = again
  }

  #newItem(file) {
    const item = this.querySelector("template").content.firstElementChild.cloneNode(true)
    item.file = { ...file }
    this.#list.append(item)
    this.#addRemoveButton(item)
    return item
  }

  #show(item, state, problem = "") {
    fill(item, { ...item.file, state, problem })
    const box = item.querySelector("input")
    box.disabled = state !== "done"
    box.hidden = true
    item.querySelector("progress").hidden = state !== "uploading"
    item.querySelector(".file-item-retry").hidden = true
    this.#list.hidden = false
  }

  /** Replaces the checkbox, which works without scripts, with a button. */
  #addRemoveButton(item) {
    const box = item.querySelector("input")
    item.file ??= renderedFile(item, box)
    box.hidden = true
    const remove = item.querySelector(".file-item-remove")
    remove.hidden = false
    remove.addEventListener("click", () => this.#remove(item))
  }

  /** Replaces files that an earlier message has taken by their copies: {old id: new id}. */
  #rename(copies) {
    for (const item of this.#list.children) {
      const id = copies[item.file?.id]
      if (!id) continue
      item.file.id = id
      item.querySelector("input").value = id
    }
    if (Object.keys(copies).length > 0) this.#changed()
  }

  #remove(item) {
    item.abort?.()
    if (item.file.id) post(`${this.dataset.upload}${item.file.id}/discard/`)
    item.remove()
    this.#changed()
    this.#input.focus()
  }

  #changed() {
    this.#list.hidden = this.#list.children.length === 0
    this.dispatchEvent(new CustomEvent("file-picker:changed", { bubbles: true }))
  }
}

/** Returns the file that the server rendered. */
function renderedFile(item, box) {
  const size = Number(item.querySelector("file-size").getAttribute("bytes"))
  return { id: box.value, filename: box.nextElementSibling.textContent, size }
}

/** Uploads a file with XMLHttpRequest, as fetch has no progress. Rejects with an Error that is final if the server refused the file. */
function send(address, file, onProgress) {
  const request = new XMLHttpRequest()
  const body = new FormData()
  body.append("file", file)
  const answer = new Promise((resolve, reject) => {
    request.upload.addEventListener("progress", ({ loaded, total }) => onProgress(total ? loaded / total : 0))
    request.addEventListener("load", () => settle(request, resolve, reject))
    for (const name of ["error", "timeout"]) {
      request.addEventListener(name, () => reject(new Error(config.texts.upload_failed)))
    }
    request.addEventListener("abort", () => resolve({}))
  })
  request.open("POST", address)
  request.setRequestHeader("X-CSRFToken", csrfToken())
  request.responseType = "json"
  request.send(body)
  return { answer, abort: () => request.abort() }
}

function settle({ status, response }, resolve, reject) {
  if (status === 201) return resolve(response.attachment)
  const words = response?.errors?.file?.join(" ")
  return reject(
    Object.assign(new Error(words ?? config.texts.upload_failed), {
      isFinal: Boolean(words) && status !== 429,
    }),
  )
}

function post(address) {
  return fetch(address, { method: "POST", headers: { "X-CSRFToken": csrfToken() }, keepalive: true }).catch(
    () => {},
  )
}

customElements.define("file-picker", FilePicker)
