// SPDX-License-Identifier: Apache-2.0
// How audio is cut: 16 kHz, hops of 16 ms.

export const RATE = 16000;
export const HOP = 256;
