#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Install the Debian 12 packages that building, emulating and testing need; with the word `all`, also those of the
# boards that are not validated by default, and of the build systems of docs/layouts.md; with the word `prove`, Frama-C
# (docs/assurance.md). Does nothing where all are present.
set -euo pipefail

packages=(
  python3 python3-dev python3-venv
  gcc g++ clang clang-format libclang-rt-14-dev       # host builds, both compilers, sanitizers
  cppcheck                                            # MISRA C:2012 (docs/misra.md)
  gcc-arm-none-eabi libnewlib-arm-none-eabi           # Cortex-M images
  qemu-system-arm                                     # five emulated boards
  lld                                                 # with clang: WebAssembly for the page, Arm
  chromium chromium-driver                            # the tests that open report and page
  asterisk-core-sounds-{en,es,fr,it,ru}-g722          # real wideband speech for demo and tests
)
# Other cores (docs/porting.md): RISC-V, Hexagon, clang for Arm, PowerPC, s390x, x86 of 32 bits; build systems.
[ "${1-}" != all ] || packages+=(
  gcc-riscv64-unknown-elf qemu-system-misc qemu-user
  gcc-powerpc-linux-gnu libc6-dev-powerpc-cross
  gcc-s390x-linux-gnu libc6-dev-s390x-cross
  gcc-i686-linux-gnu libc6-dev-i386-cross
  cmake make cargo librust-cc-dev                     # build systems of generate --layout
)
[ "${1-}" != prove ] || packages+=(frama-c-base)

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
echo "installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
