// SPDX-License-Identifier: Apache-2.0
// How the page cuts audio: 16 kHz, beats of 16 ms, each a hop of most networks and some of those with shorter ones.

export const RATE = 16000;
export const BEAT = 256;
