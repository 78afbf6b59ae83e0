// SPDX-License-Identifier: Apache-2.0
// One network on the page: its work as a meter, its masks, its signals.
import { MaskRaster } from "./raster.js";
import { Trace } from "./trace.js";

export class Card {
  constructor(element, network) {
    Object.assign(this, { element, network });
    this.masks = new MaskRaster(element.querySelector(".masks canvas"), network);
    this.work = new Trace(element.querySelector(".work canvas"), [0, network.most], 0);
    this.bar = element.querySelector(".bar");
    this.macs = element.querySelector("[data-macs]");
    this.share = element.querySelector("[data-share]");
    this.signals = network.tasks.map((task, place) => {
      const row = element.querySelector(`[data-task="${place}"]`);
      const trace = new Trace(row.querySelector("canvas"), task.range, task.classes.length);
      return { task, row, trace, told: row.querySelector("[data-told]"), ...indices(network.columns, place) };
    });
    this.last = null;
  }

  // Of the frames of a beat: the last one's masks and signals are shown, and what a frame took in the mean.
  add(masks, rows) {
    const { words, columns } = this.network;
    this.masks.add(masks.subarray(-words));
    const row = rows.slice(-columns.length);
    row[row.length - 1] = meanOf(rows, columns.length);
    this.work.push(row[row.length - 1], true);
    for (const signal of this.signals) signal.trace.push(valueOf(signal, row), validOf(signal, row));
    this.last = row;
  }

  clear() {
    this.work.clear();
    for (const { trace } of this.signals) trace.clear();
    this.last = null;
  }

  // `colours` as main.js reads them from the style sheet.
  paint(colours) {
    this.masks.paint(colours.skipped, colours.active, colours.between);
    this.work.stale = true;
    for (const { trace } of this.signals) trace.stale = true;
  }

  draw(colours) {
    this.masks.draw();
    this.work.draw(colours.ink, colours.hues);
    for (const { trace } of this.signals) trace.draw(colours.ink, colours.hues);
  }

  // The newest frame in words: some times a second, since nobody reads faster.
  tell() {
    const { last, network } = this;
    if (!last) return;
    const [active, macs] = last.slice(-2);
    const channels = network.blocks * network.gated;
    this.macs.textContent = macs.toLocaleString("en");
    this.bar.style.setProperty("--share", macs / network.most);
    this.bar.setAttribute("aria-valuenow", macs);
    this.share.textContent = `${active} of ${channels} channels work`;
    for (const signal of this.signals) {
      const valid = validOf(signal, last);
      signal.row.classList.toggle("invalid", !valid);
      signal.told.textContent = valid ? worded(signal.task, valueOf(signal, last), last[signal.decision]) : "–";
    }
  }
}

// Of the last column, the MACs.
function meanOf(rows, columns) {
  let sum = 0;
  for (let n = columns - 1; n < rows.length; n += columns) sum += rows[n];
  return Math.round((sum * columns) / rows.length);
}

// Where a task's words are in a row: its value or first score, its decision and its flag, −1 where it has none.
function indices(columns, place) {
  const find = (...kinds) => columns.findIndex(({ task, kind }) => task === place && kinds.includes(kind));
  const value = find("score", "value");
  return { value, scale: 2 ** -columns[value].q, decision: find("decision"), flag: find("flag") };
}

function validOf({ flag }, row) {
  return flag < 0 || row[flag] === 1;
}

// What a trace shows: the class of several, else the number.
function valueOf({ task, value, scale, decision }, row) {
  return task.classes.length > 0 ? row[decision] : row[value] * scale;
}

function worded(task, value, decision) {
  if (task.classes.length > 0) return task.classes[decision];
  if (task.kind === "binary") return ["no", "yes"][decision];
  const digits = task.unit === "Hz" ? 0 : task.unit === "MOS" ? 2 : 1;
  return `${value.toFixed(digits).replace("-", "−")} ${task.unit}`;
}
