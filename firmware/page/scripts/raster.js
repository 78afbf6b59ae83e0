// SPDX-License-Identifier: Apache-2.0
// Canvases over time that scroll to the left: only what is new is drawn.

export const COLUMNS = 500; // beats on a canvas: 8 s

export class Raster {
  constructor(canvas, rows) {
    canvas.width = COLUMNS;
    canvas.height = rows;
    this.rows = rows;
    this.context = canvas.getContext("2d", { alpha: false });
    this.waiting = [];
  }

  // `fill(put)`: calls put(row from the top, [red, green, blue]) for every row of the next column.
  push(fill) {
    this.waiting.push(fill);
    if (this.waiting.length > COLUMNS) this.waiting.shift();
  }

  draw() {
    const { context, rows } = this;
    const count = this.waiting.length;
    if (count === 0) return;
    context.drawImage(context.canvas, -count, 0);
    const image = context.createImageData(count, rows);
    this.waiting.forEach((fill, column) => {
      fill((row, colour) => {
        const place = 4 * (row * count + column);
        image.data[place] = colour[0];
        image.data[place + 1] = colour[1];
        image.data[place + 2] = colour[2];
        image.data[place + 3] = 255;
      });
    });
    context.putImageData(image, COLUMNS - count, 0);
    this.waiting = [];
  }

  clear(colour) {
    this.waiting = [];
    this.context.fillStyle = `rgb(${colour.join(" ")})`;
    this.context.fillRect(0, 0, COLUMNS, this.rows);
  }
}

const QUIETEST = -95; // dB, the colours' ends
const LOUDEST = -20;

// Columns of dB, [256] from 0 Hz up, in `colours`, [256] of [red, green, blue].
export class Spectrogram extends Raster {
  constructor(canvas, colours) {
    super(canvas, 256);
    this.colours = colours;
    this.clear();
  }

  add(levels) {
    this.push((put) => {
      levels.forEach((db, bin) => {
        const share = (db - QUIETEST) / (LOUDEST - QUIETEST);
        put(255 - bin, this.colours[Math.max(0, Math.min(255, Math.round(255 * share)))]);
      });
    });
  }

  clear() {
    super.clear(this.colours[0]);
  }
}

const TALLEST = 240; // rows of all blocks together

// Packed masks: a row stands for some neighbouring channels of a block, the first block on top.
export class MaskRaster extends Raster {
  constructor(canvas, { blocks, gated, words }) {
    const channels = Math.max(1, Math.ceil((blocks * gated) / TALLEST));
    const rows = Math.ceil(gated / channels);
    super(canvas, blocks * (rows + 1) - 1);
    Object.assign(this, { blocks, gated, channels, lines: rows, perBlock: words / blocks });
  }

  // Colours of a row whose channels are all skipped, of one whose channels all work, and of what lies between blocks.
  paint(skipped, active, between) {
    this.shades = Array.from({ length: this.channels + 1 }, (_, n) =>
      skipped.map((value, i) => Math.round(value + (n / this.channels) * (active[i] - value))),
    );
    this.between = between;
    this.clear(skipped);
  }

  add(masks) {
    this.push((put) => {
      for (let block = 0; block < this.blocks; block++) {
        const top = block * (this.lines + 1);
        for (let line = 0; line < this.lines; line++) put(top + line, this.shade(masks, block, line));
        if (block > 0) put(top - 1, this.between);
      }
    });
  }

  shade(masks, block, line) {
    const from = line * this.channels;
    const to = Math.min(this.gated, from + this.channels);
    let active = 0;
    for (let c = from; c < to; c++) active += (masks[block * this.perBlock + (c >> 5)] >>> (c & 31)) & 1;
    return this.shades[Math.round((active / (to - from)) * this.channels)];
  }
}
