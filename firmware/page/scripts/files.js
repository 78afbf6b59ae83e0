// SPDX-License-Identifier: Apache-2.0
// Files out of the page: WAV of samples, CSV of signals as `dyncp enhance` writes it. And files into it.
import { RATE } from "./framing.js";

// 16 bit, mono, 16 kHz.
export function wav(pcm) {
  const bytes = new ArrayBuffer(44 + 2 * pcm.length);
  const view = new DataView(bytes);
  const text = (place, word) => [...word].forEach((c, n) => view.setUint8(place + n, c.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + 2 * pcm.length, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // channels
  view.setUint32(24, RATE, true);
  view.setUint32(28, 2 * RATE, true); // bytes a second
  view.setUint16(32, 2, true); // bytes a sample
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, 2 * pcm.length, true);
  pcm.forEach((sample, n) => view.setInt16(44 + 2 * n, sample, true));
  return new Blob([bytes], { type: "audio/wav" });
}

// A row a frame; `network` has the columns and their tasks.
export function csv({ hop, columns, tasks }, rows) {
  const cell = (column, word) => {
    if (column.kind === "score" || column.kind === "value") return shortest(word / 2 ** column.q);
    const classes = column.kind === "decision" ? tasks[column.task].classes : [];
    return classes.length > 0 ? quoted(classes[word]) : String(word >>> 0);
  };
  const lines = rows.map((row, frame) => [
    ((frame * hop) / RATE).toFixed(3),
    ...columns.map((column, n) => cell(column, row[n])),
  ]);
  const header = ["time_s", ...columns.map((column) => column.name)];
  return new Blob([header, ...lines].map((line) => `${line.join(",")}\r\n`), { type: "text/csv" });
}

// Six significant digits, as %.6g has them.
function shortest(value) {
  const exact = value.toExponential(60);
  const halfway = /^-?\d\.\d{4}[02468]50*e/.test(exact); // to the even digit, where JavaScript takes the larger one
  const [digits, exponent] = (halfway ? exact.replace(/(\.\d{5})\d*/, "$1") : value.toExponential(5)).split("e");
  if (value !== 0 && (exponent < -4 || exponent > 5)) {
    const power = String(Math.abs(exponent)).padStart(2, "0");
    return `${Number(digits)}e${exponent < 0 ? "-" : "+"}${power}`;
  }
  return String(Number(`${digits}e${exponent}`));
}

function quoted(text) {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// Any file that the browser can decode → int16, 16 kHz, the mean of its channels.
export async function decoded(context, file) {
  const buffer = await context.decodeAudioData(await file.arrayBuffer());
  const channels = Array.from({ length: buffer.numberOfChannels }, (_, n) => buffer.getChannelData(n));
  return Int16Array.from({ length: buffer.length }, (_, n) => {
    const mean = channels.reduce((sum, channel) => sum + channel[n], 0) / channels.length;
    return Math.max(-32768, Math.min(32767, Math.round(mean * 32768)));
  });
}

// base64 → bytes.
export function unpacked(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
