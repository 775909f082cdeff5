(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const by = (id) => document.getElementById(id);
  const panel = by("panel");

  /* What opens on demand: pieces of HTML by address, packed by workload (gzip, base64), unpacked at the first use. */
  const parts = {};
  const part = (name) => (parts[name] ??= (async () => {
    const script = all("script[data-part]").find((e) => e.dataset.part === name);
    if (!script) return {};
    const bytes = Uint8Array.from(atob(script.textContent), (letter) => letter.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
  })());
  const view = async (address) => (await part(address.replace(/^fix\./, "").split(".")[0]))[address] ?? (await part("all"))[address];

  let back = null;
  const show = async () => {
    const address = decodeURIComponent(location.hash.slice(1));
    const html = address && await view(address);
    if (!html) {
      if (panel.open) panel.close();
      const target = by(address);
      if (!target) return;
      for (let e = target; e; e = e.parentElement) if (e.tagName === "DETAILS") e.open = true;
      target.scrollIntoView();
      return;
    }
    by("view").innerHTML = html;
    for (const place of all("[data-include]", by("view"))) place.innerHTML = await view(place.dataset.include) ?? "";
    for (const place of all("[data-play]", by("view"))) playOrders(place);
    const cell = by(address)?.closest(".table td");
    if (cell) {
      cell.closest("details").open = true;
      back = cell;
    }
    if (!panel.open) panel.showModal();
    panel.scrollTop = 0;
    panel.dataset.address = address;
  };
  addEventListener("hashchange", show);
  panel.addEventListener("close", () => {
    if (location.hash.slice(1) === panel.dataset.address) history.pushState(null, "", location.pathname + location.search);
    delete panel.dataset.address;
    if (back) back.focus({ preventScroll: true });
  });
  panel.addEventListener("click", (event) => { if (event.target === panel) panel.close(); });

  /* In each table the Tab key reaches one cell; the arrow keys move on from there, and Enter opens a cell. */
  const cells = (row) => all("td[id]", row).filter((cell) => !cell.hidden);
  for (const table of all(".table table")) {
    table.setAttribute("role", "grid");
    const first = table.querySelector("td[id]");
    if (first) first.tabIndex = 0;
  }
  document.addEventListener("click", (event) => {
    const cell = event.target.closest(".table td[id]");
    if (cell) location.hash = cell.id;
  });
  document.addEventListener("keydown", (event) => {
    const cell = event.target.closest?.(".table td[id]");
    if (!cell) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      location.hash = cell.id;
      return;
    }
    const rows = all("tr[data-name]", cell.closest("table")).filter((row) => !row.hidden && cells(row).length);
    const row = rows.indexOf(cell.parentElement);
    const column = cells(cell.parentElement).indexOf(cell);
    const [down, right] = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] }[event.key] ?? [];
    const next = down === undefined ? null : cells(rows[row + down] ?? document.createElement("tr"))[column + right];
    if (!next) return;
    event.preventDefault();
    cell.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });

  /* Filters: rows by name and store, columns by deployment, tables by promise. */
  const filters = ["deployment", "store", "promise", "filter"].map(by);
  const filter = () => {
    const [deployment, store, promise, search] = filters.map((e) => e.value);
    const words = search.toLowerCase().split(/[\s,]+/).filter(Boolean);
    const fits = (row) => (!words.length || words.some((word) => row.dataset.name.toLowerCase().includes(word)))
      && (!store || !row.dataset.store || row.dataset.store === store);
    let shown = 0;
    for (const row of all(".promises tbody tr")) row.hidden = promise !== "" && row.dataset.workload !== promise;
    for (const table of all(".table")) {
      const heads = all("thead th", table);
      const only = deployment ? heads.findIndex((head) => head.firstChild.data === deployment) : 0;
      let rows = 0;
      for (const row of all("tr[data-name]", table)) {
        row.hidden = !fits(row);
        rows += !row.hidden;
      }
      for (const row of all("thead tr, tr[data-name], tfoot tr", table)) {
        [...row.children].forEach((cell, place) => { cell.hidden = only !== 0 && place !== 0 && place !== only; });
      }
      for (const group of all("tbody", table)) group.hidden = !all("tr[data-name]", group).some((row) => !row.hidden);
      table.hidden = rows === 0 || only < 0 || (promise !== "" && table.dataset.workload !== promise);
      if (!table.hidden) shown += rows;
      if (!table.hidden && (promise || words.length)) table.open = true;
    }
    by("shown").value = filters.some((e) => e.value) ? `${shown} rows` : "";
  };
  for (const e of filters) e.addEventListener("input", filter);
  const tools = document.querySelector(".tools");
  tools.hidden = false;
  tools.addEventListener("submit", (event) => event.preventDefault());

  const highlight = (item) => {
    const state = item.classList.contains("chosen") ? "" : item.dataset.state;
    for (const e of all(".tally div")) {
      e.classList.toggle("chosen", e.dataset.state === state);
      e.setAttribute("aria-pressed", String(e.dataset.state === state));
    }
    for (const td of all(".table tbody td")) td.classList.toggle("dimmed", state !== "" && !td.classList.contains(state));
    if (state) for (const table of all(".table")) table.open = table.querySelector(`td.${state}`) !== null;
  };
  for (const item of all(".tally div")) {
    item.tabIndex = 0;
    item.setAttribute("role", "button");
    item.setAttribute("aria-pressed", "false");
    item.addEventListener("click", () => highlight(item));
    item.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); highlight(item); }
    });
  }
  /* While the run goes on, the page loads itself again, except while the reader has something open or filtered. */
  const renew = document.querySelector("[data-renew]");
  if (renew) setInterval(() => {
    if (!panel.open && !filters.some((e) => e.value)) location.reload();
  }, 1000 * renew.dataset.renew);
  addEventListener("beforeprint", () => { for (const e of all("details")) e.open = true; });
  if (location.hash) show();
})();
