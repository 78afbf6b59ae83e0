/* SPDX-License-Identifier: Apache-2.0 */
/* Search runs in a worker, and browsers start none from a file on a disk: there it is started from its text. */
if (location.protocol === "file:") {
  const Named = window.Worker;
  window.Worker = class extends Named {
    constructor() {
      super(URL.createObjectURL(new Blob([SEARCH_WORKER], { type: "text/javascript" })));
    }
  };
}
