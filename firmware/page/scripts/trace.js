// SPDX-License-Identifier: Apache-2.0
// The last seconds of one number or one class, as a line or a ribbon.
import { COLUMNS } from "./raster.js";

export class Trace {
  // `range`: [lowest, highest], or null to follow the values; `classes`: how many, 0 for a number.
  constructor(canvas, range, classes) {
    this.context = canvas.getContext("2d");
    this.classes = classes;
    this.range = range;
    this.values = new Float32Array(COLUMNS);
    this.valid = new Uint8Array(COLUMNS);
    this.fit();
    new ResizeObserver(() => this.fit()).observe(canvas);
  }

  // As many pixels as the screen has.
  fit() {
    const { canvas } = this.context;
    canvas.width = Math.max(1, Math.round(canvas.clientWidth * devicePixelRatio));
    canvas.height = Math.max(1, Math.round(canvas.clientHeight * devicePixelRatio));
    this.stale = true;
  }

  push(value, valid) {
    this.values.copyWithin(0, 1);
    this.valid.copyWithin(0, 1);
    this.values[COLUMNS - 1] = value;
    this.valid[COLUMNS - 1] = valid ? 1 : 0;
    this.stale = true;
  }

  clear() {
    this.valid.fill(0);
    this.stale = true;
  }

  // `ink`: colour of the line, `hues`: those of classes.
  draw(ink, hues) {
    if (!this.stale) return;
    this.stale = false;
    const { context } = this;
    const { width, height } = context.canvas;
    context.clearRect(0, 0, width, height);
    if (this.classes > 0) this.ribbon(width, height, hues);
    else this.line(width, height, ink);
  }

  ribbon(width, height, hues) {
    for (let start = 0, end; start < COLUMNS; start = end) {
      end = start + 1;
      const same = (n) => this.values[n] === this.values[start] && this.valid[n] === this.valid[start];
      while (end < COLUMNS && same(end)) end++;
      if (!this.valid[start]) continue;
      this.context.fillStyle = hues[this.values[start] % hues.length];
      this.context.fillRect((start / COLUMNS) * width, height * 0.2, ((end - start) / COLUMNS) * width, height * 0.6);
    }
  }

  line(width, height, ink) {
    const [low, high] = this.range ?? this.extremes();
    const { context } = this;
    context.strokeStyle = ink;
    context.lineWidth = 1.5 * devicePixelRatio;
    context.beginPath();
    for (let n = 0; n < COLUMNS; n++) {
      if (!this.valid[n]) continue;
      const share = Math.max(0, Math.min(1, (this.values[n] - low) / (high - low)));
      const place = [((n + 0.5) / COLUMNS) * width, height * (0.93 - 0.86 * share)];
      if (this.valid[n - 1]) context.lineTo(...place);
      else context.moveTo(...place);
    }
    context.stroke();
  }

  extremes() {
    const shown = this.values.filter((_, n) => this.valid[n]);
    const low = Math.min(...shown);
    const high = Math.max(...shown);
    return high > low ? [low, high] : [low - 1, low + 1];
  }
}
