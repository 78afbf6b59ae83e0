// SPDX-License-Identifier: Apache-2.0
"use strict";
// All players share one position; a cursor shows it on every figure over time.
const seconds = Number(document.body.dataset.seconds);
const players = [...document.querySelectorAll("audio")];
const timelines = [...document.querySelectorAll(".timeline")];
let playing = null;
let position = 0;

function show(time) {
  position = time;
  document.documentElement.style.setProperty("--position", Math.min(1, time / seconds));
  for (const timeline of timelines) timeline.querySelector(".cursor").hidden = false;
  if (!pointing) tell(time);
}

function follow() {
  if (playing === null) return;
  show(playing.currentTime);
  requestAnimationFrame(follow);
}

function share(time, from) {
  for (const other of players) {
    if (other !== from && Math.abs(other.currentTime - time) > 0.01) other.currentTime = time;
  }
}

for (const player of players) {
  player.addEventListener("play", () => {
    if (playing !== null && playing !== player) player.currentTime = playing.currentTime;
    playing = player;
    for (const other of players) if (other !== player) other.pause();
    follow();
  });
  player.addEventListener("pause", () => {
    if (playing !== player) return;
    playing = null;
    share(player.currentTime, player);
  });
  player.addEventListener("seeked", () => {
    if (playing !== null && playing !== player) return;
    show(player.currentTime);
    share(player.currentTime, player);
  });
}

// A-B-C: each button goes on with its recording from the same place; pressed again, it pauses.
const buttons = [...document.querySelectorAll(".switch button")];
buttons.forEach((button, index) => {
  const player = players[index];
  button.addEventListener("click", () => (player.paused ? player.play() : player.pause()));
  for (const event of ["play", "pause"]) {
    player.addEventListener(event, () => button.setAttribute("aria-pressed", String(!player.paused)));
  }
});

// Where a pointer is on the time axis of a timeline, in seconds; null beside it.
function timeAt(timeline, event) {
  const box = timeline.getBoundingClientRect();
  const style = getComputedStyle(document.documentElement);
  const start = Number(style.getPropertyValue("--start"));
  const end = Number(style.getPropertyValue("--end"));
  const share = ((event.clientX - box.left) / box.width - start) / (end - start);
  return share >= 0 && share <= 1 ? share * seconds : null;
}

function seek(time) {
  (playing ?? players[0]).currentTime = time;
}

for (const timeline of timelines) {
  timeline.addEventListener("click", (event) => {
    const time = timeAt(timeline, event);
    if (time !== null) seek(time);
  });
}

// The signals at one time: where a pointer is on their figure, else at the cursor.
const data = document.getElementById("signals");
const signals = data && JSON.parse(data.textContent);
const traces = document.querySelector(".traces");
let pointing = false;

function amount(value, unit) {
  const digits = Math.abs(value) < 100 ? 2 : 1;
  return `${value.toFixed(digits)} ${unit}`.replace("-", "−").trim();
}

function said(trace, value) {
  if (value === null) return "–";
  if (trace.kind === "regression") return amount(value, trace.unit);
  return trace.kind === "binary" ? ["no", "yes"][value] : trace.classes[value];
}

function estimated(trace, point) {
  const text = said(trace, (trace.decisions ?? trace.values)[point]);
  return trace.kind === "binary" ? `${text}, ${amount(trace.values[point], "")}` : text;
}

function tell(time) {
  if (!signals) return;
  // A point begins at a multiple of the step; what is stored of it may be a little less.
  const point = Math.min(signals.macs.length - 1, Math.floor(time / signals.step_s + 1e-3));
  const told = [];
  signals.traces.forEach((trace, index) => {
    const entry = document.querySelector(`[data-trace="${index}"]`);
    const estimate = estimated(trace, point);
    entry.classList.toggle("invalid", !trace.valid[point]);
    entry.querySelector("[data-estimate]").textContent = estimate;
    told.push(`${trace.name} ${trace.valid[point] ? estimate : "not valid"}`);
    if (trace.truth) entry.querySelector("[data-truth]").textContent = said(trace, trace.truth[point]);
  });
  document.querySelector("[data-active] b").textContent = signals.active[point].toLocaleString("en");
  document.querySelector("[data-macs] b").textContent = signals.macs[point].toLocaleString("en");
  const start = `${(point * signals.step_s).toFixed(3)} s`;
  document.querySelector("[data-time]").textContent = start;
  traces.setAttribute("aria-valuenow", (point * signals.step_s).toFixed(3));
  traces.setAttribute("aria-valuetext", `${start}: ${told.join(", ")}`);
}

if (traces) {
  const line = traces.querySelector(".pointer");
  const leave = () => {
    pointing = false;
    line.hidden = true;
    tell(position);
  };
  traces.addEventListener("pointerleave", leave);
  traces.addEventListener("pointermove", (event) => {
    const time = timeAt(traces, event);
    if (time === null) return leave();
    pointing = true;
    line.hidden = false;
    line.style.left = `${event.clientX - traces.getBoundingClientRect().left}px`;
    tell(time);
  });
  traces.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -signals.step_s, ArrowRight: signals.step_s, PageUp: -1, PageDown: 1, Home: -seconds, End: seconds };
    if (!(event.key in steps)) return;
    event.preventDefault();
    // From the middle of a point, so that rounding never leaves it in its neighbour.
    const point = Math.floor((position + steps[event.key]) / signals.step_s + 1e-3) + 0.5;
    const last = Math.ceil(seconds / signals.step_s) - 0.5;
    const time = Math.min(last, Math.max(0.5, point)) * signals.step_s;
    show(time);
    seek(time);
  });
  tell(0);
}

// On paper nothing can be opened.
const closed = new Set();
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details:not([open])")) {
    closed.add(details);
    details.open = true;
  }
});
addEventListener("afterprint", () => {
  for (const details of closed) details.open = false;
  closed.clear();
});
