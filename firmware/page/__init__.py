# SPDX-License-Identifier: Apache-2.0
"""The generated C in a browser: one HTML file that hears a microphone or a file, and shows what networks do with it.

In come bundles and audio, out goes a page that needs nothing but itself (docs/page.md). `scripts` holds its JavaScript,
a module a subject; `page` puts it all together.
"""
