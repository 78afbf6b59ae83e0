// SPDX-License-Identifier: Apache-2.0
// Powers of overlapping windows of 512 samples, one a beat: the columns of a spectrogram.

const SIZE = 512;
const HANN = Float64Array.from({ length: SIZE }, (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / SIZE));
const COSINES = Float64Array.from({ length: SIZE / 2 }, (_, k) => Math.cos((2 * Math.PI * k) / SIZE));
const SINES = Float64Array.from({ length: SIZE / 2 }, (_, k) => -Math.sin((2 * Math.PI * k) / SIZE));
const REVERSED = Uint16Array.from({ length: SIZE }, (_, n) => {
  let bits = 0;
  for (let b = 1; b < SIZE; b *= 2) bits = 2 * bits + (n & b ? 1 : 0);
  return bits;
});
const FULL = (SIZE / 4) ** 2; // power of a full-scale sine in its bin

export class Spectrum {
  constructor() {
    this.last = new Float64Array(SIZE);
    this.real = new Float64Array(SIZE);
    this.imaginary = new Float64Array(SIZE);
  }

  // int16 [256], the next beat → dB of a full-scale sine, [256], from 0 Hz up.
  push(pcm) {
    this.last.copyWithin(0, SIZE / 2);
    for (let n = 0; n < SIZE / 2; n++) this.last[SIZE / 2 + n] = pcm[n] / 32768;
    const { real, imaginary } = this;
    for (let n = 0; n < SIZE; n++) real[REVERSED[n]] = this.last[n] * HANN[n];
    imaginary.fill(0);
    transform(real, imaginary);
    return Float32Array.from({ length: SIZE / 2 }, (_, k) =>
      10 * Math.log10((real[k] ** 2 + imaginary[k] ** 2) / FULL + 1e-14),
    );
  }
}

// Radix 2, in place, from bit-reversed order.
function transform(real, imaginary) {
  for (let half = 1; half < SIZE; half *= 2) {
    const step = SIZE / 2 / half;
    for (let start = 0; start < SIZE; start += 2 * half) {
      for (let k = 0; k < half; k++) {
        const a = start + k;
        const b = a + half;
        const c = COSINES[k * step];
        const s = SINES[k * step];
        const x = real[b] * c - imaginary[b] * s;
        const y = real[b] * s + imaginary[b] * c;
        real[b] = real[a] - x;
        imaginary[b] = imaginary[a] - y;
        real[a] += x;
        imaginary[a] += y;
      }
    }
  }
}
