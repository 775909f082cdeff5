/* Walks through the orders that the page contains. Nothing is judged here: each order's end comes with its verdict. */
const playOrders = (root) => {
  const { moments, ends, shown } = JSON.parse(root.querySelector("[data-orders]").textContent);
  const find = (selector, at = root) => at.querySelector(selector);
  const every = (selector) => [...root.querySelectorAll(selector)];
  let order = "", showing = 0;
  const along = (path) => [...path].reduce((moment, who) => moments[moment.next[who]], moments[0]);
  const draw = (said) => {
    const moment = along(order);
    for (const [who, side] of Object.entries(moment.sides)) {
      const section = find(`[data-side="${who}"]`);
      for (const line of section.querySelectorAll("[data-line]")) line.classList.toggle("now", Number(line.dataset.line) === side.line);
      find("[aria-current]", section)?.removeAttribute("aria-current");
      find(".now", section)?.setAttribute("aria-current", "step");
      const has = Object.entries(side.variables ?? {}).map(([name, value]) => `${name} = ${value}`).join(", ");
      find("[data-now]", section).textContent = side.waits ? `${who} waits until the other one lets it go on`
        : side.line ? `next: line ${side.line}${has && `; it has ${has}`}` : `has ended, and was told ${side.told}`;
      find("button", section).disabled = moment.next?.[who] === undefined;
    }
    for (const [name, value] of Object.entries(moment.values)) find(`[data-value="${name}"]`).textContent = value;
    let path = "";
    find("[data-trail]").replaceChildren(...[...order].map((who) => {
      const chip = document.createElement("span");
      chip.className = who;
      chip.textContent = `${who}${along(path).sides[who].line}`;
      path += who;
      return chip;
    }));
    const end = find("[data-end]");
    end.hidden = moment.end === undefined;
    end.innerHTML = end.hidden ? "" : ends[moment.end];
    find('[data-do="back"]').disabled = !order;
    find("[data-said]").textContent = said ?? "";
  };
  const go = (who) => {
    const before = along(order).sides[who].line;
    order += who;
    const { sides, end } = along(order);
    const text = find(`[data-line="${before}"] code`).textContent.trim();
    draw(`${who} took line ${before}: ${text}${sides[who].waits ? ", and waits" : ""}${end === undefined ? "" : ". Both have ended; the verdict is below."}`);
  };
  const stop = () => { clearInterval(showing); showing = 0; };
  const moves = {
    back: () => { order = order.slice(0, -1); draw(); },
    anew: () => { order = ""; draw(); },
    show: () => {
      order = "";
      draw();
      showing = setInterval(() => {
        if (order === shown || !root.isConnected) stop(); else go(shown[order.length]);
      }, 600);
    },
  };
  for (const button of every("[data-step]")) button.addEventListener("click", () => { stop(); go(button.dataset.step); });
  for (const button of every("[data-do]")) button.addEventListener("click", () => { stop(); moves[button.dataset.do](); });
  draw();
};
