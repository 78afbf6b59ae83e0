# SPDX-License-Identifier: Apache-2.0
"""From a bundle to exactly what the templates print: all naming and all arithmetic of the generated C happen here."""
