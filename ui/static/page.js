// Clicks and keys inside the HTML that the server rendered. What needs the server goes through one bridge.
(() => {
  "use strict";
  const waiting = [];
  let trail = [];      // the citations of the turn that is read, in order
  let place = -1;      // which of them the panel shows
  let opener = null;   // what gets the focus back when the panel closes

  const send = (kind, data) => (window.dossierSend ? window.dossierSend(kind, data) : waiting.push([kind, data]));
  window.addEventListener("dossier-ready", () => { for (const [kind, data] of waiting.splice(0)) send(kind, data); });

  const root = document.documentElement;
  const spanOf = (element) => [Number(element.dataset.start), Number(element.dataset.end)];
  const keyOf = (element) => `${element.dataset.document}\n${element.dataset.start}\n${element.dataset.end}`;

  function trailOf(element) {
    const turn = element.closest(".turn");
    if (!turn) return [element];
    const from = element.closest(".evidence") ? ".evidence [data-document]" : ".said [data-document]";
    const seen = new Set();
    return [...turn.querySelectorAll(from)].filter((item) => !seen.has(keyOf(item)) && seen.add(keyOf(item)));
  }

  function show(element) {
    const same = trail.filter((item) => item.dataset.document === element.dataset.document);
    const [start, end] = spanOf(element);
    const label = trail.length > 1 && place >= 0 ? `${place + 1} of ${trail.length}` : "";
    document.querySelectorAll(".is-open").forEach((item) => item.classList.remove("is-open"));
    element.classList.add("is-open");
    const panel = document.querySelector("#panel section.source");
    if (panel && panel.dataset.key === `${element.dataset.document}:${start}:${end}` && panel.dataset.label === label) reveal(panel);
    else send("select", { document: element.dataset.document, start, end, also: same.map(spanOf), label });
  }

  function open(element) {
    opener = element;
    trail = trailOf(element);
    place = trail.findIndex((item) => keyOf(item) === keyOf(element));
    show(element);
  }

  function step(by) {
    if (!trail.length) return;
    place = (place + by + trail.length) % trail.length;
    show(trail[place]);
  }

  function close() {
    root.classList.remove("source-open");
    document.querySelectorAll(".is-open").forEach((item) => item.classList.remove("is-open"));
    if (opener && opener.isConnected) opener.focus({ preventScroll: true });
    opener = null;
  }

  const still = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

  function reveal(panel) {
    const arrived = !root.classList.contains("source-open");
    root.classList.add("source-open");
    const text = panel.querySelector(".text");
    const mark = panel.querySelector("mark.cited");
    if (text) {
      const to = mark ? mark.offsetTop - text.clientHeight / 3 : 0;
      text.scrollTo({ top: to, behavior: arrived || still() ? "auto" : "smooth" });
    }
    // The next frame: what was hidden a moment ago cannot take the focus yet.
    if (arrived) requestAnimationFrame(() => panel.querySelector("h2")?.focus({ preventScroll: true }));
    panel.querySelectorAll("[data-action=previous], [data-action=next]").forEach((b) => { b.disabled = trail.length < 2; });
  }

  function fill(text, ask) {
    const box = document.querySelector("#question textarea, #question input");
    if (!box) return;
    const set = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(box), "value").set;
    set.call(box, text);
    box.dispatchEvent(new Event("input", { bubbles: true }));
    box.focus();
    if (ask) setTimeout(() => document.querySelector("button#ask")?.click(), 60);
  }

  async function copy(button) {
    const words = button.textContent;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not allowed here";
    }
    setTimeout(() => { button.textContent = words; }, 1600);
  }

  function vote(button) {
    const pressed = button.getAttribute("aria-pressed") === "true";
    const value = pressed ? 0 : Number(button.dataset.vote);
    const row = button.closest(".actions");
    row.querySelectorAll("[data-action=vote]").forEach((b) => b.setAttribute("aria-pressed", String(b === button && !pressed)));
    send("like", { turn: button.dataset.turnId, vote: value });
    row.querySelector("form.comment")?.remove();
    if (value) row.append(commentForm(button.dataset.turnId, value));
  }

  function commentForm(turn, value) {
    const form = document.createElement("form");
    form.className = "comment";
    const box = Object.assign(document.createElement("input"), { type: "text", maxLength: 2000, placeholder: "Why? (optional)" });
    box.setAttribute("aria-label", "Comment on this answer");
    const keep = Object.assign(document.createElement("button"), { type: "submit", textContent: "Keep" });
    form.append(box, keep);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      send("like", { turn, vote: value, comment: box.value });
      form.textContent = "Kept, thank you.";
    });
    return form;
  }

  function filter(region) {
    const words = region.querySelector("input[type=search]").value.toLowerCase().split(/\s+/).filter(Boolean);
    const kind = region.querySelector("select").value;
    let shown = 0;
    region.querySelectorAll("table.documents tbody tr").forEach((row) => {
      row.hidden = (kind && row.dataset.kind !== kind) || !words.every((word) => row.dataset.words.includes(word));
      shown += row.hidden ? 0 : 1;
    });
    region.querySelector("[data-count]").textContent = shown === 1 ? "1 document" : `${shown} documents`;
  }

  function sort(button) {
    const head = button.closest("th");
    const rising = head.getAttribute("aria-sort") !== "ascending";
    const column = [...head.parentElement.children].indexOf(head);
    for (const other of head.parentElement.children) other.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", rising ? "ascending" : "descending");
    const body = head.closest("table").tBodies[0];
    const value = (row) => row.children[column].dataset.value;
    [...body.rows].sort((a, b) => (rising ? 1 : -1) * value(a).localeCompare(value(b))).forEach((row) => body.append(row));
  }

  function confirmRemoval(button) {
    const sheet = document.createElement("dialog");
    sheet.className = "shortcuts";
    sheet.setAttribute("aria-label", "Remove a document");
    const words = document.createElement("p");
    words.textContent = `Remove “${button.dataset.title}”? The index is built without it. The file is kept and can be brought back.`;
    const form = Object.assign(document.createElement("form"), { method: "dialog", className: "choice" });
    const keep = Object.assign(document.createElement("button"), { value: "keep", textContent: "Keep it", autofocus: true });
    const remove = Object.assign(document.createElement("button"), { value: "remove", textContent: "Remove" });
    form.append(keep, remove);
    sheet.append(Object.assign(document.createElement("h2"), { textContent: "Remove a document" }), words, form);
    sheet.addEventListener("close", () => {
      if (sheet.returnValue === "remove") send("clear", { document: button.dataset.remove });
      sheet.remove();
    });
    document.body.append(sheet);
    sheet.showModal();
  }

  const actions = {
    previous: () => step(-1),
    next: () => step(1),
    close,
    copy,
    vote,
    sort,
    report: (button) => { document.querySelector("#reports iframe").src = `dossier/report/${button.dataset.run}`; },
    edit: (button) => fill(button.dataset.question, false),
    example: (button) => fill(button.dataset.question, true),
    remove: (button) => confirmRemoval(button),
    dismiss: (button) => { button.closest(".change").hidden = true; },
    help: () => help(),
    undo: (button) => { button.disabled = true; send("undo", { key: button.dataset.key }); },
    open: (button) => { close(); send("expand", { conversation: button.dataset.conversation }); },
    delete: (button) => {
      if (button.dataset.sure) send("delete", { conversation: button.dataset.conversation });
      else { button.dataset.sure = "1"; button.textContent = "Really delete?"; }
    },
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-action], [data-document]");
    if (!button) return;
    if (button.dataset.action) actions[button.dataset.action]?.(button);
    else open(button);
  });

  // A tip stays inside the window, whichever edge its number stands at.
  function steady(event) {
    const cite = event.target.closest?.(".cite");
    if (!cite) return;
    const tip = cite.querySelector(".tip");
    const middle = cite.getBoundingClientRect();
    const half = tip.offsetWidth / 2 + 12;
    const centre = middle.left + middle.width / 2;
    const right = document.querySelector(".main.fillable").getBoundingClientRect().right;
    const shift = Math.max(half - centre, 0) + Math.min(right - half - centre, 0);
    tip.style.setProperty("--shift", `${shift}px`);
    tip.classList.toggle("below", middle.top < tip.offsetHeight + 24);
  }
  document.addEventListener("pointerover", steady);
  document.addEventListener("focusin", steady);

  document.addEventListener("input", (event) => {
    if (event.target.dataset?.action === "filter") filter(event.target.closest("#documents"));
  });

  // Files dropped anywhere are added; without this, the browser would leave the page to show them.
  const carriesFiles = (event) => [...(event.dataTransfer?.types || [])].includes("Files") && !event.target.closest?.("#add");
  document.addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    root.classList.add("dropping");
  });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) root.classList.remove("dropping"); });
  document.addEventListener("drop", (event) => {
    root.classList.remove("dropping");
    if (!carriesFiles(event)) return;
    event.preventDefault();
    const input = document.querySelector("#dropped input[type=file]");
    if (!input) return;
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });

  function help() {
    let sheet = document.querySelector("dialog.shortcuts");
    if (!sheet) {
      sheet = document.createElement("dialog");
      sheet.className = "shortcuts";
      sheet.setAttribute("aria-label", "Keyboard shortcuts");
      const rows = [["/", "go to the question"], ["Enter", "ask; while an answer is written, ask next"], ["Shift + Enter", "new line"], ["n, p", "next, previous citation"],
        ["Escape", "close the source, or stop the answer"], ["?", "these shortcuts"]];
      sheet.innerHTML = `<h2>Keyboard</h2><dl>${rows.map(([k, w]) => `<dt><kbd>${k}</kbd></dt><dd>${w}</dd>`).join("")}</dl>` +
        '<form method="dialog"><button>Close</button></form>';
      document.body.append(sheet);
    }
    if (!sheet.open) sheet.showModal();
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "Escape" && !document.querySelector("dialog[open]")) {
      if (root.classList.contains("source-open")) close();
      else document.querySelector("button#stop")?.click();
      return;
    }
    if (event.target.closest?.("input, textarea, select, [contenteditable]")) return;
    if (event.key === "?") help();
    else if (event.key === "/") box()?.focus();
    else if (event.key === "n" && root.classList.contains("source-open")) step(1);
    else if (event.key === "p" && root.classList.contains("source-open")) step(-1);
    else return;
    event.preventDefault();
  });

  // Enter while an answer is written: the question stays in its box and is asked after it.
  const box = () => document.querySelector("#question textarea, #question input");
  const writing = () => document.querySelector("#current .turn :is(.waiting, .draft)") !== null;
  let queued = false;
  function queue(next) {
    queued = next;
    document.querySelector("#queued")?.remove();
    if (!next) return;
    const note = document.createElement("p");
    note.id = "queued";
    note.setAttribute("role", "status");
    note.textContent = "Asked as soon as this answer is there.";
    document.querySelector("#question").append(note);
  }
  function askQueued(tries = 25) {
    if (!queued || !tries || writing() || !box()?.value.trim()) return queue(false);
    document.querySelector("button#ask")?.click();
    setTimeout(askQueued, 200, tries - 1); // until the answer's last event has ended, a click does nothing
  }
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.target !== box()) return;
    if (writing() && box().value.trim()) queue(true);
  }, true);

  // The panel and the turn under way are filled by the server; what follows from that happens here.
  let lastTurn = "";
  let underWay = "";
  let kept = "";
  let lastSource = "";
  function changed() {
    const panel = document.querySelector("#panel section.source");
    const source = panel ? panel.dataset.key + panel.dataset.label : "";
    if (source && source !== lastSource) reveal(panel);
    lastSource = source;
    const turn = document.querySelector("#current .turn");
    const key = turn ? turn.dataset.turn + turn.getAttribute("aria-label") : "";
    if (turn && key !== lastTurn) turn.scrollIntoView({ block: "start", behavior: still() ? "auto" : "smooth" });
    // A question that is under way when the page is left stands in the box again when it comes back (`UNDER_WAY`).
    const asked = writing() ? turn.querySelector("h2").textContent : "";
    if (asked !== underWay) sessionStorage.setItem("dossier-under-way", asked);
    if (underWay && !asked) askQueued();
    underWay = asked;
    // An answer that is seen is kept: the address names its conversation at once, whenever the page is left.
    const now = turn?.dataset.kept || "";
    if (now && now !== kept) remember(now);
    kept = now;
    lastTurn = key;
  }

  function remember(id) {
    const address = new URL(location.href);
    if (id) address.searchParams.set("c", id); else address.searchParams.delete("c");
    history.replaceState(null, "", address);
  }

  window.dossier = { remember };
  new MutationObserver(changed).observe(document, { childList: true, subtree: true });
})();
