// SPDX-License-Identifier: Apache-2.0
"use strict";
// Both players share one position; a cursor shows it on every figure over time.
const seconds = Number(document.body.dataset.seconds);
const players = [...document.querySelectorAll("audio")];
const timelines = [...document.querySelectorAll(".timeline")];
let playing = null;

function show(time) {
  document.documentElement.style.setProperty("--position", Math.min(1, time / seconds));
  for (const timeline of timelines) timeline.querySelector(".cursor").hidden = false;
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

for (const timeline of timelines) {
  timeline.addEventListener("click", (event) => {
    const box = timeline.getBoundingClientRect();
    const style = getComputedStyle(document.documentElement);
    const start = Number(style.getPropertyValue("--start"));
    const end = Number(style.getPropertyValue("--end"));
    const share = ((event.clientX - box.left) / box.width - start) / (end - start);
    if (share >= 0 && share <= 1) (playing ?? players[0]).currentTime = share * seconds;
  });
}
