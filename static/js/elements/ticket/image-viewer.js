/** <image-viewer>: the images of the page, one at a time, above it; <image-link data-view data-download data-name> opens it. */

const SWIPE_PX = 48

class ImageViewer extends HTMLElement {
  /** @type {HTMLElement[]} the links to the images, in the order of the page */
  #links = []
  #place = 0
  /** @type {?PointerEvent} */
  #press = null

  connectedCallback() {
    const dialog = this.#dialog
    dialog.addEventListener("click", (event) => this.#onClick(event))
    dialog.addEventListener("keydown", (event) => this.#onKeydown(event))
    dialog.addEventListener("close", () => this.#links[this.#place]?.querySelector("a").focus())
    this.#stage.addEventListener("pointerdown", (event) => {
      this.#press = event.isPrimary ? event : null
    })
    this.#stage.addEventListener("pointerup", (event) => this.#onRelease(event))
  }

  /** @param {HTMLElement} link */
  open(link) {
    this.#links = [...document.querySelectorAll("image-link[data-view^='/']")]
    this.#dialog.showModal()
    this.#show(this.#links.indexOf(link))
  }

  get #dialog() {
    return this.querySelector("dialog")
  }

  get #stage() {
    return this.querySelector(".viewer-stage")
  }

  get #isZoomed() {
    return this.#dialog.classList.contains("is-zoomed")
  }

  #show(place) {
    this.#place = place
    const { view, download, name } = this.#links[place].dataset
    const image = this.querySelector("img")
    image.src = view
    image.alt = name
    this.querySelector("[data-name]").textContent = name
    this.querySelector("[data-save]").href = download
    this.querySelector("[data-place]").textContent = `${place + 1} / ${this.#links.length}`
    for (const button of this.querySelectorAll("[data-step]"))
      button.hidden = !this.#links[place + Number(button.dataset.step)]
    this.#zoom(false)
  }

  #step(by) {
    if (this.#links[this.#place + by]) this.#show(this.#place + by)
  }

  #zoom(isZoomed) {
    this.#dialog.classList.toggle("is-zoomed", isZoomed)
    this.querySelector("[data-zoom]").ariaPressed = String(isZoomed)
  }

  #onClick({ target }) {
    const step = target.closest("[data-step]")
    if (step) this.#step(Number(step.dataset.step))
    else if (target.closest("[data-zoom], .viewer-stage img")) this.#zoom(!this.#isZoomed)
    else if (target.closest("[data-close]") || target === this.#stage) this.#dialog.close()
  }

  #onKeydown(event) {
    const forward = getComputedStyle(this).direction === "rtl" ? -1 : 1
    const actions = {
      ArrowRight: () => this.#isZoomed || this.#step(forward),
      ArrowLeft: () => this.#isZoomed || this.#step(-forward),
      "+": () => this.#zoom(true),
      "-": () => this.#zoom(false),
    }
    event.stopPropagation() // the keys of the page
    actions[event.key]?.()
  }

  /** A swipe of a finger leads to the next image; where it is zoomed it moves the image. */
  #onRelease({ clientX, clientY, pointerType }) {
    const press = this.#press
    this.#press = null
    if (!press || pointerType === "mouse" || this.#isZoomed) return
    const [x, y] = [clientX - press.clientX, clientY - press.clientY]
    if (Math.abs(x) < SWIPE_PX || Math.abs(x) < Math.abs(y)) return
    const forward = getComputedStyle(this).direction === "rtl" ? 1 : -1
    this.#step(Math.sign(x) * forward)
  }
}

class ImageLink extends HTMLElement {
  constructor() {
    super()
    this.addEventListener("click", (event) => this.#onClick(event))
  }

  /** What arrived live is a link to a download until here. */
  connectedCallback() {
    if (!this.dataset.view) return
    const link = this.querySelector("a")
    link.href = this.dataset.view
    link.removeAttribute("download")
    this.querySelector(".attachment-name").ariaHidden = "true"
  }

  #onClick(event) {
    const viewer = document.querySelector("image-viewer")
    if (!viewer || !this.dataset.view || event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    viewer.open(this)
  }
}

customElements.define("image-viewer", ImageViewer)
customElements.define("image-link", ImageLink)
